"""The daemon is killed, stopped and signalled under load: the host goes on, and the service comes back.

It must not know which signals the daemon handles: each may be ignored, mean a reload, or end it.
"""

import os
import pathlib
import random
import signal
import time
import unittest

import faults
import host

CASE = {"kernels": "default", "timeout": 900}

FULL = os.environ.get("LILIUM_VM_FULL") == "1"
KILLS = 10 if FULL else 3
FATAL = (signal.SIGSEGV, signal.SIGABRT, signal.SIGILL, signal.SIGBUS, signal.SIGTRAP)
# Of each kind one where the run is not the full one: reload, wanted end, core, no core, ignored, stopping, going on.
SIGNALS = tuple(sorted(number for number in signal.valid_signals() if number <= 31 and number != signal.SIGSTOP)) \
    if FULL else (signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT, signal.SIGUSR1, signal.SIGCHLD, signal.SIGTSTP,
                  signal.SIGCONT)
CORE_PATTERN = pathlib.Path("/proc/sys/kernel/core_pattern")
# A process that is stopped has to be found out and ended; the watchdog of the unit alone would take longer than this.
FOUND_OUT = 60


class Killed(unittest.TestCase):
    def setUp(self):
        faults.enforce(extra=faults.PROMPT)
        self.since = host.cursor()

    def signal_daemon(self, number):
        """Has a signal sent to the daemon and returns a pidfd of it."""
        process = os.pidfd_open(host.daemon_pid())
        self.addCleanup(os.close, process)
        host.signal_daemon(number)
        return process

    def test_kill_at_random_moments(self):
        """Whatever waits is released, systemd starts it again, and nothing is lost without a count."""
        before = faults.restarts()
        with faults.probed(self) as load:
            for _ in range(KILLS):
                process = self.signal_daemon(signal.SIGKILL)
                self.assertTrue(faults.end_of(process, host.PATIENCE), "it outlived SIGKILL")
                faults.expect_back()
                time.sleep(random.random())
        self.assertEqual(faults.restarts() - before, KILLS)
        faults.expect_all_recorded(self, self.since, load["denied"])

    def test_kill_as_soon_as_it_is_back(self):
        """A daemon that dies again and again is started again and again: no limit leaves the host without it."""
        with faults.probed(self, load=False):
            for _ in range(8):
                process = self.signal_daemon(signal.SIGKILL)
                self.assertTrue(faults.end_of(process, host.PATIENCE), "it outlived SIGKILL")
                host.wait_until("a new main process", host.daemon_pid)
        # This guest is too slow to reach a limit that a quick host reaches with these eight.
        burst = host.run("systemctl", "show", "-p", "StartLimitBurst", "--value", "liliumd").stdout
        self.assertGreaterEqual(int(burst), 50, "systemd gives up after a few restarts")
        faults.expect_back()

    def expect_ended_in_time(self, number):
        with faults.probed(self) as load:
            time.sleep(2)
            process = self.signal_daemon(number)
            # Nothing is run or opened from here on: it could be what waits.
            ended = faults.end_of(process, FOUND_OUT)
        self.assertTrue(ended, f"after {FOUND_OUT} s nobody had ended the stopped daemon")
        faults.expect_back()
        return load

    def test_stop(self):
        """Somebody kills a stopped daemon before anyone waits too long, and the one after it as well."""
        for _ in range(2):
            self.expect_ended_in_time(signal.SIGSTOP)

    def test_segmentation_fault_with_a_core_handler(self):
        """A core handler is a program whose exec would wait for the daemon that dies: none may be started."""
        pattern = CORE_PATTERN.read_text()
        self.addCleanup(CORE_PATTERN.write_text, pattern)
        handled = pathlib.Path("/run/core-was-handled")
        handler = pathlib.Path("/usr/bin/tee")
        CORE_PATTERN.write_text(f"|{handler} {handled}")
        for number in FATAL if FULL else FATAL[:2]:
            with self.subTest(signal=signal.Signals(number).name):
                with faults.probed(self):
                    process = self.signal_daemon(number)
                    self.assertTrue(faults.end_of(process, host.PATIENCE), "it did not end")
                faults.expect_back()
                self.assertFalse(handled.exists(), "a core handler ran")

    def test_every_signal(self):
        """One by one: ignored, or a reload, or a restart; never a stopped daemon or a host that waits."""
        for number in SIGNALS:
            with self.subTest(signal=signal.Signals(number).name):
                with faults.probed(self):
                    pid = host.daemon_pid()
                    process = self.signal_daemon(number)
                    ended = faults.end_of(process, 3)
                    stopped = not ended and self.is_stopped(pid)
                self.assertFalse(stopped, "the daemon was stopped by it")
                if ended and not self.comes_back():
                    self.assertIn(number, (signal.SIGTERM, signal.SIGINT), "systemd took it for a wanted end")
                    host.run("systemctl", "start", "liliumd")
                faults.expect_back()

    @staticmethod
    def is_stopped(pid):
        """Reads /proc, which carries no marks."""
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        return state in "Tt"

    @staticmethod
    def comes_back():
        """Whether systemd has it start again, without being asked."""
        for _ in range(100):
            state = host.run("systemctl", "show", "-p", "ActiveState", "--value", "liliumd").stdout.strip()
            if state in ("active", "inactive", "failed"):
                return state == "active"
            time.sleep(0.2)
        raise AssertionError(f"the service stays {state}")


if __name__ == "__main__":
    unittest.main()
