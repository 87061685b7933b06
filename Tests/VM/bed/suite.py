"""A run: which cases on which kernels, on as many machines at once as allowed, and what is said about them.

It must not pass over anything: a case, a kernel or a test that is left out is named with the reason.
"""

import dataclasses
import pathlib
import queue
import re
import secrets
import shlex
import threading
import time

from . import snapshot
from .cache import PRINTING, BedError, describe
from .kernel import Kernel
from .machine import KERNEL_FAULT, Rebooted

SHOWN_LINES = 100
CONSOLE_LINES = 40
SKIPPED = "case-skipped: "
STATE = re.compile(rb"\x02([^\x02]*)\x02")
# The guest ends a case that hangs itself this much earlier, and then can still say where.
GRACE_SECONDS = 60


@dataclasses.dataclass(frozen=True)
class Job:
    kernel: Kernel
    case: object


@dataclasses.dataclass
class Options:
    jobs: int = 2
    full: bool = False
    patience: float = 1.0
    results: pathlib.Path = None


class Log:
    """A case's output, to its file as it comes."""

    def __init__(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.file = open(path, "wb", buffering=0)
        self.state = ""

    def write(self, text):
        self.file.write(text if isinstance(text, bytes) else text.encode())

    def take(self, output):
        """Output of the guest; the runner's state in it is kept for the next boot, not written."""
        for found in STATE.findall(output):
            self.state = found.decode()
        self.write(STATE.sub(b"", output))

    def lines(self):
        return self.path.read_text(errors="replace").splitlines()


class Suite:
    def __init__(self, options, emulator, payload):
        self.options, self.emulator, self.payload = options, emulator, payload
        self.passed = self.failed = 0
        self.skips = []
        self.sources = {}

    def prepare(self, kernels, cases, make):
        """Builds the snapshots that the cases need, and says which kernel's could not be built."""
        wanted = [(kernel, name) for kernel in kernels for name in snapshot.IMAGES
                  if any(case.image == name and case.runs_on(kernel.name) for case in cases)]
        # One task a kernel: its second snapshot is made from its first.
        tasks = {kernel: [name for other, name in wanted if other == kernel] for kernel in kernels}
        self._lanes(list(tasks.items()), lambda task: self._prepare(*task, make))

    def _prepare(self, kernel, names, make):
        for name in names:
            try:
                self.sources[kernel.name, name] = make(kernel).get(name)
            except Exception as error:  # whatever it is, the other kernels go on
                self._count(False, f"FAILED {kernel.name} snapshot {name}", describe(error))

    def run(self, jobs):
        # The longest first, so that no long case runs alone in the end.
        ready = [job for job in jobs if (job.kernel.name, job.case.image) in self.sources]
        self.skips += [f"left out on {job.kernel.name}: {job.case.name}: there is no snapshot {job.case.image}"
                       for job in jobs if job not in ready]
        self._lanes(sorted(ready, key=lambda job: -job.case.timeout), self._run)

    def _lanes(self, tasks, work):
        waiting = queue.SimpleQueue()
        for task in tasks:
            waiting.put(task)

        def lane():
            while True:
                try:
                    task = waiting.get_nowait()
                except queue.Empty:
                    return
                work(task)

        lanes = [threading.Thread(target=lane, daemon=True) for _ in range(min(self.options.jobs, len(tasks)))]
        for thread in lanes:
            thread.start()
        for thread in lanes:
            thread.join()

    def _run(self, job):
        began = time.monotonic()
        log = Log(self.options.results / job.kernel.name / f"{job.case.name}.log")
        reason, console = None, ""
        try:
            reason, console = self._run_in_guest(job, log)
        except Exception as error:  # a lane goes on with the next case
            reason = describe(error)
        self._report(job, log, reason, console, time.monotonic() - began)

    def _start(self, job):
        source, case = self.sources[job.kernel.name, job.case.image], job.case
        if case.start == "boot":
            return snapshot.booted(source, self.emulator, job.kernel, self.payload, case.memory, case.append)
        return snapshot.restored(source, self.emulator, job.kernel, self.payload)

    def _run_in_guest(self, job, log):
        """Why the case failed (None: it did not), and the console where that matters."""
        machine = self._start(job)
        try:
            status = self._stages(machine, job.case, log)
            fault = KERNEL_FAULT.search(machine.console())
            if fault:
                return f"the console says: {fault[0]}", machine.console()
            return (None, "") if status == 0 else (f"exit status {status}", machine.console())
        except BedError as error:
            return str(error), machine.console()
        finally:
            machine.end()

    def _stages(self, machine, case, log):
        """Runs the case, again after each of its reboots, until it ends."""
        end = time.monotonic() + case.timeout * self.options.patience
        while True:
            seconds = max(end - time.monotonic(), 1)
            try:
                return machine.run(self._command(case, seconds, log.state), seconds + GRACE_SECONDS, log.take)
            except Rebooted:
                log.write("--- rebooted\n")
                snapshot.prepare_booted(machine)

    def _command(self, case, seconds, state):
        environment = {
            "LILIUM_VM_TIMEOUT": f"{seconds:.0f}", "LILIUM_VM_SEED": secrets.token_hex(32),
            "LILIUM_VM_FULL": "1" if self.options.full else "", "LILIUM_VM_STATE": state}
        words = " ".join(f"{name}={shlex.quote(value)}" for name, value in environment.items())
        return f"{words} exec python3 -uB /payload/guest/runner.py {case.name}"

    def _report(self, job, log, reason, console, seconds):
        name = f"{job.kernel.name} {job.case.name}"
        for line in log.lines():
            if line.startswith(SKIPPED):
                self.skips.append(f"left out on {name}: {line.removeprefix(SKIPPED)}")
        if reason is None:
            self._count(True, f"ok {name} {seconds:.0f} s", "")
            return
        shown = ["    " + line for line in log.lines()[-SHOWN_LINES:]]
        shown += ["  console:", *("    " + line for line in console.splitlines()[-CONSOLE_LINES:])] if console else []
        log.write(f"--- {reason}\n--- console\n{console}\n")
        self._count(False, f"FAILED {name} {seconds:.0f} s ({reason.splitlines()[0]})",
                    "\n".join([*("  " + line for line in reason.splitlines()[1:]), *shown, f"  all of it: {log.path}"]))

    def _count(self, good, line, detail):
        with PRINTING:
            self.passed += good
            self.failed += not good
            print(line, flush=True)
            if detail:
                print(detail, flush=True)
