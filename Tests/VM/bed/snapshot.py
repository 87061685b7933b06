"""Machines at rest: `bare` has booted, `installed` has the lilium package installed, trust synced, service running.

It must not repair what the package's own scripts leave undone: that is what the cases are to find.
"""

import contextlib
import dataclasses
import pathlib
import shlex
import subprocess
import time

from . import image
from .cache import key, say
from .machine import COMMAND_LINE, MEMORY, Machine

HERE = pathlib.Path(__file__).parent
IMAGES = ("bare", "installed")
FLUSH = "blockdev --flushbufs /dev/vdb"
# Buffers of the payload disk are of the machine that was saved; this machine's disk may hold something else.
MOUNT = f"{FLUSH} && mount -o ro,noload /dev/vdb /payload"
# Brings what every case reads into memory, so that the snapshot has it there.
WARM = """
cat /usr/bin/{bash,tar,strace,journalctl,systemctl,sleep,python3,id,dpkg,mount,unshare} /usr/lib/systemd/systemd*
  /usr/lib/x86_64-linux-gnu/{libc,libm,libstdc++,libcap,libaudit,libcrypto}.so.* /usr/bin/liliumctl /usr/sbin/liliumd
  >/tmp/warm 2>&1; rm /tmp/warm; python3 -c "import unittest, json, subprocess, ctypes, pathlib, tempfile" """
STATUS = "i=0; until liliumctl status; do i=$((i+1)); [ $i -lt 100 ] || exit 1; sleep 0.3; done"
INSTALL = (
    ("dpkg -i lilium.deb", "DEBIAN_FRONTEND=noninteractive dpkg -i /payload/lilium.deb", 600),
    ("liliumctl trust sync", "liliumctl trust sync", 1200),
    ("systemctl start liliumd", "systemctl is-active -q liliumd || systemctl start liliumd || "
     "{ journalctl -b -u liliumd -n 60 --no-pager -o short; exit 1; }", 300),
    ("liliumctl status", STATUS, 300),
)


@dataclasses.dataclass(frozen=True)
class Snapshot:
    folder: pathlib.Path

    @property
    def disk(self):
        return self.folder / "disk"

    @property
    def ram(self):
        return self.folder / "ram"

    @property
    def state(self):
        return self.folder / "state"


class Snapshots:
    """The snapshots of one kernel for one package."""

    def __init__(self, cache, emulator, kernel, root_folder, deb, payload):
        self.cache, self.emulator, self.kernel = cache, emulator, kernel
        self.root_folder, self.deb, self.payload = root_folder, deb, payload

    def bare(self):
        name = key(self.root_folder.parent.name, self.kernel.folder.name, self.emulator.version, COMMAND_LINE, MEMORY,
                   HERE / "machine.py", HERE / "snapshot.py", HERE / "image.py")
        return Snapshot(self.cache.entry(f"snapshot/{self.kernel.name}-bare", name, self._build_bare))

    def installed(self):
        bare = self.bare()
        name = key(bare.folder.name, self.deb)
        return Snapshot(self.cache.entry(
            f"snapshot/{self.kernel.name}-installed", name, lambda folder: self._build_installed(bare, folder), keep=2))

    def get(self, name):
        return {"bare": self.bare, "installed": self.installed}[name]()

    def _build_bare(self, folder):
        say("snapshot", self.kernel.name, "bare: first boot of", self.kernel.version)
        new = Snapshot(folder)
        image.write(self.root_folder, self.kernel, new.disk, folder)
        machine = Machine(self.emulator, self.kernel, new.disk, self.payload, ram=new.ram, share=True, keep_disk=True)
        with saving(machine, new):
            machine.wait_boot()
            machine.check("systemctl is-system-running --wait || { systemctl --failed; exit 1; }", 300, "first boot")

    def _build_installed(self, bare, folder):
        say("snapshot", self.kernel.name, "installed: with", self.deb.name)
        new = Snapshot(folder)
        for old, copy in ((bare.disk, new.disk), (bare.ram, new.ram)):
            subprocess.run(["cp", "--sparse=always", "--reflink=auto", old, copy], check=True)
        machine = Machine(self.emulator, self.kernel, new.disk, self.payload, ram=new.ram, share=True,
                          incoming=bare.state, keep_disk=True)
        with saving(machine, new):
            prepare_restored(machine)
            for what, command, seconds in INSTALL:
                began = time.monotonic()
                machine.check(command, seconds, f"{self.kernel.name}: {what}")
                say(f"{self.kernel.name}: {what}: {time.monotonic() - began:.0f} s")
            machine.check("umount /payload", 60, "umount /payload")


@contextlib.contextmanager
def saving(machine, snapshot):
    """What a snapshot is made of happens inside; it is saved when that went well."""
    try:
        yield
        machine.run("bash -c " + shlex.quote(WARM.replace("\n", " ")), 300)
        machine.check(f"sync; {FLUSH}", 120, "sync")
        machine.save(snapshot.state)
    except Exception:
        show_console(machine)
        raise
    finally:
        machine.end()


def show_console(machine):
    lines = machine.console().splitlines()[-30:]
    if lines:
        say("the console's last lines:\n" + "\n".join(lines))


def prepare_restored(machine):
    """A restored machine believes that no time has passed."""
    machine.check(f"date -s @{time.time():.3f} >/dev/null && {MOUNT}", 120, "preparing the guest")


def prepare_booted(machine):
    machine.check(f"timeout 200 systemctl is-system-running --wait; {MOUNT}", 300, "preparing the guest")


def restored(snapshot, emulator, kernel, payload):
    """A new machine that goes on where the snapshot is; what it changes is forgotten in the end."""
    machine = Machine(emulator, kernel, snapshot.disk, payload, ram=snapshot.ram, incoming=snapshot.state)
    return ready(machine, prepare_restored)


def booted(snapshot, emulator, kernel, payload, memory=MEMORY, append="", counts=False):
    """A new machine that boots from the snapshot's disk."""
    machine = Machine(emulator, kernel, snapshot.disk, payload, memory=memory, append=append, counts=counts)
    return ready(machine, boot)


def boot(machine):
    machine.wait_boot()
    prepare_booted(machine)


def ready(machine, prepare):
    try:
        prepare(machine)
        return machine
    except Exception:
        show_console(machine)
        machine.end()
        raise
