"""The command line of the test bed: run, shell, list.

It must not decide what passes: the suite does.
"""

import argparse
import pathlib
import signal
import subprocess
import sys
import tempfile

from . import archive, case, emulator, image, kernel, snapshot
from .cache import BedError, Cache, default_root, describe, say
from .machine import MEMORY, Machine
from .suite import Job, Options, Suite

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
BUILT = REPOSITORY / ".build/deb"
RESULTS = REPOSITORY / ".build/vm-results"


def arguments():
    parser = argparse.ArgumentParser(prog="python3 -m bed", description="Tests of Lilium in virtual machines.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    run = verbs.add_parser("run", help="run cases")
    run.add_argument("cases", nargs="*", metavar="CASE", help="test_NAME or NAME; default: all that do not soak")
    run.add_argument("--kernel", default=kernel.DEFAULT, help=f"{', '.join(kernel.NAMES)}, several by comma, or all")
    run.add_argument("--full", action="store_true", help="the long cases too")
    run.add_argument("--jobs", type=int, default=2, help="machines at once (2)")
    run.add_argument("--patience", type=float, default=1, help="multiplies the cases' time limits (1)")
    shell = verbs.add_parser("shell", help="run a command, or lines from standard input, in a machine")
    shell.add_argument("command", nargs="*", metavar="WORD", help="the command; default: each line of standard input")
    shell.add_argument("--kernel", default=kernel.DEFAULT, choices=kernel.NAMES)
    shell.add_argument("--image", default="installed", choices=snapshot.IMAGES)
    shell.add_argument("--boot", action="store_true", help="a cold boot, not the snapshot")
    shell.add_argument("--count", action="store_true", help="count instructions: each takes 1 ns (implies --boot)")
    shell.add_argument("--append", default="", help="words for the kernel command line (with --boot)")
    shell.add_argument("--memory", type=int, default=MEMORY, help="MiB (with --boot)")
    shell.add_argument("--timeout", type=int, default=600, help="seconds for a command (600)")
    shell.add_argument("--dir", type=pathlib.Path, help="a folder more for the guest, as /payload/dir")
    for verb in (run, shell):
        verb.add_argument("--deb", type=pathlib.Path, help=f"the package under test (newest of {BUILT})")
    verbs.add_parser("list", help="list cases and kernels")
    return parser.parse_args()


def package(chosen):
    if chosen:
        if not chosen.is_file():
            raise BedError(f"no such package: {chosen}")
        return chosen.resolve()
    found = sorted(BUILT.glob("lilium_*.deb"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise BedError(f"no package in {BUILT}: run `make deb` first, or name one with --deb")
    return found[-1]


class Bed:
    """What every verb needs: cache, archive, emulator, and a payload disk in a folder of this run."""

    def __init__(self, cache, deb, scratch, extra=None):
        self.cache = cache
        self.archive = archive.Archive(cache)
        self.emulator = emulator.find(self.archive, self.cache)
        self.deb = deb
        self.payload = scratch / "payload"
        image.payload(self.payload, {"guest": case.GUEST, **({"dir": extra} if extra else {})}, {"lilium.deb": deb})

    def snapshots(self, found):
        folder = image.root_folder(self.cache, self.deb)
        return snapshot.Snapshots(self.cache, self.emulator, found, folder, self.deb, self.payload)

    def kernel(self, name):
        return kernel.find(self.archive, self.cache, name)


def chosen_kernels(words):
    names = list(kernel.NAMES) if words == "all" else words.split(",")
    unknown = [name for name in names if name not in kernel.NAMES]
    if unknown:
        raise BedError(f"no such kernel: {', '.join(unknown)}; known: {', '.join(kernel.NAMES)}")
    return names


def find_kernels(bed, names):
    """The kernels of these names that the archive has, and lines about those that it has not."""
    found, missing = [], []
    for name in names:
        one = bed.kernel(name)
        if one:
            found.append(one)
            continue
        missing.append(f"kernel {name}: left out, the archive has no package linux-image-{kernel.PATTERNS[name]}"
                       f"{kernel.FLAVOUR} (a pattern)")
        if name == kernel.DEFAULT:
            raise BedError(missing[-1])
    return found, missing


def run(options, scratch):
    deb = package(options.deb)
    cases = case.find(options.cases, options.full)
    if not cases:
        raise BedError(f"no case in {case.GUEST}")
    cache = Cache(default_root())
    with cache.in_use():
        bed = Bed(cache, deb, scratch)
        kernels, missing = find_kernels(bed, chosen_kernels(options.kernel))
        say("package", deb.name, "· QEMU", bed.emulator.version, "· kernels", *(one.version for one in kernels))
        suite = Suite(Options(options.jobs, options.full, options.patience, RESULTS), bed.emulator, bed.payload)
        suite.prepare(kernels, cases, bed.snapshots)
        jobs = [Job(one, each) for one in kernels for each in cases if options.cases or each.runs_on(one.name)]
        suite.run(jobs)
    ran = {job.kernel.name for job in jobs}
    for one in kernels:
        print(f"kernel {one.name}: {one.version}" + ("" if one.name in ran else ": left out, no case is for it"))
    print("\n".join([*missing, *sorted(suite.skips), f"{suite.passed} passed, {suite.failed} failed"]))
    return 0 if suite.passed and not suite.failed else 1


def shell(options, scratch):
    cache = Cache(default_root())
    with cache.in_use():
        bed = Bed(cache, package(options.deb), scratch, options.dir)
        found = bed.kernel(options.kernel)
        if not found:
            raise BedError(f"the archive has no kernel {options.kernel}")
        source = bed.snapshots(found).get(options.image)
        if options.boot or options.count:
            machine = snapshot.booted(
                source, bed.emulator, found, bed.payload, options.memory, options.append, options.count)
        else:
            machine = snapshot.restored(source, bed.emulator, found, bed.payload)
        try:
            lines = [" ".join(options.command)] if options.command else sys.stdin
            status = 0
            for line in lines:
                status = machine.run(line.rstrip("\n"), options.timeout, write_out)
            return status
        except BedError:
            snapshot.show_console(machine)
            raise
        finally:
            machine.end()


def write_out(content):
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def list_all(_options, _scratch):
    for each in case.find([], True):
        notes = [each.image, each.start, f"kernels {each.kernels}", f"{each.timeout} s", *["soak"] * each.soak]
        print(f"{each.name}: {', '.join(notes)}")
    found = archive.Archive(Cache(default_root()))
    for name in kernel.NAMES:
        print(f"kernel {name}: {kernel.resolve(found, name) or 'not in the archive'}")
    return 0


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with tempfile.TemporaryDirectory(prefix="lilium-vm-run.") as scratch:
            return {"run": run, "shell": shell, "list": list_all}[options.verb](options, pathlib.Path(scratch))
    except (BedError, subprocess.CalledProcessError) as error:
        print(f"bed: {describe(error)}", file=sys.stderr)
    except KeyboardInterrupt:
        print("bed: interrupted", file=sys.stderr)
    finally:
        Machine.end_all()
    return 1


sys.exit(main())
