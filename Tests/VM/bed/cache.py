"""The cache outside the repository: entries that are built whole or not at all, and the locks between runs.

It must not know what an entry holds.
"""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import time

BEGAN = time.monotonic()
PRINTING = threading.Lock()


class BedError(Exception):
    """Something that a person has to put right; its text says what."""


def say(*words):
    """A line of progress; results go to standard output, this does not."""
    with PRINTING:
        print(f"bed: {time.monotonic() - BEGAN:4.0f} s:", *words, file=sys.stderr, flush=True)


def describe(error):
    """An exception in words for a person; a command without its hundred arguments."""
    if isinstance(error, subprocess.CalledProcessError):
        command = " ".join(map(str, error.cmd))
        return f"{command if len(command) < 200 else command[:200] + ' ...'}: exit status {error.returncode}"
    return str(error) or repr(error)


def key(*parts):
    """A short name for inputs: text, numbers, or files by their content."""
    digest = hashlib.sha256()
    for part in parts:
        content = part.read_bytes() if isinstance(part, pathlib.Path) else str(part).encode()
        digest.update(b"%d " % len(content) + content)
    return digest.hexdigest()[:16]


def default_root():
    chosen = os.environ.get("LILIUM_VM_CACHE")
    if chosen:
        return pathlib.Path(chosen)
    return pathlib.Path("/var/cache/lilium-vm") if os.geteuid() == 0 else pathlib.Path.home() / ".cache/lilium-vm"


class Cache:
    def __init__(self, root):
        self.root = root
        (root / "locks").mkdir(parents=True, exist_ok=True)
        self.wanted = {}

    @contextlib.contextmanager
    def lock(self, name, how=fcntl.LOCK_EX):
        """Holds a lock by name against other threads and other runs."""
        with open(self.root / "locks" / name.replace("/", "-"), "w") as file:
            fcntl.flock(file, how)
            yield

    def entry(self, kind, name, build, keep=1):
        """The folder of an entry. `build(folder)` fills a new one; nobody sees it before it is complete.

        The newest `keep` entries of a kind survive prune().
        """
        self.wanted[kind] = keep
        path = self.root / kind / name
        with self.lock(f"{kind}-{name}"):
            if path.is_dir():
                os.utime(path)
                return path
            # A name of its own: what an interrupted run left may still be written to. prune() removes it.
            partial = path.with_name(f"{name}.{os.getpid()}.partial")
            partial.mkdir(parents=True)
            build(partial)
            os.utime(partial)
            partial.rename(path)
        return path

    @contextlib.contextmanager
    def in_use(self):
        """While anybody is in here, nobody prunes: building and using go inside. The last one to leave prunes."""
        with self.lock("use", fcntl.LOCK_SH):
            yield
        with contextlib.suppress(BlockingIOError), self.lock("use", fcntl.LOCK_EX | fcntl.LOCK_NB):
            self.prune()

    def prune(self):
        for kind, keep in self.wanted.items():
            folder = self.root / kind
            listed = list(folder.iterdir()) if folder.is_dir() else []
            entries = sorted(listed, key=lambda path: path.stat().st_mtime, reverse=True)
            kept = [path for path in entries if path.suffix != ".partial"][:keep]
            for path in entries:
                if path not in kept:
                    shutil.rmtree(path, ignore_errors=True)
