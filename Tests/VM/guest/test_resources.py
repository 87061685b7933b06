"""The daemon is short of memory, descriptors, threads or disk: the host answers, and enforcement holds or comes back.

Each shortage is made for this service alone or on a file system of its own, never for the whole host.
"""

import contextlib
import json
import os
import pathlib
import resource
import subprocess
import tempfile
import time
import unittest

import faults
import host

CASE = {"kernels": "default", "timeout": 900}

STATE = pathlib.Path("/var/lib/lilium")
LOG = pathlib.Path("/var/log")
FILLER = "filler"


@contextlib.contextmanager
def property_set(setting, back):
    """A property of the running service; it is taken back in the end."""
    host.run("systemctl", "set-property", "--runtime", "liliumd", setting)
    try:
        yield
    finally:
        host.run("systemctl", "set-property", "--runtime", "liliumd", back)


def fill(folder):
    """Takes the last free block of a file system, and the last inode that a small one has."""
    with contextlib.suppress(OSError), open(folder / FILLER, "wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 65536)
    with contextlib.suppress(OSError), open(folder / FILLER, "ab", buffering=0) as file:
        while True:
            file.write(b"\0" * 512)
    for number in range(100000):
        try:
            (folder / f"{FILLER}{number}").touch()
        except OSError:
            return
    raise AssertionError(f"{folder} has inodes without end")


def empty(folder):
    for file in folder.glob(f"{FILLER}*"):
        file.unlink()


class Shortages(unittest.TestCase):
    def setUp(self):
        faults.enforce()
        self.since = host.cursor()

    def mount_copy(self, folder, megabytes):
        """A small file system at `folder` with what was there."""
        with tempfile.TemporaryDirectory(dir="/var/tmp") as copy:
            host.run("cp", "-a", f"{folder}/.", copy)
            host.run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m,nr_inodes=2000,mode=0755", "tmpfs", folder)
            self.addCleanup(host.run, "umount", "-l", folder)
            host.run("cp", "-a", f"{copy}/.", folder)

    def test_memory_of_its_control_group(self):
        """Out of memory: the kernel ends the daemon, systemd starts it again, and afterwards it works."""
        before = faults.restarts()
        pid = host.daemon_pid()
        process = os.pidfd_open(pid)
        self.addCleanup(os.close, process)
        with faults.probed(self) as load:
            with property_set("MemoryMax=1M", "MemoryMax=infinity"):
                self.assertTrue(faults.end_of(process, host.PATIENCE), "the limit did not end the daemon")
                time.sleep(5)
            host.run("systemctl", "reset-failed", "liliumd", check=False)
            if not host.is_running():
                host.run("systemctl", "start", "liliumd")
            faults.expect_back()
        self.assertGreater(load["opened"], 0)
        self.assertNotEqual(host.daemon_pid(), pid)
        self.assertGreaterEqual(faults.restarts(), min(before, 0))
        self.assertIn("oom", self.journal_of_manager())

    def journal_of_manager(self):
        return host.run("journalctl", f"--after-cursor={self.since}", "-u", "liliumd", "-o", "cat").stdout.lower()

    def test_descriptors(self):
        """A limit of few open files: programs run all the same, and what could not be asked about is counted.

        Between the limit and its being raised again the kernel denies by itself; each such denial must be counted.
        """
        faults.enforce(extra=faults.UNPROTECTED)
        pid = host.daemon_pid()
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        with faults.probed(self, excused=lambda: host.losses().get("exec-out-of-descriptors", 0)):
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, 3))
            time.sleep(10)
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
        faults.expect_back()
        if host.daemon_pid() == pid:
            self.assertIn("exec-out-of-descriptors", host.losses())

    def test_threads(self):
        """No new thread: requests that wait for content keep nobody else waiting."""
        with faults.probed(self) as load:
            with property_set("TasksMax=1", "TasksMax=infinity"):
                # Many files that were never read: each is a wait for content.
                host.run("sh", "-c", "cat /usr/lib/x86_64-linux-gnu/libs*.so* >/dev/null", check=False)
                for program in ("/usr/bin/env", "/usr/bin/sort", "/usr/bin/uniq"):
                    host.run(program, "--version")
            with property_set("TasksMax=1", "TasksMax=infinity"):
                # A start needs threads: it may fail, and must then say so and come back.
                host.run("systemctl", "kill", "-s", "KILL", "liliumd")
                time.sleep(5)
            host.run("systemctl", "reset-failed", "liliumd", check=False)
            if not host.is_running():
                host.run("systemctl", "start", "liliumd")
            faults.expect_back()
        faults.expect_all_recorded(self, self.since, load["denied"])

    def test_state_folder_without_space(self):
        """Trust sync says what is wrong, the old database stays in force, and a restart needs no space."""
        faults.enforce(extra=faults.UNPROTECTED)
        self.mount_copy(STATE, 64)
        host.run("systemctl", "restart", "liliumd")
        faults.expect_back()
        before = host.status()["trust"]
        fill(STATE)
        with faults.probed(self):
            failed = self.change_trust()
            self.assertRegex(failed.stdout.lower(), r"no room|no space|full")
            self.assertIn(str(STATE), failed.stdout)
            after = host.status()["trust"]
            self.assertEqual(after["generation"], before["generation"], "another database is in force")
            self.assertIsNone(after.get("problem"))
            host.run("systemctl", "kill", "-s", "KILL", "liliumd")
            faults.expect_back()
            self.assertEqual(host.status()["trust"]["generation"], before["generation"])
        with self.subTest("a clean restart"):
            host.run("systemctl", "restart", "liliumd")
            faults.expect_back()
        empty(STATE)
        host.run("systemctl", "restart", "liliumd", check=False)
        faults.expect_back()
        host.run("liliumctl", "trust", "sync", "--source", "file")
        self.assertIsNone(host.status()["trust"].get("problem"))

    def change_trust(self):
        """Something new to write: a trusted file more. It must fail."""
        added = pathlib.Path("/opt/added")
        added.write_text("#!/bin/sh\n")
        added.chmod(0o755)
        self.addCleanup(added.unlink)
        failed = host.run("liliumctl", "trust", "add", added, check=False)
        self.addCleanup(host.run, "liliumctl", "trust", "remove", added, check=False)
        self.assertNotEqual(failed.returncode, 0, failed.stdout)
        return failed

    def test_log_folder_without_space(self):
        """Lines that a full disk does not take are counted, and written again when there is room."""
        self.mount_copy(LOG, 32)
        target = LOG / "lilium.jsonl"
        faults.enforce(extra=faults.EVERYTHING + f'sinks = ["journal", "file:{target}"]\n')
        fill(LOG)
        with faults.probed(self):
            for _ in range(20):
                with self.assertRaises(PermissionError):
                    subprocess.run([faults.UNTRUSTED])
            # The file's last block has room for some.
            host.wait_until(
                "a count of every other line", lambda: self.dropped(target) + self.denials(target) >= 20)
            self.assertGreater(self.dropped(target), 10)
        empty(LOG)
        size = target.stat().st_size
        with self.assertRaises(PermissionError):
            subprocess.run([faults.UNTRUSTED])
        host.wait_until("a line in the file", lambda: target.stat().st_size > size)
        with self.subTest("the line that was cut short is whole"):
            flushed = target.read_text().splitlines()
            self.assertTrue(all(json.loads(line) for line in flushed))
        # In the file: the journal lies on the same full disk, and journald drops what it has no room for.
        host.wait_until("the loss among the lines", lambda: b'"kind":"loss"' in target.read_bytes())
        faults.enforce()

    @staticmethod
    def denials(target):
        return target.read_bytes().count(b'"verdict":"deny"')

    @staticmethod
    def dropped(target):
        return host.losses().get(f"records-dropped-{target}", 0)


if __name__ == "__main__":
    unittest.main()
