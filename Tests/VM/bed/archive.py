"""Debian's archive through apt, in a private root: other suites never touch this machine's own sources.

It must not weaken apt's signature checks, and asks only the mirror that this machine is configured for.
"""

import glob
import os
import pathlib
import re
import subprocess
import time
import urllib.parse

from .cache import BedError, key, say

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
# The guest is bookworm; the other suites are there for their kernels, bookworm-backports for QEMU too.
GUEST_SUITES = ("debian bookworm", "debian bookworm-updates", "debian-security bookworm-security")
KERNEL_SUITES = (
    "debian bookworm-backports", "debian bullseye", "debian-security bullseye-security", "debian trixie",
    "debian-security trixie-security", "debian trixie-backports")
REFRESH_SECONDS = 24 * 3600


def configured_uris():
    """The URIs of this machine's own apt sources, of either format."""
    for name in [*sorted(glob.glob("/etc/apt/sources.list.d/*")), "/etc/apt/sources.list"]:
        if not os.path.isfile(name):
            continue
        for line in pathlib.Path(name).read_text(errors="replace").splitlines():
            if not line.lstrip().startswith("#"):
                yield from re.findall(r"https?://\S+", line)


def mirror(tree):
    """The URI of `debian` or `debian-security`; where the second is not named, it is taken to lie beside the first."""
    uris = [uri.rstrip("/") for uri in configured_uris()]
    for uri in uris:
        if urllib.parse.urlsplit(uri).path.endswith("/" + tree):
            return uri
    for uri in uris:
        if uri.endswith("/debian"):
            return uri.removesuffix("debian") + tree
    raise BedError("no Debian archive among the sources in /etc/apt")


def source(suite):
    tree, name = suite.split()
    return f"deb [signed-by={KEYRING}] {mirror(tree)} {name} main"


class Archive:
    def __init__(self, cache):
        self.cache = cache
        lines = "\n".join(source(suite) for suite in GUEST_SUITES + KERNEL_SUITES) + "\n"
        self.root = cache.root / "apt" / key(lines)
        self.environment = dict(os.environ, APT_CONFIG=str(self.root / "apt.conf"))
        with cache.lock("apt"):
            if not self.root.is_dir():
                self._create(lines)
            self._refresh()

    def _create(self, lines):
        for folder in ("etc/apt.conf.d", "etc/preferences.d", "state/lists/partial", "cache/archives/partial"):
            (self.root / folder).mkdir(parents=True, exist_ok=True)
        (self.root / "etc/sources.list").write_text(lines)
        (self.root / "apt.conf").write_text(
            f'Dir::Etc "{self.root}/etc"; Dir::State "{self.root}/state"; Dir::State::status "/dev/null";\n'
            f'Dir::Cache "{self.root}/cache"; APT::Architecture "amd64"; APT::Architectures "amd64";\n'
            'APT::Sandbox::User "root"; Acquire::Languages "none";\n')

    def _refresh(self):
        """Reads the package lists anew once a day; without a network the old ones serve."""
        stamp = self.root / "refreshed"
        if stamp.exists() and time.time() - stamp.stat().st_mtime < REFRESH_SECONDS:
            return
        # A suite that is gone (an archived release) must cost that suite only, so the exit status is no verdict.
        say("reading the package lists of", mirror("debian"))
        done = subprocess.run(
            ["apt-get", "-q", "update"], env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, check=False)
        if done.returncode == 0:
            stamp.touch()
            return
        for line in done.stdout.splitlines():
            if line.startswith(("E:", "W:", "Err:")):
                say("apt:", line)
        if not any((self.root / "state/lists").glob("*_Packages")):
            raise BedError("apt gave no package list at all")

    def _ask(self, *command):
        with self.cache.lock("apt"):
            return subprocess.run(
                ["apt-cache", *command], env=self.environment, stdout=subprocess.PIPE, text=True, check=True).stdout

    def names(self, prefix):
        return self._ask("pkgnames", prefix).split()

    def versions(self, package, suite):
        """The versions of a package in one suite, newest first."""
        rows = [[cell.strip() for cell in row.split("|")] for row in self._ask("madison", package).splitlines()]
        return [row[1] for row in rows if len(row) == 3 and f" {suite}/" in " " + row[2]]

    def dependencies(self, package):
        """Names in the package's Depends, of the version that apt would take."""
        shown = self._ask("show", "--no-all-versions", package)
        depends = re.search(r"^Depends: (.*)$", shown, re.MULTILINE)
        return package_names(depends[1]) if depends else []

    def unpack(self, package, folder):
        """Fetches a package (NAME or NAME=VERSION) and unpacks it into a folder; its scripts do not run."""
        place = self.cache.root / "debs"
        with self.cache.lock("apt"):
            place.mkdir(exist_ok=True)
            before = set(place.iterdir())
            subprocess.run(
                ["apt-get", "-q", "download", package], cwd=place, env=self.environment, stdout=subprocess.DEVNULL,
                check=True)
            name = package.split("=")[0]
            found = sorted(place.glob(f"{name}_*.deb"), key=lambda path: (path not in before, path.stat().st_mtime))
            subprocess.run(["dpkg-deb", "-x", found[-1], folder], check=True)
            for path in found:
                path.unlink()


def package_names(field):
    """The names in a Depends field; of alternatives the first."""
    return [part.split("|")[0].split("(")[0].strip().split(":")[0] for part in field.split(",") if part.strip()]
