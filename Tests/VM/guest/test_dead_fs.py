"""A FUSE server that reads no request, an NFS server that is gone: the rest of the host goes on.

It must not touch such a file system from this process: whoever does may never come back.
"""

import contextlib
import ctypes
import functools
import os
import pathlib
import subprocess
import sys
import time
import unittest

import faults
import host

CASE = {"kernels": "default", "timeout": 900}

DEAD = pathlib.Path("/mnt/dead")
NOBODY = 65534
# Linux, include/uapi/linux/mount.h and sched.h
MS_NOSUID, MS_NODEV = 2, 4
CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
MNT_FORCE_DETACH = 1 | 2
# A thread that waits for a file there is given up after the daemon's own deadline.
enforce = functools.partial(faults.enforce, extra=faults.PROMPT)


def library():
    return ctypes.CDLL(None, use_errno=True)


def mount_fuse(where, options=""):
    """Mounts a FUSE file system that this process serves: never. Its descriptor has to stay open."""
    device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    data = f"fd={device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}{options}"
    if library().mount(b"dead", os.fsencode(where), b"fuse", MS_NOSUID | MS_NODEV, data.encode()) != 0:
        raise OSError(ctypes.get_errno(), "mount of a FUSE file system")
    return device


def take_off(where):
    """Lets everybody go who waits there, and the mount as well."""
    library().umount2(os.fsencode(where), MNT_FORCE_DETACH)


@contextlib.contextmanager
def dead_fuse():
    DEAD.mkdir(parents=True, exist_ok=True)
    host.run("modprobe", "fuse", check=False)
    device = mount_fuse(DEAD, ",allow_other")
    try:
        yield
    finally:
        take_off(DEAD)
        os.close(device)


@contextlib.contextmanager
def visitor(code):
    """A process that runs Python code which does not come back."""
    child = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    time.sleep(3)
    if child.poll() is not None:
        raise AssertionError(f"this came back at once: {code}")
    try:
        yield child
    finally:
        child.kill()


class Dead:
    """What must hold while a file system at DEAD does not answer. The class that is tested gives `dead`."""

    def setUp(self):
        self.addCleanup(enforce)

    def expect_life(self):
        """Programs run, denials hold, and the service can be asked, reloaded and restarted."""
        with faults.probed(self) as load:
            # Longer than the daemon's deadline.
            time.sleep(4)
            self.assertTrue(faults.is_enforcing())
            self.assertIn("mechanisms", host.status())
            host.run("liliumctl", "reload", timeout=30)
            self.assertTrue(faults.is_enforcing())
            self.mount_and_expect_marked()
        self.assertGreater(load["denied"], 0, "nothing was denied")

    def mount_and_expect_marked(self):
        """Coverage still follows the mounts."""
        with host.process("sleep", "1000"):
            host.run("mount", "-t", "tmpfs", "tmpfs", "/mnt/new")
            try:
                host.wait_until("the new file system is marked", self.is_new_marked)
            finally:
                host.run("umount", "/mnt/new")

    @staticmethod
    def is_new_marked():
        return any(file["mountpoint"] == "/mnt/new" for file in host.status()["marks"]["filesystems"])

    def test_it_is_there(self):
        enforce(mount="audit")
        with self.dead():
            self.expect_life()
            before = host.daemon_pid()
            host.run("systemctl", "restart", "liliumd", timeout=60)
            faults.expect_back()
            self.assertNotEqual(host.daemon_pid(), before)

    def test_somebody_waits_in_it(self):
        """As who opens, executes, or stats a file there, and as who has it for a working folder."""
        enforce(mount="audit")
        with self.dead(), contextlib.ExitStack() as stack:
            for code in (f"open('{DEAD}/file')", f"import os; os.execv('{DEAD}/program', ['x'])",
                         f"import os; os.chdir('{DEAD}')", f"import os; os.stat('{DEAD}/x')"):
                stack.enter_context(visitor(code))
            self.expect_life()

    def test_rules_name_it(self):
        """Paths there in exec, open and mount rules."""
        rules = (
            f'deny exec when object.path.startsWith("{DEAD}/")\n'
            f'deny open when object.path == "{DEAD}/secret" && subject.uid != 0\n'
            f'deny open when object.path.startsWith("{DEAD}/secrets/")\n')
        with self.dead():
            enforce(rules, mount="audit", open="enforce")
            self.expect_life()

    def test_rules_named_it_before(self):
        """The same where the file system died later than the rules were loaded."""
        rules = f'deny open when object.path == "{DEAD}/secret" && subject.uid != 0\n'
        enforce(rules, mount="audit", open="enforce")
        with self.dead():
            self.expect_life()


class DeadFUSE(Dead, unittest.TestCase):
    dead = staticmethod(dead_fuse)

    def setUp(self):
        super().setUp()
        pathlib.Path("/mnt/new").mkdir(exist_ok=True)

    def test_coverage_names_it(self):
        """A file system that the configuration names may be refused, or left out; it must not hang the service."""
        text = host.configuration({"exec": "enforce"}, faults.PROMPT)
        for line in (f'filesystems = ["/", "{DEAD}"]', f'exclude = ["/payload", "{DEAD}"]'):
            with self.subTest(line), self.dead():
                enforce()
                if line.startswith("exclude"):
                    changed = text.replace('exclude = ["/payload"]', line)
                else:
                    changed = text.replace("[coverage]", f"[coverage]\n{line}")
                with faults.probed(self):
                    host.CONFIGURATION.write_text(changed)
                    host.run("liliumctl", "reload", check=False, timeout=30)
                    self.assertTrue(faults.is_enforcing())
                    self.assertIn("mechanisms", host.status())

    def test_of_a_user_in_a_mount_namespace(self):
        """Any user may mount one in namespaces of his own, and run what lies there."""
        enforce(mount="audit", clone="audit")
        user = (
            f"import os, sys; sys.path.insert(0, '{pathlib.Path(__file__).parent}'); import test_dead_fs as t\n"
            f"assert t.library().unshare({CLONE_NEWNS | CLONE_NEWUSER}) == 0\n"
            f"open('/proc/self/setgroups', 'w').write('deny')\n"
            f"open('/proc/self/uid_map', 'w').write('0 {NOBODY} 1')\n"
            f"open('/proc/self/gid_map', 'w').write('0 {NOBODY} 1')\n"
            "device = t.mount_fuse('/mnt')\n"
            "print('mounted', flush=True)\n"
            "os.fork() or os.chdir('/mnt')\n"
            "os.fork() or open('/mnt/file')\n"
            "import time; time.sleep(1000)\n")
        # A process that gave its user up by itself could not write the maps of its namespace: an exec in between.
        command = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", sys.executable, "-c", user)
        with host.process(*command, stdout=subprocess.PIPE, text=True) as child:
            self.assertEqual(child.stdout.readline(), "mounted\n")
            child.stdout.close()
            self.expect_life()


@contextlib.contextmanager
def dead_nfs():
    """A hard mount over loopback whose server stopped answering."""
    DEAD.mkdir(parents=True, exist_ok=True)
    shared = pathlib.Path("/srv/shared")
    shared.mkdir(parents=True, exist_ok=True)
    (shared / "file").write_text("text\n")
    host.run("ip", "link", "set", "lo", "up")
    host.run("modprobe", "-a", "nfsd", "nfsv4", "nfs")
    host.run("systemctl", "start", "nfs-server", timeout=90)
    host.run("exportfs", "-o", "rw,no_root_squash,insecure,fsid=1", "127.0.0.1:/srv/shared")
    host.run("mount", "-t", "nfs", "-o", "hard,vers=4.2,timeo=50,retrans=1", "127.0.0.1:/srv/shared", DEAD)
    try:
        host.run("rpc.nfsd", "0")
        yield
    finally:
        take_off(DEAD)
        host.run("systemctl", "stop", "nfs-server", check=False, timeout=90)


class DeadNFS(Dead):
    dead = staticmethod(dead_nfs)

    def setUp(self):
        super().setUp()
        pathlib.Path("/mnt/new").mkdir(exist_ok=True)


if os.environ.get("LILIUM_VM_FULL") == "1":
    # Four minutes of time limits that run out: for the full run.
    class DeadNFSCase(DeadNFS, unittest.TestCase):
        """The cases of DeadNFS."""


if __name__ == "__main__":
    unittest.main()
