"""The guest's root file system: stock Debian packages by mmdebstrap, a few settings, one kernel's modules, ext4.

It must not hold Lilium itself: a snapshot installs that as a person would.
"""

import os
import pathlib
import shutil
import subprocess

from .archive import GUEST_SUITES, package_names, source
from .cache import BedError, key, say

HERE = pathlib.Path(__file__).parent
GUEST = HERE.parent / "guest"
SIZE = "3G"

# Why each is there; what `lilium` depends on comes on top (see dependencies()).
PACKAGES = {
    "systemd-sysv": "systemd is PID 1",
    "systemd": "service manager and journald",
    "udev": "devices, and what it starts of itself",
    "dbus": "systemctl of other users, systemd-run",
    "kmod": "the module cases: load, autoload, unload",
    "kexec-tools": "the kexec cases",
    "strace": "a tracer (ptrace cases)",
    "gdb": "another tracer",
    "auditd": "neighbour on the audit subsystem; auditctl as a witness",
    "systemd-journal-remote": "forwarding of the journal",
    "procps": "what an administrator looks with: ps, kill, sysctl",
    "psmisc": "fuser, killall",
    "iproute2": "autoload of a network module, namespaces",
    "util-linux": "unshare, mount, setpriv, prlimit",
    "libcap2-bin": "capsh, setcap: subjects without a capability",
    "python3": "the cases are Python",
    "gcc": "the load of a build; small programs of the cases",
    "libc6-dev": "the same",
    "make": "the same",
    "apparmor": "neighbour among the security modules",
    "nfs-kernel-server": "a network file system that goes away",
    "nfs-common": "its client",
    "e2fsprogs": "full disks on loop images, fs-verity",
    "acl": "setfacl: attribute changes that a remembered allow must notice",
}

# Modules of these folders and files are in the image; a cloud kernel's others drive hardware that is not there.
MODULES = (
    "kernel/fs", "kernel/lib", "kernel/crypto", "kernel/security", "kernel/arch", "kernel/kernel",
    "kernel/drivers/block", "kernel/drivers/char", "kernel/drivers/virtio", "kernel/drivers/net/dummy.ko*",
    "kernel/drivers/net/veth.ko*", "kernel/drivers/net/tun.ko*", "kernel/net/9p", "kernel/net/802", "kernel/net/llc",
    "kernel/net/netlink", "kernel/net/packet", "kernel/net/sunrpc", "kernel/net/dns_resolver", "kernel/net/unix",
    "kernel/net/vmw_vsock")
# Drivers of QEMU's machine that no case uses: each costs seconds of an emulated boot.
BLACKLIST = (
    "aesni_intel", "ata_generic", "ata_piix", "button", "cdrom", "cryptd", "evdev", "floppy", "ghash_clmulni_intel",
    "i2c_piix4", "joydev", "kvm", "kvm_amd", "kvm_intel", "libata", "parport", "parport_pc", "pcspkr", "ppdev",
    "psmouse", "qemu_fw_cfg", "serio_raw", "sg", "sr_mod")
# Timers would make two runs differ; the rest serves consoles, firmware and first boots that this machine has not.
MASKED = (
    "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer",
    "e2scrub_reap.service", "fstrim.timer", "systemd-tmpfiles-clean.timer", "kexec.service", "kexec-load.service",
    "systemd-random-seed.service", "systemd-pstore.service", "systemd-remount-fs.service",
    "systemd-fsck-root.service", "getty@tty1.service", "serial-getty@ttyS0.service", "systemd-hwdb-update.service",
    "systemd-machine-id-commit.service", "systemd-firstboot.service", "systemd-logind.service",
    "modprobe@configfs.service", "modprobe@drm.service", "modprobe@efi_pstore.service")
# Installed, but a case starts them itself.
DISABLED = ("auditd.service", "nfs-server.service", "rpcbind.service", "rpcbind.socket", "nfs-client.target")
FILES = {
    "etc/hostname": "lilium-vm\n",
    "etc/hosts": "127.0.0.1 localhost\n127.0.1.1 lilium-vm\n",
    "etc/machine-id": "0123456789abcdef0123456789abcdef\n",
    "etc/fstab": "",
    # mmdebstrap leaves the building host's own.
    "etc/resolv.conf": "",
    "etc/modprobe.d/vm.conf": "".join(f"blacklist {module}\n" for module in BLACKLIST),
}
AGENT_CONTROL = """Package: lilium-vm-agent
Version: 1
Architecture: all
Maintainer: Lilium's tests <root@localhost>
Depends: bash
Description: takes commands of the test bed
"""


def dependencies(deb):
    """What the package under test needs, so that `dpkg -i` works without a network."""
    fields = subprocess.run(
        ["dpkg-deb", "-f", deb, "Depends", "Pre-Depends"], stdout=subprocess.PIPE, text=True, check=True).stdout
    names = set()
    for line in fields.splitlines():
        names.update(package_names(line.partition(":")[2]))
    return sorted(name for name in names if name)


def root_folder(cache, deb):
    """The root file system as a folder, without any kernel's modules."""
    packages = sorted({*PACKAGES, *dependencies(deb)})
    sources = [source(suite) for suite in GUEST_SUITES]
    name = key(*packages, *sources, HERE / "image.py", GUEST / "agent.sh", GUEST / "agent.service")
    return cache.entry("rootfs", name, lambda folder: build(folder, packages, sources)) / "tree"


def build(folder, packages, sources):
    if os.geteuid() != 0:
        raise BedError("building the guest's root file system needs root")
    say("root file system of", len(packages), "packages and what they depend on")
    tree = folder / "tree"
    options = ["--mode=root", "--variant=minbase", "--format=directory", "--include=" + ",".join(packages),
               '--aptopt=Apt::Install-Recommends "false"', "--dpkgopt=force-unsafe-io",
               *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "man", "locale", "info"))]
    # It ends with the bed, as everything that the bed starts.
    subprocess.run(["setpriv", "--pdeathsig", "TERM", "mmdebstrap", "-q", *options, "bookworm", tree, *sources],
                   stdout=subprocess.DEVNULL, check=True)
    # These settings were for the build. The guest's own dpkg and apt are to behave as anywhere.
    for name in ("etc/dpkg/dpkg.cfg.d/99mmdebstrap", "etc/apt/apt.conf.d/99mmdebstrap"):
        (tree / name).unlink(missing_ok=True)
    install_agent(folder, tree)
    settle(tree)


def install_agent(folder, tree):
    """The agent comes as a package: dpkg then vouches for it, and it runs under enforcement as everything else does."""
    package = folder / "agent"
    for name, place, mode in (("agent.sh", "usr/sbin/lilium-vm-agent", 0o755),
                              ("agent.service", "usr/lib/systemd/system/lilium-vm-agent.service", 0o644)):
        (package / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(GUEST / name, package / place)
        (package / place).chmod(mode)
    (package / "DEBIAN").mkdir()
    (package / "DEBIAN/control").write_text(AGENT_CONTROL)
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", package, tree / "agent.deb"],
                   stdout=subprocess.DEVNULL, check=True)
    subprocess.run(["chroot", tree, "dpkg", "-i", "/agent.deb"], stdout=subprocess.DEVNULL, check=True)
    (tree / "agent.deb").unlink()
    shutil.rmtree(package)


def settle(tree):
    for name, content in FILES.items():
        (tree / name).unlink(missing_ok=True)
        (tree / name).write_text(content)
    for mode, units in (("mask", MASKED), ("disable", DISABLED), ("enable", ("lilium-vm-agent.service",))):
        # Offline, so nothing starts or stops; a unit that this Debian has not is no harm.
        subprocess.run(["chroot", tree, "systemctl", "-q", mode, *units],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=mode == "enable")
    (tree / "payload").mkdir(exist_ok=True)
    subprocess.run(["chroot", tree, "passwd", "-qd", "root"], check=True)


def write(tree, kernel, disk, scratch):
    """Writes the folder, with this kernel in it, as an ext4 image."""
    merged = scratch / "tree"
    # Hard links: the copy costs names only, and the folder in the cache stays as it is.
    subprocess.run(["cp", "-al", tree, merged], check=True)
    try:
        add_kernel(merged, kernel)
        with open(disk, "wb") as file:
            os.truncate(file.fileno(), size_bytes(SIZE))
        subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", "-O", "^metadata_csum", "-E",
                        "lazy_itable_init=1,lazy_journal_init=1", "-d", merged, disk], check=True)
    finally:
        shutil.rmtree(merged)


def size_bytes(size):
    return int(size[:-1]) << {"M": 20, "G": 30}[size[-1]]


def add_kernel(tree, kernel):
    target = tree / "usr/lib/modules" / kernel.version
    target.mkdir(parents=True)
    for name in ("modules.builtin", "modules.builtin.modinfo", "modules.order"):
        shutil.copy(kernel.modules / name, target)
    for pattern in MODULES:
        for path in kernel.modules.glob(pattern):
            place = target / path.relative_to(kernel.modules)
            if path.is_dir():
                shutil.copytree(path, place)
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, place)
    subprocess.run(["depmod", "-b", tree, kernel.version], check=True)
    # Where kexec expects them.
    shutil.copy(kernel.image, tree / f"boot/vmlinuz-{kernel.version}")
    shutil.copy(kernel.initrd, tree / f"boot/initrd.img-{kernel.version}")


def payload(disk, folders, files):
    """A read-only disk for the guest's /payload: folders and files by the name that they get there."""
    root = disk.with_suffix(".d")
    root.mkdir()
    for name, path in folders.items():
        shutil.copytree(path, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name, path in files.items():
        shutil.copy(path, root / name)
    # A snapshot remembers the size of its disks, so every payload has the same.
    with open(disk, "wb") as file:
        os.truncate(file.fileno(), 256 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", "-O", "^has_journal", "-d", root, disk], check=True)
    shutil.rmtree(root)
