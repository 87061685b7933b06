"""liliumd itself is protected while a mechanism enforces: its processes, its files, its maps in the kernel.

Run with the name of an attempt and its arguments, this file makes it and prints the result of the call.
"""

import ctypes
import errno
import os
import pathlib
import signal
import subprocess
import sys
import unittest

import host

CASE = {"image": "installed", "start": "snapshot", "kernels": "all", "timeout": 600}

STATE = pathlib.Path("/var/lib/lilium")
RUN = pathlib.Path("/run/lilium")
# Numbers of x86-64.
PTRACE, KILL, TGKILL, BPF, PIDFD_OPEN, PIDFD_GETFD, PIDFD_SEND_SIGNAL = 101, 62, 234, 321, 434, 438, 424
PROCESS_VM_READV, PRLIMIT, SCHED_SETSCHEDULER, SETPRIORITY, IOPRIO_SET, MIGRATE_PAGES = 310, 302, 144, 141, 251, 256
MAP_GET_NEXT_ID, MAP_GET_FD_BY_ID, OBJ_GET_INFO_BY_FD = 12, 14, 15
SEIZE = 0x4206
DENIED = (-errno.EPERM, -errno.EACCES)

libc = ctypes.CDLL(None, use_errno=True)


def call(number, *arguments):
    """A system call's result, negative errno where it failed."""
    words = [value if isinstance(value, bytes) else ctypes.c_long(value) for value in arguments]
    result = libc.syscall(ctypes.c_long(number), *words)
    return -ctypes.get_errno() if result == -1 else result


def of(body, *arguments, **options):
    """The same of a function that raises OSError."""
    try:
        body(*arguments, **options)
        return 0
    except OSError as error:
        return -error.errno


def read_memory(pid):
    buffer = ctypes.create_string_buffer(8)
    local = (ctypes.c_uint64 * 2)(ctypes.addressof(buffer), 8)
    return call(PROCESS_VM_READV, pid, ctypes.addressof(local), 1, ctypes.addressof(local), 1, 0)


def set_limit(pid):
    limit = (ctypes.c_uint64 * 2)(1, 1)
    return call(PRLIMIT, pid, 7, ctypes.addressof(limit), 0)


def set_scheduler(pid):
    priority = ctypes.c_int(0)
    return call(SCHED_SETSCHEDULER, pid, 5, ctypes.addressof(priority))  # SCHED_IDLE


def map_ids():
    """Every map of the kernel's, by number."""
    last = 0
    while True:
        attributes = (ctypes.c_uint32 * 16)(last)
        if call(BPF, MAP_GET_NEXT_ID, ctypes.addressof(attributes), 64) < 0:
            return
        last = attributes[1]
        yield last


def take_map(number):
    attributes = (ctypes.c_uint32 * 16)(number)
    return call(BPF, MAP_GET_FD_BY_ID, ctypes.addressof(attributes), 64)


# What anybody with the rights for it may try with a process.
WITH_PROCESS = {
    "kill": lambda pid: call(KILL, pid, signal.SIGKILL),
    "stop": lambda pid: call(KILL, pid, signal.SIGSTOP),
    "tgkill": lambda pid: call(TGKILL, pid, pid, signal.SIGTERM),
    "pidfd-kill": lambda pid: call(PIDFD_SEND_SIGNAL, call(PIDFD_OPEN, pid, 0), signal.SIGKILL, 0, 0),
    "trace": lambda pid: call(PTRACE, SEIZE, pid, 0, 0),
    "read-memory": read_memory,
    "open-memory": lambda pid: of(os.open, f"/proc/{pid}/mem", os.O_RDWR),
    "take-descriptor": lambda pid: call(PIDFD_GETFD, call(PIDFD_OPEN, pid, 0), 0, 0),
    "limit": set_limit,
    "scheduler": set_scheduler,
    "nice": lambda pid: call(SETPRIORITY, 0, pid, 19),
    "ioprio": lambda pid: call(IOPRIO_SET, 1, pid, 3 << 13),
}
KINDS = {"kill": "signal", "stop": "signal", "tgkill": "signal", "pidfd-kill": "signal", "limit": "limits",
         "scheduler": "limits", "nice": "limits", "ioprio": "limits"}
WITH_FILES = {
    "create": lambda: of(os.open, STATE / "new", os.O_CREAT | os.O_WRONLY),
    "write": lambda: of(os.open, STATE / "trust" / "current", os.O_WRONLY),
    "truncate": lambda: of(os.truncate, STATE / "trust" / "current", 0),
    "unlink": lambda: of(os.unlink, RUN / "control.sock"),
    "rename": lambda: of(os.rename, STATE / "trust", STATE / "other"),
    "rename-over": lambda: of(os.rename, "/root/planted", STATE / "trust" / "current"),
    "rename-folder": lambda: of(os.rename, STATE, "/var/lib/elsewhere"),
    "link-out": lambda: of(os.link, STATE / "trust" / "current", "/var/lib/way-in", follow_symlinks=False),
    "mkdir": lambda: of(os.mkdir, STATE / "folder"),
    "symlink": lambda: of(os.symlink, "/etc", STATE / "link"),
    "chmod": lambda: of(os.chmod, STATE, 0o777),
    "chown": lambda: of(os.chown, STATE, 1500, 1500),
    "mount-over": lambda: libc.mount(b"none", bytes(STATE), b"tmpfs", 0, None) and -ctypes.get_errno(),
}


def attempt(*arguments, user=None):
    """A process makes the attempt; its number and the result."""
    credentials = {"user": user, "group": user, "extra_groups": []} if user else {}
    process = subprocess.Popen(
        [sys.executable, "-B", __file__, *map(str, arguments)], stdout=subprocess.PIPE, text=True, **credentials)
    text, _ = process.communicate(timeout=2 * host.PATIENCE)
    return process.pid, int(text)


def guard_pid(daemon):
    """The process that ends a liliumd that stands still: its one child."""
    children = pathlib.Path(f"/proc/{daemon}/task/{daemon}/children").read_text().split()
    return int(children[0])


def arm(mode="enforce"):
    host.configure({"exec": mode})
    return host.status().get("self_protection")


@unittest.skipUnless(host.has_lsm(), "this kernel's BPF LSM cannot deny: Unprotected is the case for it")
class Protected(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        pathlib.Path("/root/planted").write_text("x")

    @classmethod
    def tearDownClass(cls):
        host.configure({})

    def setUp(self):
        self.protection = arm()

    def expect_denial(self, place, pid, what):
        record = host.expect_record(place, kind="tampering-denied", subject_pid=str(pid), what=what)
        self.assertEqual(record["PRIORITY"], "4")
        return record

    def test_status_says_so(self):
        self.assertEqual(self.protection, {"on": True, "missing_hooks": []})
        self.assertIn("\nitself   protected\n", host.run("liliumctl", "status").stdout)

    def test_processes(self):
        """Root reaches for the daemon and for its guard, in every way."""
        daemon = host.daemon_pid()
        for process in (daemon, guard_pid(daemon)):
            for name in WITH_PROCESS:
                with self.subTest(attempt=name, guard=process != daemon):
                    place = host.cursor()
                    pid, result = attempt(name, process)
                    self.assertIn(result, DENIED)
                    self.expect_denial(place, pid, KINDS.get(name, "trace"))
        self.assertEqual(host.daemon_pid(), daemon)

    def test_every_signal(self):
        daemon = host.daemon_pid()
        for number in sorted(signal.valid_signals()):
            with self.subTest(signal=number):
                wanted = 0 if number in (signal.SIGHUP, signal.SIGCONT) else -errno.EPERM
                self.assertEqual(call(KILL, daemon, number), wanted)
        self.assertEqual(call(KILL, daemon, 0), 0)
        self.assertEqual(host.daemon_pid(), daemon)
        host.wait_until("an answer", lambda: host.run("liliumctl", "status", check=False).returncode == 0)

    def test_files(self):
        for name in WITH_FILES:
            with self.subTest(attempt=name):
                place = host.cursor()
                pid, result = attempt(name)
                self.assertIn(result, DENIED)
                self.expect_denial(place, pid, "mount" if name == "mount-over" else "state")
        self.assertTrue((STATE / "trust").is_dir() and (RUN / "control.sock").is_socket())

    def test_lilium_itself_may(self):
        """The trust database is kept by liliumctl, which asks the daemon first."""
        before = host.status()["trust"]["generation"]
        host.run("liliumctl", "trust", "add", "/usr/bin/id")
        host.run("liliumctl", "trust", "remove", "/usr/bin/id")
        self.assertGreater(host.status()["trust"]["generation"], before)

    def test_maps(self):
        """The policy in the kernel is changed by nobody else."""
        host.configure({"exec": "enforce", "ptrace": "enforce"})
        place = host.cursor()
        answers = [take_map(number) for number in map_ids()]
        self.assertGreaterEqual(answers.count(-errno.EPERM), 6)
        self.expect_denial(place, os.getpid(), "map")

    def test_control_group(self):
        group = pathlib.Path("/sys/fs/cgroup/system.slice/liliumd.service")
        for name in ("cgroup.kill", "cgroup.freeze", "memory.max"):
            if (group / name).exists():
                with self.subTest(file=name):
                    self.assertIn(of(os.open, group / name, os.O_WRONLY), DENIED)

    def test_the_service_manager_may(self):
        daemon = host.daemon_pid()
        host.run("systemctl", "reload", "liliumd")
        host.run("systemctl", "stop", "liliumd")
        self.assertFalse(host.is_running())
        host.run("systemctl", "start", "liliumd")
        self.assertNotIn(host.daemon_pid(), (0, daemon))

    def test_a_takeover_is_protected(self):
        before = host.daemon_pid()
        host.run("liliumctl", "takeover")
        after = host.daemon_pid()
        self.assertNotIn(after, (0, before))
        host.wait_until("the old one's end", lambda: not pathlib.Path(f"/proc/{before}").exists())
        self.assertIn(attempt("kill", after)[1], DENIED)
        self.assertIn(attempt("create")[1], DENIED)
        self.test_lilium_itself_may()

    def test_without_enforcement_nothing_is_denied(self):
        self.assertIsNone(arm("audit"))
        self.assertEqual(attempt("limit-look", host.daemon_pid())[1], 0)
        self.assertEqual(attempt("create")[1], 0)
        (STATE / "new").unlink()

    def test_a_user_is_refused_by_the_kernel(self):
        """What the kernel refuses anyway is no attempt that is told of."""
        place = host.cursor()
        pid, result = attempt("kill", host.daemon_pid(), user=1500)
        self.assertEqual(result, -errno.EPERM)
        host.run("liliumctl", "status")
        self.assertEqual(host.records(place, kind="tampering-denied", subject_pid=str(pid)), [])


@unittest.skipIf(host.has_lsm(), "this kernel's BPF LSM can deny")
class Unprotected(unittest.TestCase):
    def test_status_says_why(self):
        protection = arm()
        self.assertFalse(protection["on"])
        self.assertIn("bpf is not among the active LSMs", protection["problem"])
        self.assertIn("\nitself   not protected: bpf is not", host.run("liliumctl", "status").stdout)
        host.configure({})


def main(name, *arguments):
    if name == "limit-look":
        return call(PRLIMIT, int(arguments[0]), 7, 0, 0)
    return WITH_FILES[name]() if name in WITH_FILES else WITH_PROCESS[name](*map(int, arguments))


if __name__ == "__main__":
    print(main(*sys.argv[1:]), flush=True)
