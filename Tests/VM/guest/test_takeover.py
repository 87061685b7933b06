"""An upgrade under enforcement: the new process takes over under systemd, and exec is enforced throughout.

It must not know how the daemons talk: it sees processes, records and what is denied.
"""

import os
import pathlib
import shutil
import signal
import threading
import unittest

import host

CASE = {"kernels": "all", "timeout": 600}

ALLOWED = "/usr/bin/true"
STRANGER = pathlib.Path("/usr/local/bin/lilium-stranger")


def restarts():
    return int(host.run("systemctl", "show", "-p", "NRestarts", "--value", "liliumd").stdout)


class Load(threading.Thread):
    """Runs the stranger and an allowed program in turn, and notes every wrong outcome."""

    def __init__(self):
        super().__init__()
        self.over = threading.Event()
        self.wrong = []
        self.rounds = 0

    def run(self):
        while not self.over.is_set():
            for program, expected in ((ALLOWED, True), (str(STRANGER), False)):
                try:
                    ran = os.waitstatus_to_exitcode(
                        os.waitpid(os.posix_spawn(program, [program], {}), 0)[1]) == 0
                except PermissionError:
                    ran = False
                if ran != expected:
                    self.wrong.append((self.rounds, program, ran))
            self.rounds += 1


class Takeover(unittest.TestCase):
    def setUp(self):
        shutil.copy("/usr/bin/env", STRANGER)
        # A copy of a trusted program is a stranger only by what it is changed to.
        with STRANGER.open("ab") as file:
            file.write(b"changed")
        self.addCleanup(STRANGER.unlink)
        host.run("liliumctl", "trust", "sync", "--quiet", timeout=300)
        host.configure({"exec": "enforce"})
        self.addCleanup(host.configure, {})

    def test_under_load(self):
        """Three takeovers: another main process each time, no restart, nobody let in and nobody locked out."""
        before, since = restarts(), host.cursor()
        load = Load()
        load.start()
        try:
            for _ in range(3):
                old = host.daemon_pid()
                host.run("liliumctl", "takeover")
                new = host.daemon_pid()
                self.assertNotEqual(new, old)
                self.assertEqual(host.status()["daemon"]["pid"], new)
                host.wait_until("the end of the old process", lambda: not pathlib.Path(f"/proc/{old}").exists())
        finally:
            load.over.set()
            load.join()
        self.assertEqual(load.wrong, [])
        self.assertGreater(load.rounds, 3)
        self.assertEqual(restarts(), before)
        self.assertTrue(host.is_running())
        host.expect_record(since, kind="stopped", cause="takeover")
        journal = host.run("journalctl", f"--after-cursor={since}", "-u", "liliumd").stdout
        self.assertNotIn("not our child", journal)
        self.assertNotIn("reception only permitted", journal)

    def test_the_new_one_is_watched(self):
        """systemd's watchdog and restart hold for a process that took over."""
        host.run("liliumctl", "takeover")
        before, pid = restarts(), host.daemon_pid()
        host.signal_daemon(signal.SIGSTOP)
        # Nothing is run here: it might wait for the stopped daemon.
        host.wait_until("the end of the stopped process", lambda: not pathlib.Path(f"/proc/{pid}").exists(), 90)
        host.wait_until("another main process", lambda: host.daemon_pid() not in (0, pid))
        host.wait_until("the service", host.is_running)
        self.assertEqual(restarts(), before + 1)

    def test_stop_and_restart_in_order(self):
        """The end of a process that took over is as orderly as any: it answers, records and says so."""
        host.run("liliumctl", "takeover")
        since = host.cursor()
        host.run("systemctl", "restart", "liliumd")
        host.expect_record(since, kind="stopped", cause="SIGTERM")
        host.run("liliumctl", "takeover")
        host.run("systemctl", "stop", "liliumd")
        self.assertEqual(host.run("systemctl", "show", "-p", "Result", "--value", "liliumd").stdout.strip(), "success")
        self.assertFalse(pathlib.Path("/run/lilium/control.sock").exists())
        host.run("systemctl", "start", "liliumd")

    def test_a_broken_configuration_changes_nothing(self):
        text, pid = host.CONFIGURATION.read_text(), host.daemon_pid()
        host.CONFIGURATION.write_text("[mod]\n")
        try:
            refused = host.run("liliumctl", "takeover", check=False)
        finally:
            host.CONFIGURATION.write_text(text)
        self.assertEqual(refused.returncode, 1, refused.stdout)
        self.assertIn("lilium.toml:1:", refused.stdout)
        self.assertEqual(host.daemon_pid(), pid)
        with self.assertRaises(PermissionError):
            os.posix_spawn(str(STRANGER), [str(STRANGER)], {})
