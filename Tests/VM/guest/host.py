"""The guest as its tests see it: commands, the packaged service, its records.

It must not know how the machine was made.
Every wait has an end, and every end is an exception: a test that hangs would say nothing about where.
"""

import contextlib
import errno
import json
import os
import pathlib
import subprocess
import time

CONFIGURATION = pathlib.Path("/etc/lilium/lilium.toml")
SITE_RULES = pathlib.Path("/etc/lilium/rules.d/10-test.rules")
MECHANISMS = ("exec", "open", "ptrace", "mprotect", "module", "kexec", "mount", "clone", "ioctl")
CALLS = MECHANISMS[2:]
# Emulation is slow and the host is shared; nothing here measures how long a thing takes.
PATIENCE = 60
# A slow guest must not look like a daemon that is late. A case that is about the deadline has a [failure] of its own.
PATIENT = "[failure]\nanswer_deadline_ms = 30000"


def run(*command, check=True, user=None, timeout=120, stdin=None, environment=None):
    """Runs a command and returns it with its output as text, standard error after standard output."""
    if user:
        command = ("setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *command)
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=timeout,
        input=stdin, env=dict(os.environ, **(environment or {})))
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: exit status {done.returncode}\n{done.stdout}")
    return done


def refusal(*command, user=None):
    """How the kernel refused to execute a program, as the name of the errno; None where it ran."""
    credentials = {"user": user, "group": user, "extra_groups": []} if user else {}
    try:
        subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=PATIENCE,
            **credentials)
    except OSError as error:
        return errno.errorcode[error.errno]
    return None


def wait_until(what, condition, seconds=PATIENCE):
    """Waits for `condition()` to be true and returns what it gave; `what` names it in the error."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.1)


def answers(seconds=5):
    """The host still runs programs: `id`, as a user would, within `seconds`."""
    began = time.monotonic()
    run("/usr/bin/id", timeout=seconds)
    return time.monotonic() - began


def kernel():
    """The kernel's version as (major, minor)."""
    return tuple(int(part) for part in os.uname().release.split(".")[:2])


def configuration(modes, extra=""):
    """The text of a configuration. Tests' own folder stays out of coverage: no package vouches for it.

    `extra` is TOML for further tables; it must not name [mode] or [coverage] again. With a [failure] in it,
    the daemon's own deadline holds, or the one that stands there.
    """
    lines = ["[mode]", *(f'{name} = "{mode}"' for name, mode in modes.items())]
    lines += ["[coverage]", 'exclude = ["/payload"]']
    lines += [extra] if "[failure]" in extra else [PATIENT, extra]
    return "\n".join(lines) + "\n"


# System calls by the kernel's audit, also where the BPF LSM could sense them.
BY_AUDIT = "[sense]\n" + "\n".join(f'{name} = "audit"' for name in CALLS) + "\n"


def has_lsm():
    """Whether this kernel's BPF LSM can deny: it is in the list, and newer than what the programs need (5.17)."""
    active = pathlib.Path("/sys/kernel/security/lsm")
    return active.exists() and "bpf" in active.read_text().strip().split(",") and kernel() >= (5, 17)


def contained(*mechanisms):
    """`[on_unpreventable]` with "contain" for these."""
    return "[on_unpreventable]\n" + "\n".join(f'{name} = "contain"' for name in mechanisms) + "\n"


def configure(modes, rules="", extra=""):
    """Writes configuration and site rules and puts them in force, starting the service where it does not run."""
    CONFIGURATION.write_text(configuration(modes, extra))
    SITE_RULES.write_text(rules)
    if is_running():
        run("liliumctl", "reload")
    else:
        run("systemctl", "reset-failed", "liliumd", check=False)
        run("systemctl", "start", "liliumd")


def is_running():
    return run("systemctl", "is-active", "--quiet", "liliumd", check=False).returncode == 0


def daemon_pid():
    """The main process of the service as systemd knows it; 0 for none."""
    return int(run("systemctl", "show", "-p", "MainPID", "--value", "liliumd").stdout)


def signal_daemon(number):
    """The service manager sends it: of an enforcing daemon nobody else may. systemctl opens nothing afterwards."""
    run("systemctl", "kill", "--kill-who=main", "-s", str(int(number)), "liliumd")


def status():
    """`liliumctl status --json`, the report of the running daemon."""
    return json.loads(run("liliumctl", "status", "--json").stdout)


def losses():
    return status()["losses"]


def mechanism(name):
    """Mode, configured mode and effect of one mechanism as status reports them."""
    return next(line for line in status()["mechanisms"] if line["mechanism"] == name)


def cursor():
    """A place in the journal: records() gives what came after it. Flushes first, so nothing earlier comes later."""
    run("journalctl", "--sync", check=False)
    shown = run("journalctl", "-n", "0", "--show-cursor").stdout
    return shown.rsplit("-- cursor: ", 1)[1].strip()


def records(since, **fields):
    """Lilium's journal records after a cursor whose fields have these values, each as a dictionary of strings.

    records(place, mechanism="ptrace", verdict="deny") asks for LILIUM_MECHANISM=ptrace and LILIUM_VERDICT=deny.
    """
    # --after-cursor skips the first match where the entry at the cursor does not match itself (systemd 252).
    return [line for line in records_of(f"--cursor={since}", **fields) if line["__CURSOR"] != since]


def records_of(*part, **fields):
    """The same of the part of the journal that these options of journalctl name, as "-b"."""
    matches = [f"LILIUM_{name.upper()}={value}" for name, value in fields.items()]
    shown = run("journalctl", *part, "-o", "json", "-a", "_COMM=liliumd", *matches).stdout
    # Not splitlines(): a file name may hold what that takes for a line's end.
    lines = [json.loads(line) for line in shown.split("\n") if line.startswith("{")]
    return [line for line in lines if "LILIUM_KIND" in line]


def expect_record(since, seconds=PATIENCE, **fields):
    """Waits for a record with these fields."""
    return wait_until(f"a record with {fields}", lambda: records(since, **fields), seconds)[0]


@contextlib.contextmanager
def process(*command, **options):
    """A process that is ended and waited for in the end, whatever becomes of the test."""
    child = subprocess.Popen(command, **options)
    try:
        yield child
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        child.wait(timeout=PATIENCE)
