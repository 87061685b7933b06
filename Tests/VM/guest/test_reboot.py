"""The machine goes down without a warning in the middle of a trust sync and of a package transaction.

What is on the disk then must be whole or told; nothing here is written back first.
"""

import os
import pathlib
import subprocess
import time
import unittest

import faults
import host

CASE = {"start": "boot", "kernels": "default", "timeout": 900}

PACKAGE = pathlib.Path("/var/tmp/slow")
ARCHIVE = pathlib.Path("/var/tmp/slow.deb")
PROGRAM = pathlib.Path("/usr/bin/slow-program")
STARTED = pathlib.Path("/run/postinst-started")
GENERATION = pathlib.Path("/var/tmp/generation")


def go_down():
    """The machine is gone at once. Nothing is written back: that is what happens when the power fails."""
    pathlib.Path("/proc/sys/kernel/sysrq").write_text("1")
    pathlib.Path("/proc/sysrq-trigger").write_text("b")
    time.sleep(host.PATIENCE)
    raise AssertionError("the machine did not go down")


def keep(path, text):
    """Writes a file that the next boot finds."""
    with open(path, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def expect_sound(test):
    """The service runs and enforces, and the database is good, or missing and said."""
    host.wait_until("the service", host.is_running)
    faults.expect_back()
    trust = host.status()["trust"]
    if trust.get("generation") is None:
        test.assertTrue(trust.get("problem"), "there is no database, and nobody says why")
    else:
        test.assertIsNone(trust.get("problem"))
        test.assertGreater(trust["paths"], 1000)
    host.answers()
    return trust


class Boot1(unittest.TestCase):
    def test_down_in_a_sync(self):
        faults.enforce()
        # Everything is new to a sync whose cache is gone, so that it takes long enough to be hit.
        keep(GENERATION, str(host.status()["trust"]["generation"]))
        os.sync()
        for file in pathlib.Path("/usr/bin").iterdir():
            if file.is_file() and not file.is_symlink() and file.stat().st_nlink == 1:
                os.utime(file)
        with host.process("liliumctl", "trust", "sync", "--quiet") as sync:
            time.sleep(1.5)
            self.assertIsNone(sync.poll(), "the sync was over before the machine went down")
            go_down()


class Boot2(unittest.TestCase):
    """After the sync; and on to the transaction."""

    def test_1_after_the_sync(self):
        trust = expect_sound(self)
        self.assertGreaterEqual(trust["generation"], int(GENERATION.read_text()), "an older database came back")
        host.run("liliumctl", "trust", "sync", timeout=400)
        self.assertGreaterEqual(expect_sound(self)["generation"], trust["generation"])
        self.assertEqual(host.run("liliumctl", "trust", "status").returncode, 0)

    def test_2_down_in_a_transaction(self):
        self.make_package()
        os.sync()
        with host.process("dpkg", "-i", ARCHIVE, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL):
            host.wait_until("the package's script runs", STARTED.exists)
            go_down()

    @staticmethod
    def make_package():
        """A package with a program and a script that takes its time."""
        (PACKAGE / "DEBIAN").mkdir(parents=True, exist_ok=True)
        (PACKAGE / "usr/bin").mkdir(parents=True, exist_ok=True)
        (PACKAGE / "DEBIAN/control").write_text(
            "Package: slow\nVersion: 1\nArchitecture: all\nMaintainer: Nobody <nobody@localhost>\n"
            "Description: takes its time\n")
        script = PACKAGE / "DEBIAN/postinst"
        # Only the first time: after the reboot it is configured again.
        script.write_text(
            "#!/bin/sh\nset -e\n[ -e /var/tmp/rebooted ] || { touch /run/postinst-started; sleep 600; }\n"
            f"{PROGRAM}\n")
        script.chmod(0o755)
        program = PACKAGE / "usr/bin/slow-program"
        program.write_text("#!/bin/sh\necho slow-program runs\n")
        program.chmod(0o755)
        host.run("dpkg-deb", "--root-owner-group", "-b", PACKAGE, ARCHIVE)


class Boot3(unittest.TestCase):
    def test_after_the_transaction(self):
        expect_sound(self)
        pathlib.Path("/var/tmp/rebooted").touch()
        # What dpkg had written may be lost with the machine; then the package is not there, and is installed anew.
        state = host.run("dpkg-query", "-W", "-f", "${Status}", "slow", check=False).stdout
        finished = host.run("dpkg", "--configure", "-a", check=False, stdin="")
        if "slow-program runs" not in finished.stdout:
            finished = host.run("dpkg", "-i", ARCHIVE, check=False, stdin="")
        self.assertEqual(finished.returncode, 0, f"state after the reboot: {state}\n{finished.stdout}")
        host.run("liliumctl", "trust", "sync", timeout=400)
        expect_sound(self)
        self.assertEqual(host.run(PROGRAM).stdout, "slow-program runs\n")
        self.assertEqual(host.run("liliumctl", "trust", "verify", "--quiet", PROGRAM).returncode, 0)
        host.run("dpkg", "-P", "slow", stdin="")
        expect_sound(self)


if __name__ == "__main__":
    unittest.main()
