"""Yama, AppArmor and Lilium on one host: each one's denial stands, and is told of by the one whose it is.

It must not assert which of two denials comes first.
"""

import errno
import pathlib
import shutil
import subprocess
import sys
import unittest

import host

CASE = {"image": "installed", "start": "snapshot", "kernels": "all", "timeout": 300}

USER = 1500
SCOPE = pathlib.Path("/proc/sys/kernel/yama/ptrace_scope")
CONFINED = pathlib.Path("/usr/local/bin/confined")
PROFILE = """\
profile confined /usr/local/bin/confined {
  /usr/local/bin/confined mr,
  /{usr/,}lib/** mr,
  /etc/ld.so.cache r,
  /srv/neighbours/{,**} r,
  deny /srv/neighbours/apparmor r,
  /tmp/foreign ix,
  /usr/bin/true ix,
  audit deny /usr/bin/factor x,
}
"""


def lists(name):
    return name in pathlib.Path("/sys/kernel/security/lsm").read_text().split(",")


# Not strace: where Yama forbids much, it gives up before it tries. PTRACE_SEIZE of the process that is named.
SEIZE = """\
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
print(ctypes.get_errno() if libc.ptrace(0x4206, int(sys.argv[1]), None, None) else 0)
"""


def attach(target, user=None):
    """The errno with which a process fails to attach to another; 0 where it can."""
    return int(host.run(sys.executable, "-c", SEIZE, str(target.pid), user=user).stdout)


class Yama(unittest.TestCase):
    """ptrace_scope in rising order: 3 stays until the next boot."""

    def setUp(self):
        if not lists("yama"):
            self.skipTest("this kernel has no Yama")

    def tearDown(self):
        host.configure({})

    def tried(self, target, user=None):
        """The record of one attempt, and whether it came to pass."""
        place = host.cursor()
        error = attach(target, user)
        record = host.expect_record(
            place, mechanism="ptrace", target_pid=str(target.pid), subject_uid=str(user or 0),
            operation_request="PTRACE_SEIZE")
        self.assertIn(error, (0, errno.EPERM))
        return record, error == 0

    def test_each_scope(self):
        modes = {"ptrace": "audit"}
        host.configure(modes, extra=host.BY_AUDIT + "[log]\nallows = true\n")
        with host.process("sleep", "600", user=USER, group=USER, extra_groups=[]) as target:
            for scope, user, may, verdict in (
                    (0, USER, True, "deny"), (1, USER, False, "deny"), (1, None, True, "allow"),
                    (2, USER, False, "deny"), (2, None, True, "allow")):
                with self.subTest(scope=scope, user=user):
                    SCOPE.write_text(str(scope))
                    record, could = self.tried(target, user)
                    self.assertEqual(could, may)
                    # What Lilium says is Lilium's; that the call failed all the same is in the result.
                    self.assertEqual(record["LILIUM_VERDICT"], verdict)
                    self.assertEqual(record["LILIUM_OPERATION_RESULT"], "0" if may else "-1")
                    self.assertEqual(record.get("LILIUM_EFFECT", "logged"), "logged")
                    self.assertEqual(record["LILIUM_REASON"], "capability" if user is None else "default")
            with self.subTest("enforce kills nobody for what Yama has refused"):
                SCOPE.write_text("1")
                host.configure({"ptrace": "enforce"}, extra=host.BY_AUDIT + host.contained("ptrace"))
                record, could = self.tried(target, USER)
                self.assertFalse(could)
                self.assertEqual(record["LILIUM_EFFECT"], "logged")
                self.assertEqual(record["LILIUM_OPERATION_RESULT"], "-1")
            with self.subTest("scope 3 refuses root, whom Lilium allows"):
                host.configure(modes, extra=host.BY_AUDIT + "[log]\nallows = true\n")
                SCOPE.write_text("3")
                record, could = self.tried(target)
                self.assertFalse(could)
                self.assertEqual(record["LILIUM_VERDICT"], "allow")
                self.assertEqual(record["LILIUM_OPERATION_RESULT"], "-1")


class AppArmor(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not lists("apparmor"):
            raise unittest.SkipTest("this kernel has no AppArmor")
        # The kernel's log leaves out audit records beyond ten in five seconds, and each BPF program that comes or goes is one.
        pathlib.Path("/proc/sys/kernel/printk_ratelimit").write_text("0")
        folder = pathlib.Path("/srv/neighbours")
        folder.mkdir(exist_ok=True)
        for name in ("free", "lilium", "apparmor", "both"):
            (folder / name).write_text("words\n")
        shutil.copy("/usr/bin/env", CONFINED)
        shutil.copy("/usr/bin/true", "/tmp/foreign")
        host.run("liliumctl", "trust", "add", str(CONFINED))
        host.run("apparmor_parser", "--replace", "--skip-cache", stdin=PROFILE)
        host.configure(
            {"exec": "enforce", "open": "enforce"}, 'deny open when object.path == "/srv/neighbours/lilium"\n')

    @classmethod
    def tearDownClass(cls):
        host.configure({})
        host.run("apparmor_parser", "--remove", stdin=PROFILE)

    def run_confined(self, program):
        """Has the confined program execute another; returns what it says."""
        return subprocess.run(
            (CONFINED, program), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=host.PATIENCE)

    def kernel_log(self, words):
        return [line for line in host.run("dmesg").stdout.splitlines() if words in line]

    def test_who_denies_execution(self):
        with self.subTest("both allow"):
            self.assertEqual(self.run_confined("/usr/bin/true").returncode, 0)
        with self.subTest("Lilium alone denies"):
            place = host.cursor()
            self.assertIn("Operation not permitted", self.run_confined("/tmp/foreign").stdout)
            record = host.expect_record(place, mechanism="exec", verdict="deny", object_path="/tmp/foreign")
            self.assertEqual(record["LILIUM_SUBJECT_EXE"], str(CONFINED))
            self.assertEqual(self.kernel_log('name="/tmp/foreign"'), [])
        with self.subTest("AppArmor alone denies"):
            place = host.cursor()
            self.assertIn("Permission denied", self.run_confined("/usr/bin/factor").stdout)
            self.assertEqual(host.records(place, mechanism="exec", verdict="deny"), [])
            # A thread of the kernel's own writes it there.
            denial = host.wait_until("AppArmor's denial", lambda: self.kernel_log('name="/usr/bin/factor"'))
            self.assertIn('apparmor="DENIED"', denial[-1])

    def test_who_denies_opening(self):
        reader = pathlib.Path("/usr/local/bin/confined")
        content = reader.read_bytes()
        shutil.copy("/usr/bin/cat", reader)
        host.run("liliumctl", "trust", "add", str(reader))
        try:
            place = host.cursor()
            files = (f"/srv/neighbours/{name}" for name in ("free", "lilium", "apparmor"))
            said = host.run(str(reader), *files, check=False).stdout
            self.assertIn("words", said)
            self.assertIn("/srv/neighbours/lilium: Operation not permitted", said)
            self.assertIn("/srv/neighbours/apparmor: Permission denied", said)
            host.expect_record(place, mechanism="open", verdict="deny", object_path="/srv/neighbours/lilium")
            self.assertEqual(len(host.records(place, verdict="deny")), 1)
        finally:
            reader.unlink()
            reader.write_bytes(content)
            reader.chmod(0o755)
            host.run("liliumctl", "trust", "add", str(reader))


if __name__ == "__main__":
    unittest.main()
