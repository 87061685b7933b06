"""System calls at their doors by the BPF LSM: they fail before they do anything, as the policy says, and are recorded.

Run with the name of an action, this file makes the call. It must not take a call for denied that failed by itself: the
same call is made under `audit`, where it succeeds.
"""

import ctypes
import errno
import lzma
import mmap
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest

import host

CASE = {"image": "installed", "start": "snapshot", "kernels": "all", "timeout": 600}

USER = 1500
OTHER = 1501
MOUNTED = "/mnt/by-hook"
FIONREAD = 0x541B
ALLOWED_MODULE = "/root/allowed.ko"
RULES = f"""\
allow ptrace when subject.uid == {OTHER} && target.uid == {OTHER}
deny  ptrace when operation.request == "PTRACE_TRACEME" && subject.uid == 0
allow mprotect when subject.uid == {OTHER} && "PROT_WRITE" in operation.protection
allow clone when subject.uid == {OTHER} && "user" in operation.namespaces
allow mount when object.fstype == "ramfs"
allow module when object.path == "{ALLOWED_MODULE}"
deny  ioctl when operation.request_number == {FIONREAD}
"""
# Whoever would pass by a capability is asked like all others.
EVALUATE = "[holders]\n" + "\n".join(f'{name} = "evaluate"' for name in host.CALLS) + "\n"

# Numbers of x86-64.
PTRACE, UNSHARE, DELETE_MODULE, MOUNT, UMOUNT, KEXEC_LOAD = 101, 272, 176, 165, 166, 246
PROCESS_VM_READV, PROCESS_VM_WRITEV, KEXEC_FILE_LOAD, PIDFD_GETFD, PIDFD_OPEN = 310, 311, 320, 438, 434
OPEN_TREE, MOVE_MOUNT, FSOPEN, FSCONFIG, FSMOUNT, MOUNT_SETATTR, CLONE3 = 428, 429, 430, 431, 432, 442, 435
INIT_MODULE, FINIT_MODULE, PIVOT_ROOT = 175, 313, 155
NEWUSER, NEWNS = 0x10000000, 0x00020000
BIND, REMOUNT = 0x1000, 0x20

libc = ctypes.CDLL(None, use_errno=True)


def call(number, *arguments):
    """A system call's result, negative errno where it failed."""
    words = [value if isinstance(value, bytes) else ctypes.c_long(value) for value in arguments]
    result = libc.syscall(ctypes.c_long(number), *words)
    return -ctypes.get_errno() if result == -1 else result


class Sleeper:
    """A child that may be traced; gone at the end."""

    def __enter__(self):
        self.pid = os.fork()
        if self.pid == 0:
            time.sleep(60)
            os._exit(0)
        return self.pid

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


def trace(request):
    with Sleeper() as child:
        return call(PTRACE, request, child, 0, 0)


def trace_me():
    return call(PTRACE, 0, 0, 0, 0)


def move_memory(number):
    with Sleeper() as child:
        buffer = ctypes.create_string_buffer(8)
        vector = (ctypes.c_uint64 * 2)(ctypes.addressof(buffer), 8)
        return call(number, child, ctypes.addressof(vector), 1, ctypes.addressof(vector), 1, 0)


def take_descriptor():
    with Sleeper() as child:
        return call(PIDFD_GETFD, call(PIDFD_OPEN, child, 0), 1, 0)


def open_memory():
    with Sleeper() as child:
        try:
            return os.open(f"/proc/{child}/mem", os.O_RDWR)
        except OSError as error:
            return -error.errno


def map_code():
    try:
        mmap.mmap(-1, 4096, prot=7)
        return 0
    except OSError as error:
        return -error.errno


def make_code():
    memory = mmap.mmap(-1, 4096)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    return -ctypes.get_errno() if libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(4096), 5) else 0


def load_on_demand():
    """A socket of a family that only a module knows: EAFNOSUPPORT where none was loaded."""
    try:
        socket.socket(socket.AF_RDS if hasattr(socket, "AF_RDS") else 21, socket.SOCK_SEQPACKET)
        return 0
    except OSError as error:
        return -error.errno


def insert(path):
    with open(path, "rb") as file:
        return call(FINIT_MODULE, file.fileno(), b"", 0)


def insert_from_memory(path):
    image = pathlib.Path(path).read_bytes()
    buffer = ctypes.create_string_buffer(image, len(image))
    return call(INIT_MODULE, ctypes.addressof(buffer), len(image), b"")


def load_kernel():
    image = sorted(pathlib.Path("/boot").glob("vmlinuz-*"))
    with open(image[-1] if image else "/bin/true", "rb") as file:
        # KEXEC_FILE_NO_INITRAMFS
        return call(KEXEC_FILE_LOAD, file.fileno(), -1, 1, b"", 4)


def mount(flags=0, source=b"none", kind=b"tmpfs"):
    os.makedirs(MOUNTED, exist_ok=True)
    return call(MOUNT, source, MOUNTED.encode(), kind, flags, 0)


def mount_new_way():
    os.makedirs(MOUNTED, exist_ok=True)
    context = call(FSOPEN, b"tmpfs", 0)
    call(FSCONFIG, context, 6, 0, 0, 0)
    made = call(FSMOUNT, context, 0, 0)
    return made if made < 0 else call(MOVE_MOUNT, made, b"", -100, MOUNTED.encode(), 4)


def make_mount_descriptor():
    context = call(FSOPEN, b"tmpfs", 0)
    call(FSCONFIG, context, 6, 0, 0, 0)
    return call(FSMOUNT, context, 0, 0)


def set_attributes():
    attributes = (ctypes.c_uint64 * 4)(1, 0, 0, 0)
    return call(MOUNT_SETATTR, -100, b"/mnt", 0, ctypes.addressof(attributes), 32)


def clone_user_namespace():
    arguments = (ctypes.c_uint64 * 8)(NEWUSER, 0, 0, 0, signal.SIGCHLD, 0, 0, 0)
    child = call(CLONE3, ctypes.addressof(arguments), 64)
    if child == 0:
        libc._exit(0)
    return child


def mount_in_own_namespace():
    call(UNSHARE, NEWUSER | NEWNS)
    return call(MOUNT, b"none", b"/mnt", b"tmpfs", 0, 0)


def ask_pipe():
    reader, _ = os.pipe()
    answer = ctypes.c_int()
    return -ctypes.get_errno() if libc.ioctl(reader, ctypes.c_ulong(FIONREAD), ctypes.byref(answer)) else 0


ACTIONS = {
    "attach": lambda: trace(16), "seize": lambda: trace(0x4206), "traceme": trace_me,
    "read-memory": lambda: move_memory(PROCESS_VM_READV), "write-memory": lambda: move_memory(PROCESS_VM_WRITEV),
    "take-descriptor": take_descriptor, "open-memory": open_memory, "map-code": map_code, "make-code": make_code,
    "autoload": load_on_demand, "unload": lambda: call(DELETE_MODULE, b"lilium_no_such_module", 0o4000),
    "insert": lambda: insert(ALLOWED_MODULE + ".other"), "insert-allowed": lambda: insert(ALLOWED_MODULE),
    "insert-from-memory": lambda: insert_from_memory(ALLOWED_MODULE),
    "load-kernel": load_kernel, "load-kernel-by-memory": lambda: call(KEXEC_LOAD, 0, 0, 0, 0x3E0000),
    "mount": mount, "bind": lambda: mount(BIND, b"/etc"), "mount-new-way": mount_new_way,
    "mount-descriptor": make_mount_descriptor, "mount-allowed": lambda: mount(kind=b"ramfs"),
    "clone-tree": lambda: call(OPEN_TREE, -100, b"/etc", 1), "attributes": set_attributes,
    "remount": lambda: call(MOUNT, b"", b"/", b"", REMOUNT | 0x200000, 0),
    "umount": lambda: call(UMOUNT, MOUNTED.encode(), 2), "pivot": lambda: call(PIVOT_ROOT, b"/", b"/"),
    "unshare-user": lambda: call(UNSHARE, NEWUSER), "clone3-user": clone_user_namespace,
    "unshare-mount": lambda: call(UNSHARE, NEWNS), "mount-in-namespace": mount_in_own_namespace, "ioctl": ask_pipe}

# What a user may do by the kernel alone, by mechanism; the kernel refuses him the rest before any hook is asked.
BY_USER = {
    "ptrace": ("attach", "seize", "traceme", "read-memory", "write-memory", "take-descriptor", "open-memory"),
    "mprotect": ("map-code", "make-code"), "clone": ("unshare-user", "clone3-user"), "ioctl": ("ioctl",)}
# What takes a capability: root does it, with `holders = "evaluate"`.
BY_ROOT = {
    "module": ("insert", "insert-from-memory", "unload"), "kexec": ("load-kernel",),
    "mount": (
        "mount", "bind", "mount-new-way", "mount-descriptor", "clone-tree", "attributes", "remount", "pivot"),
    "clone": ("unshare-mount",)}
DENIED = (-errno.EPERM, -errno.EACCES)


def act(action):
    pathlib.Path("/proc/self/comm").write_text("actor")
    print(ACTIONS[action](), flush=True)


def perform(action, user=None, without=None):
    """A process makes the call; its number and the call's result. `without` is a capability that it has not."""
    command = [sys.executable, "-B", __file__, action]
    if without:
        command = ["setpriv", f"--bounding-set=-{without}", f"--inh-caps=-{without}", *command]
    credentials = {"user": user, "group": user, "extra_groups": []} if user else {}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **credentials)
    text, _ = process.communicate(timeout=2 * host.PATIENCE)
    return process.pid, int(text)


def find_module():
    """The image of a module that is not loaded and needs no other, unpacked."""
    words = host.run("modprobe", "-D", "dummy").stdout.split()
    path = pathlib.Path(next(word for word in words if word.startswith("/")))
    return lzma.decompress(path.read_bytes()) if path.suffix == ".xz" else path.read_bytes()


@unittest.skipUnless(host.has_lsm(), "this kernel's BPF LSM cannot deny: Refused is the case for it")
class Prevent(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        image = find_module()
        for path in (ALLOWED_MODULE, ALLOWED_MODULE + ".other"):
            pathlib.Path(path).write_bytes(image)

    @classmethod
    def tearDownClass(cls):
        host.configure({})

    def tearDown(self):
        host.run("umount", "-l", MOUNTED, check=False)
        host.run("rmmod", "dummy", check=False)

    def arm(self, mode, extra=""):
        host.configure(dict.fromkeys(host.CALLS, mode), RULES, extra)
        for name in host.CALLS:
            shown = host.mechanism(name)
            effect = "prevent" if mode == "enforce" else "log"
            self.assertEqual((shown["mode"], shown["effect"], shown["sensed_by"]), (mode, effect, "bpf"))

    def expect(self, place, mechanism, pid, effect, **fields):
        record = host.expect_record(
            place, mechanism=mechanism, verdict="deny", subject_pid=str(pid), effect=effect, **fields)
        self.assertEqual(record["LILIUM_SUBJECT_COMM"], "actor")
        self.assertEqual(record["LILIUM_SUBJECT_IDENTITY"], "certain")
        return record

    def test_1_dry_run(self):
        """Nothing is denied and all is told: so a denial below is Lilium's."""
        self.arm("audit")
        for mechanism, actions in BY_USER.items():
            for action in actions:
                with self.subTest(action=action):
                    place = host.cursor()
                    pid, result = perform(action, USER)
                    self.assertGreaterEqual(result, 0)
                    self.expect(place, mechanism, pid, "logged", mode="audit")

    def test_2_users(self):
        self.arm("enforce")
        for mechanism, actions in BY_USER.items():
            for action in actions:
                with self.subTest(action=action):
                    place = host.cursor()
                    pid, result = perform(action, USER)
                    self.assertIn(result, DENIED)
                    reason = "rule" if mechanism == "ioctl" else "default"
                    record = self.expect(place, mechanism, pid, "prevented", mode="enforce", reason=reason)
                    self.assertEqual(record["LILIUM_SUBJECT_UID"], str(USER))

    def test_3_rules_that_allow(self):
        self.arm("enforce")
        for action in ("seize", "write-memory", "map-code", "unshare-user"):
            with self.subTest(action=action):
                self.assertGreaterEqual(perform(action, OTHER)[1], 0)
        with self.subTest("the same rule does not cover what it does not name"):
            self.assertIn(perform("make-code", OTHER)[1], DENIED)

    def test_4_capability(self):
        self.arm("enforce")
        for action in ("seize", "map-code", "mount", "umount", "unshare-mount", "unshare-user", "mount-new-way"):
            with self.subTest(holder=action):
                self.assertGreaterEqual(perform(action)[1], 0)
        for mechanism, action, capability in (
                ("ptrace", "seize", "sys_ptrace"), ("mprotect", "map-code", "sys_admin"),
                ("clone", "unshare-user", "sys_admin")):
            with self.subTest(without=capability):
                place = host.cursor()
                pid, result = perform(action, without=capability)
                self.assertIn(result, DENIED)
                record = self.expect(place, mechanism, pid, "prevented")
                self.assertEqual(record["LILIUM_SUBJECT_UID"], "0")

    def test_4_user_namespace_that_is_entered(self):
        """No matter that it is the user's own: entering it gives powers as making it does."""
        host.configure({})
        with subprocess.Popen(["unshare", "-U", "sleep", "60"], user=USER, group=USER, extra_groups=[]) as home:
            self.addCleanup(home.kill)
            namespace = pathlib.Path(f"/proc/{home.pid}/ns/user")
            host.wait_until("a namespace", lambda: namespace.readlink() != pathlib.Path("/proc/self/ns/user").readlink())
            enter = ("nsenter", "-U", "--preserve-credentials", "-t", str(home.pid), "true")
            host.run(*enter, user=USER)
            host.configure({"clone": "enforce"}, RULES)
            place = host.cursor()
            failed = host.run(*enter, user=USER, check=False)
            self.assertNotEqual(failed.returncode, 0)
            self.assertIn("not permitted", failed.stdout)
            record = host.expect_record(place, mechanism="clone", verdict="deny", subject_comm="nsenter")
            self.assertEqual(record["LILIUM_EFFECT"], "prevented")
            host.run(*enter)
            home.kill()

    def test_5_capability_in_a_namespace_opens_nothing(self):
        host.configure({"mount": "enforce"}, RULES)
        place = host.cursor()
        pid, result = perform("mount-in-namespace", USER)
        self.assertIn(result, DENIED)
        record = self.expect(place, "mount", pid, "prevented")
        self.assertEqual(record["LILIUM_SUBJECT_USERNS_INITIAL"], "false")
        self.assertIn("CAP_SYS_ADMIN", record["LILIUM_SUBJECT_CAPABILITIES"])

    def test_6_holders_are_evaluated(self):
        self.arm("enforce", EVALUATE)
        before = pathlib.Path("/proc/self/mountinfo").read_text()
        for mechanism, actions in BY_ROOT.items():
            for action in actions:
                with self.subTest(action=action):
                    place = host.cursor()
                    pid, result = perform(action)
                    self.assertIn(result, DENIED)
                    self.expect(place, mechanism, pid, "prevented")
        self.assertEqual(pathlib.Path("/proc/self/mountinfo").read_text(), before)
        self.assertNotIn("dummy", pathlib.Path("/proc/modules").read_text())
        for action in ("mount-allowed", "insert-allowed"):
            with self.subTest(allowed=action):
                self.assertGreaterEqual(perform(action)[1], 0)

    def test_7_off_attaches_nothing(self):
        host.configure({"ptrace": "enforce"}, RULES)
        attached = set(host.run("bpftool", "prog", check=False).stdout.split()) if shutil.which("bpftool") else set()
        self.assertNotIn("mmap_file", attached)
        self.assertGreaterEqual(perform("map-code", USER)[1], 0)
        self.assertIn(perform("seize", USER)[1], DENIED)
        host.configure({})
        self.assertGreaterEqual(perform("seize", USER)[1], 0)

    def expect_refusal(self, mechanism, *command, user=None):
        with self.subTest(command=command):
            place = host.cursor()
            self.assertNotEqual(host.run(*command, user=user, check=False).returncode, 0)
            host.expect_record(
                place, mechanism=mechanism, verdict="deny", effect="prevented", subject_uid=str(user or 0))

    def test_8_tools_of_a_user(self):
        self.arm("enforce")
        self.expect_refusal("ptrace", "strace", "-o", "/dev/null", "true", user=USER)
        with host.process("setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "sleep", "600") as target:
            host.wait_until("the target", lambda: pathlib.Path(f"/proc/{target.pid}/comm").read_text() == "sleep\n")
            self.expect_refusal("ptrace", "strace", "-o", "/dev/null", "-p", str(target.pid), user=USER)
        self.expect_refusal("clone", "unshare", "-Ur", "true", user=USER)
        self.expect_refusal("clone", "unshare", "-Urm", "true", user=USER)

    def test_8_tools_of_root(self):
        """As nobody passes by a capability: what an intruder with all of them would do."""
        os.makedirs(MOUNTED, exist_ok=True)
        host.run("mount", "-t", "tmpfs", "none", MOUNTED)
        self.arm("enforce", EVALUATE)
        kernel = f"/boot/vmlinuz-{os.uname().release}"
        for mechanism, command in (
                ("mount", ("mount", "-t", "tmpfs", "none", "/mnt")), ("mount", ("mount", "--bind", "/etc", "/mnt")),
                ("mount", ("mount", "-o", "remount,ro", MOUNTED)), ("mount", ("umount", MOUNTED)),
                ("module", ("modprobe", "dummy")), ("clone", ("unshare", "-m", "true")),
                ("kexec", ("kexec", "-s", "-l", kernel, "--reuse-cmdline")),
                ("kexec", ("kexec", "-c", "-l", kernel, "--reuse-cmdline"))):
            self.expect_refusal(mechanism, *command)
        self.assertTrue(os.path.ismount(MOUNTED))
        self.assertEqual(pathlib.Path("/sys/kernel/kexec_loaded").read_text().strip(), "0")

    def test_9_reload_under_load(self):
        """A policy is swapped whole: no call slips through between two of them."""
        self.arm("enforce")
        load = subprocess.Popen(
            [sys.executable, "-B", __file__, "--slip"], stdout=subprocess.PIPE, text=True, user=USER, group=USER,
            extra_groups=[])
        try:
            for _ in range(10):
                host.run("liliumctl", "reload")
        finally:
            load.send_signal(signal.SIGTERM)
            denied, granted = map(int, load.communicate(timeout=host.PATIENCE)[0].split())
        self.assertGreater(denied, 0)
        self.assertEqual(granted, 0)
        self.assertEqual(host.losses().get("bpf-without-policy", 0), 0)

    def test_scope(self):
        group = pathlib.Path("/sys/fs/cgroup/scoped")
        group.mkdir(exist_ok=True)
        host.configure({"mprotect": "enforce"}, extra='[scope]\ncgroups = ["/scoped"]\n')
        self.assertEqual(perform("map-code", USER)[1], 0)
        inside = f"echo $$ >{group}/cgroup.procs && exec setpriv --reuid={USER} {sys.executable} -B {__file__} map-code"
        self.assertIn(int(host.run("sh", "-c", inside).stdout), DENIED)

    def test_a_rule_that_cannot_be_asked(self):
        rules = 'allow ptrace when subject.unit == "debugger.service"\n'
        host.CONFIGURATION.write_text(host.configuration({"ptrace": "enforce"}))
        host.SITE_RULES.write_text(rules)
        refused = host.run("liliumctl", "reload", check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("10-test.rules:1", refused.stdout)
        self.assertIn('on_unpreventable.ptrace = "contain"', refused.stdout)
        host.configure({"ptrace": "enforce"}, rules, host.contained("ptrace"))
        shown = host.mechanism("ptrace")
        self.assertEqual((shown["effect"], shown["sensed_by"]), ("contain", "audit"))

    def test_killed(self):
        """Without a lock, the doors close with the daemon, and the next one opens them again."""
        self.arm("enforce")
        killed = host.daemon_pid()
        host.signal_daemon(signal.SIGKILL)
        host.wait_until("another daemon", lambda: host.daemon_pid() not in (0, killed) and host.is_running())
        self.assertEqual(host.mechanism("mprotect")["effect"], "prevent")
        self.assertIn(perform("map-code", USER)[1], DENIED)


@unittest.skipIf(host.has_lsm(), "this kernel's BPF LSM can deny")
class Refused(unittest.TestCase):
    def test_enforce_is_refused_and_says_why(self):
        host.CONFIGURATION.write_text(host.configuration({"ptrace": "enforce"}))
        host.SITE_RULES.write_text("")
        refused = host.run("liliumctl", "reload", check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("bpf is not among the active LSMs", refused.stdout)
        host.configure({"ptrace": "enforce"}, extra=host.contained("ptrace"))
        self.assertEqual(host.mechanism("ptrace")["effect"], "contain")
        host.configure({})


def slip():
    """Asks for code without end, and says at the end how often it was denied and granted."""
    counts = [0, 0]

    def report(*_):
        print(*counts, flush=True)
        os._exit(0)

    signal.signal(signal.SIGTERM, report)
    while True:
        counts[map_code() == 0] += 1


if __name__ == "__main__":
    if sys.argv[1] == "--slip":
        slip()
    else:
        act(sys.argv[1])
