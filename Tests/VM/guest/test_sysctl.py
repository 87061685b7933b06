"""Where Lilium cannot prevent a call, the kernel's own switches can: set by `enforce` and by nothing else, for everybody.

The real tools make the calls, as root. It must not leave the guest: most of the switches stay until it boots again.
"""

import pathlib
import subprocess
import unittest

import host

CASE = {"image": "installed", "start": "snapshot", "kernels": "all", "timeout": 300}

SWITCHES = {
    "ptrace": ("kernel.yama.ptrace_scope", "3"), "module": ("kernel.modules_disabled", "1"),
    "kexec": ("kernel.kexec_load_disabled", "1"), "clone": ("user.max_user_namespaces", "0")}
USER = 1500
# So that it is the same on a kernel whose BPF LSM could prevent them.
MEANS = host.BY_AUDIT + "[on_unpreventable]\n" + "".join(f'{name} = "sysctl"\n' for name in SWITCHES)
KERNEL_IMAGE = next(pathlib.Path("/boot").glob("vmlinuz-*"))


def file(name):
    return pathlib.Path("/proc/sys", *name.split("."))


def values():
    return {mechanism: file(name).read_text().strip() for mechanism, (name, _) in SWITCHES.items()}


def tools(tracee):
    return {
        "ptrace": ("strace", "-p", str(tracee), "-e", "trace=none"), "module": ("modprobe", "dummy"),
        "kexec": ("kexec", "-s", "-l", str(KERNEL_IMAGE), "--reuse-cmdline"), "clone": ("unshare", "-U", "true")}


class Sysctls(unittest.TestCase):
    """In the order of the names: what is set cannot be taken back."""

    def setUp(self):
        self.tracee = subprocess.Popen(["sleep", "1000"])
        self.addCleanup(self.tracee.wait)
        self.addCleanup(self.tracee.kill)
        self.place = host.cursor()

    def test_1_audit_sets_nothing(self):
        before = values()
        host.configure(dict.fromkeys(SWITCHES, "audit"), "", MEANS)
        self.assertEqual(values(), before)
        self.assertNotIn("sysctl", host.mechanism("module"))
        # What follows would prove nothing of a call that fails by itself.
        for mechanism in ("module", "kexec", "clone"):
            with self.subTest(mechanism=mechanism):
                host.run(*tools(self.tracee.pid)[mechanism])
        host.run("modprobe", "-r", "dummy")
        traced = host.run("timeout", "-s", "INT", "3", *tools(self.tracee.pid)["ptrace"], check=False)
        self.assertIn(f"Process {self.tracee.pid} attached", traced.stdout)

    def test_2_enforce_ends_them_for_everybody(self):
        host.configure(dict.fromkeys(SWITCHES, "enforce"), "", MEANS)
        text = host.run("liliumctl", "status").stdout
        changes = "\n".join(record["MESSAGE"] for record in host.records(self.place, kind="sensing-changed"))
        for mechanism, (name, value) in SWITCHES.items():
            with self.subTest(mechanism=mechanism):
                self.assertEqual(values()[mechanism], value)
                shown = host.mechanism(mechanism)
                self.assertEqual((shown["effect"], shown["sysctl"]), ("prevent", f"{name} = {value}"))
                self.assertIn(f"sysctl   {mechanism}: {name} = {value}, for everybody", text)
                self.assertIn(f"{name} = {value}: nobody is allowed {mechanism} until", changes)
                done = host.run(*tools(self.tracee.pid)[mechanism], check=False, timeout=host.PATIENCE)
                self.assertNotEqual(done.returncode, 0, done.stdout)
        self.assertFalse(pathlib.Path("/sys/module/dummy").exists())
        # What the kernel refused is an attempt, and still told; root's is allowed by the policy, and so not written.
        host.run(*tools(self.tracee.pid)["clone"], check=False, user=USER)
        record = host.expect_record(self.place, mechanism="clone", subject_uid=str(USER), verdict="deny")
        self.assertEqual(record["LILIUM_EFFECT"], "logged")

    def test_3_a_restart_finds_them_set(self):
        host.run("systemctl", "restart", "liliumd")
        self.assertEqual(host.mechanism("kexec")["effect"], "prevent")
        self.assertNotIn("nobody is allowed", "\n".join(
            record["MESSAGE"] for record in host.records(self.place, kind="sensing-changed")))

    def test_4_they_outlive_the_mode_and_only_one_can_be_undone(self):
        host.configure(dict.fromkeys(SWITCHES, "off"), "", MEANS)
        self.assertEqual(values(), {mechanism: value for mechanism, (_, value) in SWITCHES.items()})
        for mechanism in ("ptrace", "module", "kexec"):
            with self.subTest(mechanism=mechanism), self.assertRaises(OSError):
                file(SWITCHES[mechanism][0]).write_text("0")
        host.configure({"clone": "enforce"}, "", MEANS)
        file("user.max_user_namespaces").write_text("1000")
        self.assertEqual(host.mechanism("clone")["effect"], "contain")
        self.assertIn(
            "sysctl   clone: user.max_user_namespaces = 0 was undone", host.run("liliumctl", "status").stdout)


if __name__ == "__main__":
    unittest.main()
