"""QEMU: a newer one from backports, unpacked beside the installed one, whose package brings the libraries.

It must not install anything. fork+exec in the guest is three times as fast under QEMU 10 as under bookworm's 7.2.
"""

import dataclasses
import re
import shutil
import subprocess

from .cache import BedError, key, say

PACKAGES = ("qemu-system-x86", "qemu-system-common", "qemu-system-data", "seabios")
SUITE = "bookworm-backports"
PROGRAM = "qemu-system-x86_64"


@dataclasses.dataclass(frozen=True)
class Emulator:
    command: tuple
    version: str


def version(command):
    """The version that the program states; None where it cannot run."""
    try:
        shown = subprocess.run(
            [*command, "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    return re.search(r"version (\S+)", shown)[1]


def find(archive, cache):
    installed = version((PROGRAM,))
    if installed is None:
        raise BedError(f"{PROGRAM} is missing: install qemu-system-x86 (`make test-deps` does)")
    if int(installed.split(".")[0]) >= 10:
        return Emulator((PROGRAM,), installed)
    newer = unpacked(archive, cache)
    if newer is None:
        say(f"QEMU {installed} as installed: {SUITE} has none that runs here")
    return newer or Emulator((PROGRAM,), installed)


def unpacked(archive, cache):
    versions = [next(iter(archive.versions(package, SUITE)), None) for package in PACKAGES]
    if None in versions:
        return None
    folder = cache.entry("qemu", key(*versions), lambda folder: build(archive, versions, folder))
    command = (str(folder / "usr/bin" / PROGRAM), "-L", str(folder / "usr/share/qemu"),
               "-L", str(folder / "usr/share/seabios"))
    found = version(command)
    return Emulator(command, found) if found else None


def build(archive, versions, folder):
    say("QEMU", versions[0])
    for package, number in zip(PACKAGES, versions):
        archive.unpack(f"{package}={number}", folder)
    shutil.rmtree(folder / "usr/share/doc", ignore_errors=True)
