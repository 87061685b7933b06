"""liliumctl doctor tells the truth about this kernel and this host: each of its facts is tried in another way.

It must not ask Lilium twice and call that a comparison.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import pathlib
import select
import struct
import tempfile
import unittest

import host

CASE = {"image": "installed", "start": "snapshot", "kernels": "all", "timeout": 400}

USER = 1500
FANOTIFY_INIT, FANOTIFY_MARK = 300, 301
CONTENT, UNLIMITED_QUEUE, UNLIMITED_MARKS, ENABLE_AUDIT, PIDFD, FID, FD_ERROR = 4, 0x10, 0x20, 0x40, 0x80, 0x200, 0x2000
OPEN_PERM, OPEN_EXEC_PERM, ON_CHILD = 0x10000, 0x40000, 0x08000000
MARK_ADD, EVICTABLE, IGNORE = 1, 0x200, 0x400
MEASURE_VERITY = 0xC0046686
ENODATA = 61
EVENT = struct.Struct("=IBBHQii")

libc = ctypes.CDLL(None, use_errno=True)


def group(flags):
    """A fanotify group; nothing where the kernel refuses it."""
    number = libc.syscall(ctypes.c_long(FANOTIFY_INIT), ctypes.c_long(flags), ctypes.c_long(os.O_CLOEXEC))
    return None if number < 0 else number


def mark(number, flags, mask, path):
    return libc.syscall(
        ctypes.c_long(FANOTIFY_MARK), ctypes.c_long(number), ctypes.c_long(MARK_ADD | flags), ctypes.c_uint64(mask),
        ctypes.c_long(-100), os.fsencode(path)) == 0


def accepts(flags):
    number = group(flags)
    if number is not None:
        os.close(number)
    return number is not None


@contextlib.contextmanager
def marked_file(mask, flags=0, init=CONTENT):
    """A group and a file of its own that carries a permission mark; the group is None where that is refused."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        file = pathlib.Path(folder, "file")
        # Nobody may hold it open for writing: an ignore mark would have no effect.
        file.write_text("words")
        number = group(init)
        works = number is not None and mark(number, flags, mask, folder if mask & ON_CHILD else file)
        try:
            yield (number if works else None), str(file)
        finally:
            if number is not None:
                os.close(number)


def event(number, path, seconds=3):
    """The event that another process's opening of a file raises, answered with yes; None where there is none."""
    child = os.fork()
    if child == 0:
        os._exit(0 if os.open(path, os.O_RDONLY) >= 0 else 1)
    try:
        if not select.select([number], [], [], seconds)[0]:
            return None
        content = os.read(number, 4096)
        file = EVENT.unpack_from(content)[5]
        os.write(number, struct.pack("=iI", file, 1))
        os.close(file)
        return content
    finally:
        os.waitpid(child, 0)


def remembers():
    """Whether an evictable ignore mark silences the question that a mark on the folder asks."""
    with marked_file(OPEN_PERM | ON_CHILD) as (number, path):
        ignores = number is not None and mark(number, IGNORE | EVICTABLE, OPEN_PERM, path)
        return ignores and event(number, path, 1) is None


def tells_pidfd():
    """Whether an event brings a descriptor of the process: information of type 4 behind it."""
    with marked_file(OPEN_PERM, init=CONTENT | PIDFD) as (number, path):
        content = event(number, path) if number is not None else None
        if not content or len(content) < EVENT.size + 8:
            return False
        kind, _, length, descriptor = struct.unpack_from("=BBHi", content, EVENT.size)
        os.close(descriptor)
        return kind == 4 and length == 8


def tells_opens():
    with marked_file(OPEN_PERM) as (number, path):
        return number is not None and event(number, path) is not None


def accepts_exec_mark():
    with marked_file(OPEN_EXEC_PERM) as (number, _):
        return number is not None


def leases(path):
    with open(path, "rb") as file:
        try:
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
            return True
        except OSError as error:
            return error.errno == 11


def knows_verity(path):
    file = os.open(path, os.O_RDONLY)
    buffer = ctypes.create_string_buffer(struct.pack("=HH", 0, 64), 68)
    failed = libc.ioctl(file, ctypes.c_ulong(MEASURE_VERITY), buffer) != 0
    error = ctypes.get_errno()
    os.close(file)
    return not failed or error == ENODATA


class Doctor(unittest.TestCase):
    @classmethod
    def tearDownClass(cls):
        host.configure({})

    def report(self, *prefix, user=None, options=()):
        """The checks by name, and the exit status."""
        done = host.run(*prefix, "liliumctl", "doctor", "--json", *options, check=False, user=user)
        report = json.loads(done.stdout)
        self.assertEqual(report["schema"], 1)
        # Several lines may have one name.
        checks = {}
        for check in report["checks"]:
            checks.setdefault(check["name"], check)
        needed = any(check["needed"] and check["state"] == "missing" for check in report["checks"])
        self.assertEqual(done.returncode, 1 if needed else 0, done.stdout)
        return checks

    def assertState(self, checks, start, state, detail=""):
        found = next((check for name, check in checks.items() if name.startswith(start)), None)
        self.assertIsNotNone(found, f"{start}: {list(checks)}")
        self.assertEqual(found["state"], state, found)
        self.assertIn(detail, found["detail"])

    def test_fanotify(self):
        host.configure({})
        checks = self.report()
        facts = {
            "permission events": accepts(CONTENT),
            "unlimited queue": accepts(CONTENT | UNLIMITED_QUEUE),
            "unlimited marks": accepts(CONTENT | UNLIMITED_MARKS),
            "process descriptors": tells_pidfd(),
            "answers in the audit trail": accepts(CONTENT | ENABLE_AUDIT),
            "error numbers in events": accepts(CONTENT | FD_ERROR | PIDFD),
            "open events": tells_opens(),
            "exec events": accepts_exec_mark(),
            "evictable ignore marks": remembers(),
            "file handles in events": accepts(FID),
            "allows that the kernel remembers": remembers(),
        }
        for name, is_there in facts.items():
            with self.subTest(fact=name):
                self.assertState(checks, name, "available" if is_there else "missing")

    def test_the_host(self):
        checks = self.report()
        self.assertState(checks, "kernel", "information", os.uname().release)
        self.assertState(checks, "root with CAP_SYS_ADMIN", "available")
        self.assertState(checks, "systemd is pid 1", "available")
        self.assertEqual(pathlib.Path("/proc/1/comm").read_text(), "systemd\n")
        unified = host.run("stat", "-f", "-c", "%T", "/sys/fs/cgroup").stdout.strip() == "cgroup2fs"
        self.assertState(checks, "control groups", "available", "cgroup2" if unified else "version 1")
        self.assertState(checks, "read leases", "available" if leases("/bin/sh") else "missing")
        self.assertState(checks, "fs-verity on /", "available" if knows_verity("/") else "information")
        self.assertState(checks, "trust database", "available", f"generation {host.status()['trust']['generation']}")

    def test_what_is_taken_away_is_missed(self):
        with self.subTest("privileges"):
            self.assertState(self.report(user=USER), "root with", "missing", "sudo")
            dropped = self.report("setpriv", "--bounding-set=-lease", "--inh-caps=-lease")
            self.assertState(dropped, "root with", "missing", "CAP_LEASE")
        with self.subTest("namespaces"):
            self.assertState(self.report("unshare", "-n"), "initial namespaces", "missing", "net")
        with self.subTest("the trust database"):
            self.assertState(self.report(options=("--state", "/nonexistent")), "trust database", "missing")
        for path in ("/etc/dpkg/dpkg.cfg.d/lilium", "/etc/apt/apt.conf.d/20lilium"):
            with self.subTest(hook=path):
                hook = pathlib.Path(path)
                self.assertState(self.report(), f"hook {path}", "available")
                text = hook.read_text()
                hook.unlink()
                try:
                    self.assertState(self.report(), f"hook {path}", "missing", "not there")
                finally:
                    hook.write_text(text)
        with self.subTest("leases"):
            switch = pathlib.Path("/proc/sys/fs/leases-enable")
            switch.write_text("0")
            try:
                self.assertFalse(leases("/bin/sh"))
                self.assertState(self.report(), "read leases", "missing")
            finally:
                switch.write_text("1")
        with self.subTest("/proc of others"):
            host.run("mount", "-o", "remount,hidepid=2", "/proc")
            try:
                self.assertState(self.report(), "/proc without hidepid", "missing")
            finally:
                host.run("mount", "-o", "remount,hidepid=0", "/proc")

    def test_audit(self):
        host.configure({})
        shown = dict(line.split(maxsplit=1) for line in host.run("auditctl", "-s").stdout.splitlines() if " " in line)
        checks = self.report()
        self.assertState(checks, "audit", "available", "off" if shown["enabled"] == "0" else "on")
        self.assertState(checks, "audit queue", "information", f"limit {shown['backlog_limit']}")
        self.assertState(checks, "audit queue", "information", f"{shown['lost']} records lost")
        host.run("auditctl", "-r", "1000")
        try:
            self.assertState(self.report(), "audit rate limit", "missing", "1000")
        finally:
            host.run("auditctl", "-r", "0")
        self.assertNotIn("audit rate limit", self.report())

    def test_each_door(self):
        host.configure({})
        checks = self.report()
        for name in host.MECHANISMS:
            effect = "prevent" if name in ("exec", "open") or host.has_lsm() else "log, after the call"
            self.assertState(checks, f"mechanism {name}", "available", effect)
        self.assertState(checks, "tripwire", "information", "not tried")
        rules = 'deny ioctl when operation.request == "TIOCSTI"\n'
        host.configure(dict.fromkeys(host.CALLS, "audit"), rules, host.BY_AUDIT + host.contained(*host.CALLS))
        checks = self.report()
        for name in host.CALLS:
            with self.subTest(mechanism=name):
                self.assertState(checks, f"mechanism {name}", "available", "contain, after the call")
        self.assertState(checks, "audit rules", "available")
        self.assertState(checks, "audit", "available", "on")
        # doctor waits for two seconds, and a slow machine may take longer for all of them at once.
        for name in host.CALLS:
            with self.subTest(tripwire=name):
                host.configure({name: "audit"}, rules, host.BY_AUDIT)
                host.wait_until("its call", lambda: "arrived" in self.report()[f"tripwire {name}"]["detail"])
        host.configure({})

    def test_text_and_json_agree(self):
        signs = {"available": "[+]", "missing": "[-]", "information": "[ ]"}
        text = host.run("liliumctl", "doctor", check=False).stdout
        for name, check in self.report().items():
            self.assertIn(f"{signs[check['state']]} {name}", text)


if __name__ == "__main__":
    unittest.main()
