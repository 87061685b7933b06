"""A host at work for a while: builds, changing files, mounts, denials. Nothing grows in the daemon or is lost.

Half a minute by default; fifteen minutes where LILIUM_VM_FULL=1 says that the full run is meant.
"""

import contextlib
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import time
import unittest

import faults
import host

FULL = os.environ.get("LILIUM_VM_FULL") == "1"
SECONDS = 900 if FULL else 30
CASE = {"kernels": "default", "timeout": 1500}

USER = 1234
WORK = pathlib.Path("/var/tmp/soak")
# Descriptors of requests that are under way when a sample is taken.
IN_FLIGHT = 16
# How long an answer takes here says nothing but how slow the emulation is.
PATIENT = "[failure]\nanswer_deadline_ms = 30000\n"
# A growth of a tenth over the middle third is taken for steady, and what a warm cache may still take.
STEADY, SLACK_KIB = 1.10, 2048


class Sampler:
    """Descriptors and resident memory of the daemon."""

    def __init__(self, pid):
        self.pid, self.descriptors, self.resident = pid, [], []

    def count(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def take(self):
        self.descriptors.append(self.count())
        text = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        self.resident.append(next(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmRSS:")))

    def thirds(self):
        third = len(self.resident) // 3
        return [statistics.median(self.resident[i * third:(i + 1) * third]) for i in range(3)]


def build():
    """Compiles in a loop, as a user. What it links is not trusted and is not run."""
    source = WORK / "build" / "a.c"
    source.write_text("#include <stdio.h>\nint main(void) { return puts(\"x\") < 0; }\n")
    while True:
        subprocess.run(["gcc", "-O1", "-o", source.with_suffix(""), source], check=True)


def churn():
    """Files as a package manager leaves them: written anew, renamed, linked, read, taken away; and mounts."""
    room, mount = WORK / "files", WORK / "mount"
    number = 0
    while True:
        number += 1
        file = room / f"{number % 50}.new"
        file.write_bytes(pathlib.Path("/usr/bin/env").read_bytes()[:4096])
        file.chmod(0o755)
        file.rename(file.with_suffix(""))
        with contextlib.suppress(PermissionError):
            subprocess.run([file.with_suffix("")])
        if number % 20 == 0:
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", mount], check=True)
            (mount / "text").write_text("text")
            subprocess.run(["umount", mount], check=True)
        time.sleep(0.05)


class Soak(unittest.TestCase):
    def setUp(self):
        for name in ("build", "files", "mount"):
            (WORK / name).mkdir(parents=True, exist_ok=True)
        os.chown(WORK / "build", USER, USER)

    def worker(self, role, user=None):
        """One of the functions above as a process, ended with all its children."""
        command = [sys.executable, __file__, role]
        child = subprocess.Popen(command, user=user, group=user, start_new_session=True, stdin=subprocess.DEVNULL)
        self.addCleanup(child.wait, host.PATIENCE)
        self.addCleanup(self.end, child)
        return child

    @staticmethod
    def end(child):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)

    def test_nothing_grows_and_nothing_is_lost(self):
        faults.enforce(extra=PATIENT, mount="audit")
        since = host.cursor()
        host.answers()
        sampler = Sampler(host.daemon_pid())
        first = sampler.count()
        with faults.probed(self) as load:
            workers = [self.worker("build", USER), self.worker("churn")]
            end = time.monotonic() + SECONDS
            while time.monotonic() < end:
                sampler.take()
                time.sleep(SECONDS / 120)
                self.assertEqual([worker.poll() for worker in workers], [None, None], "the work broke off")
            for worker in workers:
                self.end(worker)
        self.assertEqual(host.daemon_pid(), sampler.pid, "the daemon was started anew")
        self.expect_no_leak(sampler, first)
        self.expect_steady(sampler)
        self.expect_explained(since, load)

    def expect_no_leak(self, sampler, first):
        last = host.wait_until(
            f"descriptors back to {first}", lambda: (count := sampler.count()) <= first + 2 and count, host.PATIENCE)
        self.assertLessEqual(last, first + 2)
        third = len(sampler.descriptors) // 3
        early = statistics.median(sampler.descriptors[:third])
        late = statistics.median(sampler.descriptors[-third:])
        self.assertLessEqual(late, early + IN_FLIGHT, f"descriptors grow: {sampler.descriptors}")

    def expect_steady(self, sampler):
        _, middle, last = sampler.thirds()
        self.assertLessEqual(last, middle * STEADY + SLACK_KIB, f"KiB resident, by thirds: {sampler.thirds()}")

    def expect_explained(self, since, load):
        """What was denied was written, held back or counted as lost; and nothing was lost for another reason."""
        faults.expect_all_recorded(self, since, load["denied"])
        status = host.status()
        denied = sum(line["count"] for line in status["decisions"] if line["verdict"] == "deny")
        records = status["records"]
        self.assertLessEqual(denied, records["written"] + records["dropped"] + records["suppressed"])
        self.assertEqual(status["losses"], {}, "the host was busy, not short of anything")


if __name__ == "__main__":
    {"build": build, "churn": churn}[sys.argv[1]]() if len(sys.argv) > 1 else unittest.main()
