"""What the tests of faults share: a load, a prober that keeps the longest wait, and what records account for.

Both helpers are processes of their own: a test whose own exec waits for the daemon could not tell how long.
It must not cause a fault: the tests do.
"""

import contextlib
import json
import os
import pathlib
import select
import shutil
import signal
import subprocess
import sys
import time

import host

# The longest that the host may keep a program waiting, whatever happens to the daemon.
LONGEST = 5
UNTRUSTED = pathlib.Path("/opt/untrusted")
ALLOWED = ("/usr/bin/true", "/usr/bin/id")
OPENED = ("/etc/passwd", "/usr/bin/ls", "/usr/lib/os-release", "/etc/lilium/lilium.toml")
# Every exec and open asks the daemon, and every denial is a record: nothing is left to the kernel or held back.
EVERYTHING = '[trust]\nremember = false\n[log]\nrate_limit = "off"\n'
# The same with the daemon's own deadline, after which the guard looks for one that stands still.
# The tests themselves may starve the daemon and mount over its state.
UNPROTECTED = EVERYTHING + "[failure]\nanswer_deadline_ms = 30000\nself_protection = false\n"
PROMPT = EVERYTHING + "[failure]\nanswer_deadline_ms = 2000\n"


def enforce(rules="", extra=EVERYTHING, **modes):
    """exec = enforce over the whole root file system, and a program that no package brought."""
    if not UNTRUSTED.exists():
        shutil.copy("/usr/bin/true", UNTRUSTED)
    host.configure({"exec": "enforce", **modes}, rules, extra)
    host.wait_until("enforcement", is_enforcing)


def is_enforcing():
    """An untrusted program is denied."""
    try:
        subprocess.run([UNTRUSTED], timeout=host.PATIENCE)
        return False
    except PermissionError:
        return True


def expect_back(seconds=host.PATIENCE):
    """The service runs again, with exec in force: as status says it, and as an untrusted program meets it."""
    host.wait_until("the service is back", lambda: host.is_running() and host.daemon_pid(), seconds)
    host.wait_until("enforcement is back", is_enforcing, seconds)
    shown = host.mechanism("exec")
    if (shown["mode"], shown["effect"]) != ("enforce", "prevent"):
        raise AssertionError(f"status says of exec: {shown}")


def restarts():
    """How often systemd has restarted the service by itself."""
    return int(host.run("systemctl", "show", "-p", "NRestarts", "--value", "liliumd").stdout)


def end_of(process_descriptor, seconds):
    """Whether the process behind a pidfd ends within `seconds`. Opens nothing and runs nothing."""
    poller = select.poll()
    poller.register(process_descriptor, select.POLLIN)
    return bool(poller.poll(seconds * 1000))


@contextlib.contextmanager
def helper(role):
    """Runs one of the roles below as a process; what it reports at its end is in the dictionary."""
    child = subprocess.Popen(
        [sys.executable, __file__, role], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    if child.stdout.readline() != "ready\n":
        raise AssertionError(f"the {role} process did not start")
    report = {}
    try:
        yield report
    finally:
        # Closing its input ends it: a signal could hit it between two looks.
        with contextlib.suppress(BrokenPipeError):
            child.stdin.close()
        try:
            report.update(json.loads(child.stdout.readline() or "{}"))
            child.wait(timeout=host.PATIENCE)
        finally:
            child.kill()
            child.stdout.close()


@contextlib.contextmanager
def probed(test, load=True, excused=lambda: 0):
    """The host answers within LONGEST seconds at every moment of the block; yields the report of the load.

    `excused` is asked afterwards how many trusted programs may have been denied: those that are counted as losses.
    """
    with contextlib.ExitStack() as stack:
        done = stack.enter_context(helper("load")) if load else {}
        with helper("probe") as probe:
            yield done
    test.assertGreater(probe.get("count", 0), 0, f"the prober never ran `id`: {probe}")
    most = excused()
    test.assertLessEqual(probe["failed"], most, f"`id` could not be run: {probe}")
    test.assertLessEqual(probe["longest"], LONGEST, f"`id` had to wait: {probe}")
    if load:
        test.assertGreater(done["allowed"] + done["denied"], 0, f"there was no load: {done}")
        test.assertLessEqual(
            done["refused"], most - probe["failed"], f"trusted programs were denied, {most} by a counted loss: {done}")


def recorded_denials(since):
    """Denials that the records after a cursor account for: each written, held back, dropped or lost by name."""
    flush()
    written = len(host.records(since, kind="decision", verdict="deny"))
    suppressed = sum(int(line["LILIUM_COUNT"]) for line in host.records(since, kind="suppressed"))
    lost = sum(int(line["LILIUM_COUNT"]) for line in host.records(since, kind="loss"))
    return written + suppressed + lost


def flush():
    """Lets the daemon's queue run empty and the journal be written."""
    if host.is_running():
        host.wait_until("an empty queue", lambda: host.status()["queue"]["pending"] == 0)
    time.sleep(1)
    host.run("journalctl", "--sync", check=False)


def expect_all_recorded(test, since, denied):
    """Every denial that the load met is accounted for."""
    recorded = recorded_denials(since)
    test.assertGreaterEqual(
        recorded, denied, f"{denied} programs were denied, and records account for {recorded} of them")


# MARK: the roles


class Input:
    """Standard input as the sign to end: at its end the helper reports and ends."""

    def __init__(self):
        self.poller = select.poll()
        self.poller.register(0, select.POLLIN | select.POLLHUP)

    def ended(self, seconds):
        return bool(self.poller.poll(seconds * 1000))


def execute(program):
    """Forks and executes; the child's pid. Exit status 126 says that the exec was denied, 127 any other failure."""
    child = os.fork()
    if child:
        return child
    try:
        os.dup2(os.open("/dev/null", os.O_RDWR), 1)
        os.execv(program, [program])
    except PermissionError:
        os._exit(126)
    except BaseException:
        os._exit(127)


def probe():
    """Runs `id` every 0.2 s and keeps the longest time; one that never ends counts with its time so far."""
    sign = Input()
    report = {"count": 0, "failed": 0, "longest": 0.0, "at": 0.0}
    began_all = time.monotonic()
    ended = False
    print("ready", flush=True)
    while not ended:
        began = time.monotonic()
        child = execute("/usr/bin/id")
        done, status = 0, 0
        while not done and not (ended and time.monotonic() - began > LONGEST):
            ended = sign.ended(0.01) or ended
            if ended:
                time.sleep(0.01)
            done, status = os.waitpid(child, os.WNOHANG)
        took = time.monotonic() - began
        report["count"] += 1
        if done and status:
            report["failed"] += 1
        if took > report["longest"]:
            report["longest"], report["at"] = round(took, 2), round(began - began_all, 2)
        ended = ended or sign.ended(0.2)
    print(json.dumps(report), flush=True)


def load():
    """Executes and opens what is trusted, and now and then what is not; counts what became of it."""
    sign = Input()
    report = {"allowed": 0, "denied": 0, "slipped": 0, "refused": 0, "opened": 0}
    print("ready", flush=True)
    while not sign.ended(0):
        for program in (*ALLOWED, str(UNTRUSTED)):
            _, status = os.waitpid(execute(program), 0)
            if program == str(UNTRUSTED):
                report["denied" if os.waitstatus_to_exitcode(status) == 126 else "slipped"] += 1
            else:
                report["refused" if status else "allowed"] += 1
        for path in OPENED * 5:
            with contextlib.suppress(PermissionError), open(path, "rb"):
                report["opened"] += 1
    print(json.dumps(report), flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    {"probe": probe, "load": load}[sys.argv[1]]()
