"""Stock Debian kernels: which the archive has, unpacked so that QEMU starts them fast, with a tiny initrd.

It must not change a kernel or its modules: it only unpacks what Debian built.
"""

import dataclasses
import lzma
import pathlib
import re
import shutil
import struct
import subprocess
import tempfile
import zlib

from .cache import BedError, key, say

HERE = pathlib.Path(__file__).parent
# What a name means in package names. The cloud flavour has the drivers of a virtual machine and little else.
PATTERNS = {
    "6.1": r"6\.1\.\d+(-\d+)?",
    "5.10": r"5\.10\.\d+(-\d+)?",
    "6.12": r"6\.12\.\d+\+deb12",
    "newest": r"\d+\.\d+\.\d+(\+deb\d+|-\d+)",
}
NAMES = tuple(PATTERNS)
DEFAULT = "6.1"
PREFIX, FLAVOUR = "linux-image-", "-cloud-amd64"
# Enough to reach the root file system; systemd loads the rest from there.
BOOT_MODULES = (
    "virtio_pci", "virtio_blk", "virtio_console", "virtio-rng", "ext4", "crc32c_generic", "crc32c_intel")


@dataclasses.dataclass(frozen=True)
class Kernel:
    name: str
    version: str
    folder: pathlib.Path

    @property
    def executable(self):
        return self.folder / "vmlinux"

    @property
    def image(self):
        return self.folder / "vmlinuz"

    @property
    def initrd(self):
        return self.folder / "initrd"

    @property
    def modules(self):
        return self.folder / "root/lib/modules" / self.version


def order(version):
    return [int(number) for number in re.findall(r"\d+", version)]


def resolve(archive, name):
    """The newest version of what `name` means, or None."""
    pattern = re.compile(PATTERNS[name])
    versions = [package.removeprefix(PREFIX).removesuffix(FLAVOUR)
                for package in archive.names(PREFIX) if package.endswith(FLAVOUR)]
    fitting = sorted(filter(pattern.fullmatch, versions), key=order)
    if not fitting or (name == "newest" and order(fitting[-1])[:2] <= [6, 12]):
        return None
    return fitting[-1] + FLAVOUR


def find(archive, cache, name):
    """The kernel of this name, unpacked; None where the archive has none."""
    version = resolve(archive, name)
    if version is None:
        return None
    inputs = key(HERE / "kernel.py", HERE / "init.c")
    folder = cache.entry(f"kernel/{name}", f"{version}-{inputs}", lambda folder: build(archive, version, folder))
    return Kernel(name, version, folder)


def build(archive, version, folder):
    say("kernel", version)
    root = folder / "root"
    root.mkdir()
    # From 7.0 on, Debian splits the image into several packages.
    parts = [f"linux-{part}-{version}" for part in ("base", "binary", "modules")]
    needed = set(archive.dependencies(PREFIX + version))
    for package in [PREFIX + version, *(part for part in parts if part in needed)]:
        archive.unpack(package, root)
    if not (root / "lib/modules").exists():
        (root / "lib").mkdir(exist_ok=True)
        (root / "lib/modules").symlink_to("../usr/lib/modules")
    images = [root / f"boot/vmlinuz-{version}", root / f"lib/modules/{version}/vmlinuz"]
    image = next((path for path in images if path.exists()), None)
    if image is None:
        raise BedError(f"no kernel image in the packages of {version}")
    shutil.copy(image, folder / "vmlinuz")
    (folder / "vmlinux").write_bytes(executable(image.read_bytes()))
    subprocess.run(["depmod", "-b", root, version], check=True)
    (folder / "initrd").write_bytes(initrd(root, version))


def executable(image):
    """The ELF file inside a bzImage: QEMU starts it directly (PVH), which spares the emulated decompression.

    Linux, Documentation/x86/boot.rst: setup_sects at 0x1f1, payload_offset and payload_length at 0x248.
    """
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = ((image[0x1F1] or 4) + 1) * 512 + offset
    content = decompress(image[start:start + length])
    if content[:4] != b"\x7fELF":
        raise BedError("the kernel image holds no ELF file")
    return content


def decompress(content):
    """Undoes the compressions that Debian uses for kernels and modules."""
    if content.startswith(b"\xfd7zXZ\0"):
        return lzma.LZMADecompressor().decompress(content)
    if content.startswith(b"\x1f\x8b"):
        return zlib.decompressobj(31).decompress(content)
    for program, magic in (("zstd", b"\x28\xb5\x2f\xfd"), ("lz4", b"\x02\x21\x4c\x18")):
        if content.startswith(magic):
            # Behind a kernel stand four bytes of its size, which are no part of the frame: the programs complain there.
            return subprocess.run(
                [program, "-dcq"], input=content, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout
    if content.startswith(b"\x7fELF"):
        return content
    raise BedError("a compression that the bed does not know: " + content[:6].hex())


def boot_modules(root, version):
    """The files of the modules that the initrd loads, each after those that it needs."""
    files = []
    for module in BOOT_MODULES:
        # A module that is built in, or that this kernel does not have, gives no line.
        shown = subprocess.run(
            ["modprobe", "-d", root, "-S", version, "--show-depends", module], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, check=False).stdout
        for line in shown.splitlines():
            words = line.split()
            if words[0] == "insmod" and words[1] not in files:
                files.append(words[1])
    return [pathlib.Path(file) for file in files]


def initrd(root, version):
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder, "init")
        subprocess.run(["gcc", "-Os", "-s", "-static", "-Wall", "-Werror", "-o", program, HERE / "init.c"], check=True)
        members = [("dev", 0o040755, b""), ("root", 0o040755, b""), ("m", 0o040755, b""),
                   ("init", 0o100755, program.read_bytes())]
    names = []
    for path in boot_modules(root, version):
        names.append("m/" + re.sub(r"\.(xz|zst|gz)$", "", path.name))
        members.append((names[-1], 0o100644, decompress(path.read_bytes())))
    members.append(("modules", 0o100644, "".join(f"/{name}\n" for name in names).encode()))
    return newc(members)


def newc(members):
    """A cpio archive in the format of cpio(5), "newc"."""
    archive = bytearray()
    for number, (name, mode, content) in enumerate([*members, ("TRAILER!!!", 0, b"")], 1):
        fields = [number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0]
        archive += b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
        archive += b"\0" * (-len(archive) % 4) + content
        archive += b"\0" * (-len(archive) % 4)
    return bytes(archive)
