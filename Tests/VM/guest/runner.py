"""Runs one case in the guest: its tests, stage by stage over its reboots, and what explains a failure.

It must not know what a case tests. Usage: runner.py MODULE; it is started again after each reboot.
"""

import contextlib
import faulthandler
import fcntl
import importlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import unittest

# Linux, include/uapi/linux/random.h
RNDRESEEDCRNG = 0x5207
PERMITTED_SKIP = "this kernel"
EXPLAIN = (
    ("journalctl", "-b", "-u", "liliumd", "-n", "60", "-o", "short", "--no-pager"),
    ("liliumctl", "status"),
    ("dmesg",),
)


class Expired(BaseException):
    """The case's time is over. Not an Exception: a test that passes over those must not pass over this."""


class State:
    """What has to survive a reboot that comes at any moment.

    The bed keeps it: under enforcement Python may open no file that is not trusted, not even one of its own.
    """

    def __init__(self, module):
        self.module, self.stage, self.begun, self.ran, self.failures, self.running = module, 1, False, 0, [], ""
        self.__dict__.update(json.loads(os.environ.get("LILIUM_VM_STATE") or "{}"))

    def save(self):
        """Tells the bed, between two marks that it takes out of the output."""
        sys.stdout.flush()
        os.write(sys.stdout.fileno(), b"\x02" + json.dumps(self.__dict__).encode() + b"\x02")


class Result(unittest.TextTestResult):
    """Counts into the state as tests end, since a test may end with a reboot."""

    state = None

    def startTest(self, test):
        super().startTest(test)
        self.state.ran += 1
        self.state.running = test.id()
        self.state.save()

    def stopTest(self, test):
        super().stopTest(test)
        self.state.running = ""
        self.state.save()

    def _fail(self, test):
        self.state.failures.append(test.id())
        self.state.save()

    def addError(self, test, err):
        super().addError(test, err)
        self._fail(test)
        if issubclass(err[0], Expired):
            self.stop()

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._fail(test)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._fail(subtest)
            if issubclass(err[0], Expired):
                self.stop()

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self._fail(test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        if reason.startswith(PERMITTED_SKIP):
            print(f"case-skipped: {test.id()}: {reason}", flush=True)
        else:
            self.state.failures.append(f"{test.id()}: skipped: {reason}")
            self.state.save()


def stage_of(name):
    found = re.fullmatch(r"Boot(\d+)", name)
    return int(found[1]) if found else 1


def stages(module):
    """The test classes of the module by the boot that they belong to."""
    classes = {}
    for name, value in vars(module).items():
        if isinstance(value, type) and issubclass(value, unittest.TestCase) and value.__module__ == module.__name__:
            classes.setdefault(stage_of(name), []).append(value)
    if sorted(classes) != list(range(1, len(classes) + 1)):
        raise SystemExit(f"runner: classes are for boots {sorted(classes)}; they must count up from 1")
    return classes


def reseed():
    """Machines of one snapshot share their random state until somebody stirs it."""
    seed = os.environ.get("LILIUM_VM_SEED", "")
    with open("/dev/urandom", "wb", buffering=0) as device:
        device.write(bytes.fromhex(seed))
        fcntl.ioctl(device, RNDRESEEDCRNG)


def limit():
    """A case that hangs fails while it can still say where; the bed's own limit comes later."""
    seconds = int(os.environ.get("LILIUM_VM_TIMEOUT", "300"))

    def expired(_signal, _frame):
        raise Expired(f"the case's time limit of {seconds} s is over")

    signal.signal(signal.SIGALRM, expired)
    signal.alarm(seconds)
    faulthandler.enable()
    faulthandler.dump_traceback_later(seconds + 20)


def resume(state, last):
    """After a reboot: the stage that began has ended, by itself or by a test that took the machine down."""
    if not state.begun:
        return
    if state.running:
        print(f"runner: the machine went down in {state.running}", flush=True)
        if state.stage >= last:
            state.failures.append(f"{state.running}: the machine went down, and no stage is left to go on with")
    state.stage, state.begun, state.running = state.stage + 1, False, ""
    state.save()


def run_stage(state, classes):
    loader = unittest.TestLoader()
    suite = unittest.TestSuite(loader.loadTestsFromTestCase(each) for each in classes)
    state.begun = True
    state.save()
    Result.state = state
    unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Result).run(suite)


def go_down():
    """The way down of a crash, but with the disks written: no service has a say."""
    print("runner: rebooting", flush=True)
    os.sync()
    pathlib.Path("/proc/sys/kernel/sysrq").write_text("1")
    pathlib.Path("/proc/sysrq-trigger").write_text("b")
    signal.pause()


def explain():
    for command in EXPLAIN:
        print("---", *command, flush=True)
        with contextlib.suppress(subprocess.TimeoutExpired, OSError):
            shown = subprocess.run(
                command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=15,
                check=False).stdout
            print("\n".join(shown.splitlines()[-60:]), flush=True)


def finish(state):
    signal.alarm(0)
    if state.ran == 0:
        state.failures.append(f"{state.module}: has no test")
    if state.failures:
        explain()
        print(f"--- failed, of {state.ran} tests:", *state.failures, sep="\n", flush=True)
    return 1 if state.failures else 0


def main(name):
    reseed()
    limit()
    state = State(name)
    try:
        classes = stages(importlib.import_module(name))
        resume(state, len(classes))
        if state.stage in classes:
            run_stage(state, classes[state.stage])
            if state.stage < len(classes) and not state.failures:
                go_down()
    except Expired as error:
        # Raised between tests, where unittest does not catch it.
        state.failures.append(str(error))
    return finish(state)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
