"""System calls at their doors, as the kernel's audit tells of them: who may pass, what is recorded of it, and what truly
came of it, in each mode.

Run with the name of an action, this file makes the call. It must not assert an effect that it did not look for.
"""

import ctypes
import mmap
import os
import pathlib
import signal
import subprocess
import sys
import time
import unittest

import host

CASE = {"image": "installed", "start": "snapshot", "kernels": "all", "timeout": 500}

USER = 1500
FIONREAD = 0x541B
MOUNTED = "/mnt/by-call"
RULES = f"""\
deny  ioctl when operation.request_number == {FIONREAD} && subject.comm == "actor"
allow module when operation.module == "veth"
allow mount when object.path == "/mnt/allowed"
"""
CAPABILITIES = {
    "ptrace": "CAP_SYS_PTRACE", "mprotect": "CAP_SYS_ADMIN", "module": "CAP_SYS_MODULE", "kexec": "CAP_SYS_BOOT",
    "mount": "CAP_SYS_ADMIN", "clone": "CAP_SYS_ADMIN", "ioctl": "CAP_SYS_ADMIN"}

# Numbers of x86-64.
PTRACE, UNSHARE, DELETE_MODULE, MOUNT, KEXEC_LOAD, PROCESS_VM_WRITEV = 101, 272, 176, 165, 246, 311
MOVE_MOUNT, FSOPEN, FSCONFIG, FSMOUNT, CLONE3 = 429, 430, 431, 432, 435
NEWUSER, NEWNS = 0x10000000, 0x00020000


# -- What the process under test does ----------------------------------------------------------------------------------

libc = ctypes.CDLL(None, use_errno=True)


def call(number, *arguments):
    """A system call's result, negative errno where it failed."""
    words = [value if isinstance(value, bytes) else ctypes.c_long(value) for value in arguments]
    result = libc.syscall(ctypes.c_long(number), *words)
    return -ctypes.get_errno() if result == -1 else result


def sleeper():
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
    return child


def seize():
    child = sleeper()
    try:
        return call(PTRACE, 0x4206, child, 0, 0)
    finally:
        os.kill(child, signal.SIGKILL)


def write_memory():
    child = sleeper()
    buffer = ctypes.create_string_buffer(8)
    vector = (ctypes.c_uint64 * 2)(ctypes.addressof(buffer), 8)
    try:
        place = ctypes.addressof(vector)
        return call(PROCESS_VM_WRITEV, child, place, 1, place, 1, 0)
    finally:
        os.kill(child, signal.SIGKILL)


def make_code():
    memory = mmap.mmap(-1, 4096)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    return -ctypes.get_errno() if libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(4096), 5) else 0


def clone_user_namespace():
    arguments = (ctypes.c_uint64 * 8)(NEWUSER, 0, 0, 0, signal.SIGCHLD, 0, 0, 0)
    child = call(CLONE3, ctypes.addressof(arguments), 64)
    if child == 0:
        # Whoever reads the parent's output waits for its end.
        libc.close(1)
        libc.sleep(30)
        libc._exit(0)
    return child


def mount_new_way():
    os.makedirs(MOUNTED, exist_ok=True)
    context = call(FSOPEN, b"tmpfs", 0)
    call(FSCONFIG, context, 6, 0, 0, 0)
    mount = call(FSMOUNT, context, 0, 0)
    return call(MOVE_MOUNT, mount, b"", -100, MOUNTED.encode(), 4)


def mount_old_way():
    os.makedirs(MOUNTED, exist_ok=True)
    return call(MOUNT, b"none", MOUNTED.encode(), b"tmpfs", 0, 0)


def mount_in_own_namespace():
    call(UNSHARE, NEWUSER | NEWNS)
    return call(MOUNT, b"none", b"/mnt", b"tmpfs", 0, 0)


def ask_pipe():
    reader, _ = os.pipe()
    answer = ctypes.c_int()
    return -ctypes.get_errno() if libc.ioctl(reader, ctypes.c_ulong(FIONREAD), ctypes.byref(answer)) else 0


ACTIONS = {
    "seize": seize, "write-memory": write_memory, "make-code": make_code, "clone3": clone_user_namespace,
    "unshare-user": lambda: call(UNSHARE, NEWUSER), "unshare-mount": lambda: call(UNSHARE, NEWNS),
    "unload": lambda: call(DELETE_MODULE, b"lilium_no_such_module", 0o4000),
    "load-kernel": lambda: call(KEXEC_LOAD, 0, 0, 0, 0x3E0000), "mount": mount_old_way, "move-mount": mount_new_way,
    "mount-in-namespace": mount_in_own_namespace, "ioctl": ask_pipe}


def act(action, patience):
    """Makes the call, says its result, and stays as long as one who contains it may need."""
    pathlib.Path("/proc/self/comm").write_text("actor")
    print(ACTIONS[action](), flush=True)
    time.sleep(float(patience))


# -- What is tried -----------------------------------------------------------------------------------------------------


class Door(unittest.TestCase):
    """What the cases share."""

    @classmethod
    def tearDownClass(cls):
        host.configure({})

    def perform(self, action, user=None, stays=0):
        """Starts a process that makes the call; returns its number, the call's result and its exit status."""
        credentials = {"user": user, "group": user, "extra_groups": []} if user else {}
        process = subprocess.Popen(
            (sys.executable, "-B", __file__, action, str(stays)), stdout=subprocess.PIPE, text=True, **credentials)
        try:
            text, _ = process.communicate(timeout=2 * host.PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return process.pid, int(text) if text.strip() else None, process.returncode

    def record(self, place, mechanism, pid, **fields):
        return host.expect_record(place, mechanism=mechanism, subject_pid=str(pid), **fields)

    def assertFields(self, record, **fields):
        for name, value in fields.items():
            self.assertEqual(record.get(f"LILIUM_{name.upper()}"), value, f"{name} of {record['MESSAGE']}")


class DryRun(Door):
    @classmethod
    def setUpClass(cls):
        host.configure(dict.fromkeys(host.CALLS, "audit"), RULES, host.BY_AUDIT + "[log]\nallows = true\n")

    def test_holders_pass(self):
        actions = {
            "ptrace": "seize", "mprotect": "make-code", "module": "unload", "kexec": "load-kernel",
            "clone": "unshare-user"}
        for mechanism, action in actions.items():
            with self.subTest(mechanism=mechanism):
                place = host.cursor()
                pid, result, status = self.perform(action)
                self.assertEqual(status, 0)
                record = self.record(place, mechanism, pid)
                self.assertFields(
                    record, verdict="allow", reason="capability", capability=CAPABILITIES[mechanism], mode="audit",
                    subject_uid="0", operation_result=str(result))

    def test_root_without_the_capability(self):
        dropped = ("setpriv", "--bounding-set=-sys_boot", "--inh-caps=-sys_boot")
        place = host.cursor()
        done = host.run(*dropped, sys.executable, "-B", __file__, "load-kernel", "0")
        self.assertEqual(done.stdout, "-1\n")
        record = host.expect_record(place, mechanism="kexec")
        self.assertFields(
            record, verdict="deny", reason="default", effect="logged", subject_uid="0", operation_result="-1",
            operation_syscall="kexec_load")

    def test_users_would_be_denied(self):
        actions = (
            ("ptrace", "seize", "ptrace", "0"), ("ptrace", "write-memory", "process_vm_writev", "8"),
            ("mprotect", "make-code", "mprotect", "0"), ("module", "unload", "delete_module", "-1"),
            ("kexec", "load-kernel", "kexec_load", "-1"), ("clone", "unshare-user", "unshare", "0"),
            ("mount", "mount-in-namespace", "mount", "0"))
        for mechanism, action, name, result in actions:
            with self.subTest(action=action):
                place = host.cursor()
                pid, given, status = self.perform(action, USER)
                self.assertEqual((str(given), status), (result, 0))
                record = self.record(place, mechanism, pid)
                self.assertFields(
                    record, verdict="deny", reason="default", effect="logged", mode="audit", subject_uid=str(USER),
                    operation_syscall=name, operation_result=result)
                self.assertIn("would deny", record["MESSAGE"])

    def test_clone3(self):
        place = host.cursor()
        pid, child, status = self.perform("clone3", USER, stays=3)
        self.addCleanup(host.run, "kill", "-9", str(child), check=False)
        self.assertEqual(status, 0)
        record = self.record(place, "clone", pid, operation_syscall="clone3")
        self.assertFields(record, verdict="deny", effect="logged", operation_result=str(child))
        self.assertEqual(record["LILIUM_OPERATION_NAMESPACES"], "user")

    def test_ioctl_speaks_of_what_rules_name(self):
        place = host.cursor()
        pid, result, status = self.perform("ioctl", USER)
        self.assertEqual((result, status), (0, 0))
        record = self.record(place, "ioctl", pid)
        self.assertFields(record, verdict="deny", reason="rule", rule="10-test.rules:1", effect="logged")

    def test_debuggers(self):
        with host.process("sleep", "300", user=USER, group=USER, extra_groups=[]) as target:
            for command in (
                    ("timeout", "-s", "INT", "3", "strace", "-p", str(target.pid)),
                    ("gdb", "-batch", "-nx", "-p", str(target.pid), "-ex", "detach")):
                for user, reason in ((None, "capability"), (USER, "default")):
                    with self.subTest(command=command[-4], user=user):
                        place = host.cursor()
                        host.run(*command, check=False, user=user)
                        record = host.expect_record(
                            place, mechanism="ptrace", target_pid=str(target.pid), subject_uid=str(user or 0))
                        self.assertFields(
                            record, reason=reason, target_uid=str(USER), operation_result="0",
                            target_exe="/usr/bin/sleep")

    def test_a_module_is_loaded_and_unloaded(self):
        if (pathlib.Path("/sys/module/dummy")).exists():
            host.run("modprobe", "-r", "dummy")
        place = host.cursor()
        host.run("modprobe", "dummy")
        record = host.expect_record(place, mechanism="module", operation_module="dummy")
        self.assertIn(record["LILIUM_OPERATION_SYSCALL"], ("finit_module", "init_module"))
        self.assertFields(
            record, verdict="allow", reason="capability", capability="CAP_SYS_MODULE", subject_exe="/usr/bin/kmod")
        place = host.cursor()
        host.run("modprobe", "-r", "dummy")
        record = host.expect_record(place, mechanism="module", operation_syscall="delete_module")
        self.assertFields(record, verdict="allow", operation_result="0")
        with self.subTest("what the kernel asks for is modprobe's"):
            place = host.cursor()
            host.run("ip", "link", "add", "probe0", "type", "dummy")
            record = host.expect_record(place, mechanism="module", operation_module="dummy")
            self.assertFields(record, subject_exe="/usr/bin/kmod", subject_uid="0")
            host.run("ip", "link", "del", "probe0")

    def test_a_kernel_is_loaded_and_unloaded(self):
        image = f"/boot/vmlinuz-{os.uname().release}"
        for option, name in (("-c", "kexec_load"), ("-s", "kexec_file_load")):
            with self.subTest(call=name):
                place = host.cursor()
                host.run("kexec", option, "-l", image, "--reuse-cmdline")
                self.assertEqual(pathlib.Path("/sys/kernel/kexec_loaded").read_text(), "1\n")
                record = host.expect_record(place, mechanism="kexec", operation_syscall=name)
                self.assertFields(
                    record, verdict="allow", reason="capability", capability="CAP_SYS_BOOT", operation_result="0",
                    subject_unit="lilium-vm-agent.service")
                place = host.cursor()
                host.run("kexec", option, "-u")
                self.assertEqual(pathlib.Path("/sys/kernel/kexec_loaded").read_text(), "0\n")
                record = host.expect_record(place, mechanism="kexec")
                self.assertFields(record, verdict="allow", operation_result="0")

    def test_mounts(self):
        os.makedirs("/mnt/a", exist_ok=True)
        os.makedirs("/mnt/b", exist_ok=True)
        steps = (
            (("mount", "-t", "tmpfs", "none", "/mnt/a"), "mount", "/mnt/a"),
            (("mount", "--bind", "/mnt/a", "/mnt/b"), "mount", "/mnt/b"),
            (("mount", "-o", "remount,ro,bind", "/mnt/b"), "mount", "/mnt/b"),
            (("umount", "/mnt/b"), "umount2", "/mnt/b"),
            (("umount", "/mnt/a"), "umount2", "/mnt/a"))
        for command, name, path in steps:
            with self.subTest(command=command):
                place = host.cursor()
                host.run(*command)
                record = host.expect_record(place, mechanism="mount", operation_syscall=name)
                self.assertFields(
                    record, verdict="allow", reason="capability", object_path=path, operation_result="0",
                    subject_uid="0")
        with self.subTest("the new calls"):
            place = host.cursor()
            pid, result, _ = self.perform("move-mount")
            self.assertEqual(result, 0)
            host.run("umount", MOUNTED)
            record = self.record(place, "mount", pid, operation_syscall="move_mount")
            self.assertFields(record, verdict="allow", operation_result="0")
            self.record(place, "mount", pid, operation_syscall="fsmount")


class Contain(Door):
    """enforce with on_unpreventable = "contain"."""

    @classmethod
    def setUpClass(cls):
        cls.arm(set(host.CALLS) - {"mount"})

    @staticmethod
    def arm(mechanisms, extra=""):
        host.configure(dict.fromkeys(mechanisms, "enforce"), RULES, host.BY_AUDIT + host.contained(*host.CALLS) + extra)

    def assertContained(self, mechanism, action, user, **fields):
        place = host.cursor()
        pid, result, status = self.perform(action, user, stays=2 * host.PATIENCE - 5)
        self.assertEqual(status, -signal.SIGKILL, f"{action}: result {result}, exit status {status}")
        record = self.record(place, mechanism, pid, verdict="deny")
        self.assertFields(record, effect="contained", mode="enforce", subject_uid=str(user or 0), **fields)
        self.assertNotIn("LILIUM_CONTAINMENT_FAILURE", record)
        return record

    def test_calls_that_succeeded_end_their_process(self):
        for mechanism, action in (
                ("ptrace", "seize"), ("ptrace", "write-memory"), ("mprotect", "make-code"), ("clone", "unshare-user"),
                ("clone", "clone3")):
            with self.subTest(action=action):
                self.assertContained(mechanism, action, USER, reason="default")
        with self.subTest(action="ioctl"):
            self.assertContained("ioctl", "ioctl", USER, reason="rule", rule="10-test.rules:1")

    def test_attempts_are_recorded_and_nobody_is_killed(self):
        for mechanism, action in (("module", "unload"), ("kexec", "load-kernel"), ("clone", "unshare-mount")):
            with self.subTest(action=action):
                place = host.cursor()
                pid, result, status = self.perform(action, USER, stays=2)
                self.assertEqual((result, status), (-1, 0))
                record = self.record(place, mechanism, pid)
                self.assertFields(record, verdict="deny", effect="logged", mode="enforce", operation_result="-1")

    def test_holders_go_on(self):
        for action in ("seize", "make-code", "unshare-mount", "unshare-user"):
            with self.subTest(action=action):
                self.assertEqual(self.perform(action, stays=1)[1:], (0, 0))


class ContainHolders(Contain):
    """The same for those who hold the capability, where the rules are asked about them, too."""

    test_calls_that_succeeded_end_their_process = None
    test_attempts_are_recorded_and_nobody_is_killed = None
    test_holders_go_on = None

    @classmethod
    def setUpClass(cls):
        # What is loaded already is loaded without a call. Before the rules would be asked.
        host.run("modprobe", "-r", "dummy", "veth")
        holders = "".join(f'{name} = "evaluate"\n' for name in ("module", "kexec", "mount", "ptrace"))
        cls.arm(("module", "kexec", "mount", "ptrace"), "[holders]\n" + holders)

    def mounted(self, path):
        return any(line.split()[4] == path for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines())

    def test_a_mount_is_undone_and_its_maker_killed(self):
        # Once more: ids and devices of mounts are used again.
        for action in ("mount", "mount", "move-mount"):
            with self.subTest(action=action):
                self.assertContained("mount", action, None, reason="default")
                host.wait_until("the mount to be undone", lambda: not self.mounted(MOUNTED))

    def test_a_mount_that_a_rule_allows_stays(self):
        os.makedirs("/mnt/allowed", exist_ok=True)
        host.run("mount", "-t", "tmpfs", "none", "/mnt/allowed")
        self.assertTrue(self.mounted("/mnt/allowed"))
        # umount(8) of an allowed place is allowed by the same rule.
        host.run("umount", "/mnt/allowed")

    def test_a_tracer_is_killed(self):
        self.assertContained("ptrace", "seize", None, reason="default", operation_request="PTRACE_SEIZE")

    def test_a_module_that_was_loaded_stays(self):
        host.run("modprobe", "veth")
        place = host.cursor()
        host.run("modprobe", "dummy", check=False)
        record = host.expect_record(place, mechanism="module", operation_module="dummy")
        self.assertFields(record, verdict="deny", reason="default", mode="enforce")
        # modprobe ends at once; either it was killed, or the record says why not.
        self.assertEqual(record["LILIUM_EFFECT"] == "contained", "LILIUM_CONTAINMENT_FAILURE" not in record)
        self.assertTrue(pathlib.Path("/sys/module/dummy").exists())
        self.assertEqual(host.records(place, mechanism="module", operation_module="veth"), [])

    def test_a_kernel_that_was_loaded_stays(self):
        place = host.cursor()
        host.run("kexec", "-s", "-l", f"/boot/vmlinuz-{os.uname().release}", "--reuse-cmdline", check=False)
        record = host.expect_record(place, mechanism="kexec", operation_syscall="kexec_file_load")
        self.assertFields(record, verdict="deny", reason="default", operation_result="0")
        self.assertEqual(record["LILIUM_EFFECT"] == "contained", "LILIUM_CONTAINMENT_FAILURE" not in record)


class Refusals(Door):
    def test_enforce_is_refused_where_nothing_can_be_prevented(self):
        host.configure({})
        for name in host.CALLS:
            with self.subTest(mechanism=name):
                host.CONFIGURATION.write_text(host.configuration({name: "enforce"}, host.BY_AUDIT))
                done = host.run("liliumctl", "reload", check=False)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(f"on_unpreventable.{name}", done.stdout)
                self.assertIn("contain", done.stdout)
                self.assertEqual(host.mechanism(name)["mode"], "off")

    def test_off_is_not_sensed(self):
        host.configure({})
        place = host.cursor()
        for action in ("seize", "unshare-user", "make-code"):
            self.assertEqual(self.perform(action, USER)[1:], (0, 0))
        host.configure({"ptrace": "audit"}, extra=host.BY_AUDIT)
        pid, _, _ = self.perform("seize", USER)
        self.record(place, "ptrace", pid)
        self.assertEqual(len(host.records(place, kind="decision")), 1)


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] in ACTIONS:
        act(*sys.argv[1:])
    else:
        unittest.main()
