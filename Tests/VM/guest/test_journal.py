"""The records in the journal: whole, findable, unforgeable, forwarded; a journald that fails delays no answer.

It must not compare times, and must not believe a count that it cannot add up from status and journal together.
"""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import unittest

import host

CASE = {"image": "installed", "start": "snapshot", "kernels": "all", "timeout": 600}

USER = 1500
HOME = pathlib.Path("/home/journal-tester")
PROGRAM = str(HOME / "program")
DECISION = "c1a5d6d3fe8d4fd7817f31e7f59c46d7"
FORWARDER = "/lib/systemd/systemd-journal-"
PORT = 29532
# net.unix.max_dgram_qlen is 512 under systemd.
FLOOD = 700
SOCKETS = ("systemd-journald.socket", "systemd-journald-dev-log.socket", "systemd-journald-audit.socket")
DROP_IN = pathlib.Path("/etc/systemd/journald.conf.d/test.conf")
# ptrace(2) needs no program: who calls it is this interpreter, as a user.
ATTACH = """
import ctypes, os, signal, sys
libc = ctypes.CDLL(None, use_errno=True)
child = os.fork()
if child == 0:
    signal.pause()
libc.ptrace(16, child, 0, 0)  # PTRACE_ATTACH
os.kill(child, signal.SIGKILL)
os.waitpid(child, 0)
"""


def setUpModule():
    host.run("useradd", "--create-home", "--home-dir", str(HOME), "--uid", str(USER), "journal-tester")
    copied(PROGRAM)
    # Its own records must all be there to be counted: no limit of Lilium's own.
    host.configure({"exec": "enforce", "ptrace": "audit"}, extra='[log]\nrate_limit = "off"\n')


def tearDownModule():
    host.configure({})


def copied(target):
    """A copy of a trusted program at a path that nobody vouches for, which the user owns."""
    shutil.copyfile("/usr/bin/true", target)
    os.chmod(target, 0o755)
    os.chown(target, USER, USER)
    return target


def attach():
    host.run("/usr/bin/python3", "-c", ATTACH, user=USER)


def systemctl(verb, *units):
    """Starts or restarts journald, as often as the tests want it: systemd allows five starts in ten seconds."""
    host.run("systemctl", "reset-failed", "systemd-journald.service", check=False)
    host.run("systemctl", verb, *units, "systemd-journald.service")


def counters():
    """How many records the journal's sink took, and how many it or the trail's queue had to drop."""
    report = host.status()["records"]
    return report["written"], report["dropped"]


def listed(*arguments):
    """The journal's entries as journalctl shows them in JSON."""
    shown = host.run("journalctl", "-o", "json", "-a", *arguments).stdout
    # Not splitlines(): journalctl shows U+2028 as it is, and that is no end of a line of JSON.
    return [json.loads(line) for line in shown.split("\n") if line.startswith("{")]


def flat(record, prefix="LILIUM_"):
    """The journal's form of a record's JSON: text, or a list of texts, by name."""
    fields = {}
    for key, value in record.items():
        name = prefix + key.upper()
        if isinstance(value, dict):
            fields.update(flat(value, name + "_"))
        elif isinstance(value, list):
            fields[name] = value[0] if len(value) == 1 else value or ""
        else:
            fields[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return fields


def own(entry):
    return {name: value for name, value in entry.items() if name.startswith("LILIUM_")}


class Fields(unittest.TestCase):
    def decided(self):
        place = host.cursor()
        self.assertEqual(host.refusal(PROGRAM, user=USER), "EPERM")
        attach()
        execution = host.expect_record(place, mechanism="exec", verdict="deny", object_path=PROGRAM)
        return execution, host.expect_record(place, mechanism="ptrace", verdict="deny")

    def test_every_field_is_there(self):
        for entry in self.decided():
            explained = json.loads(host.run("liliumctl", "explain", entry["LILIUM_ID"], "--json").stdout)
            self.assertEqual(own(entry), flat(explained["record"]))
            self.assertEqual(entry["_SYSTEMD_UNIT"], "liliumd.service")
            self.assertEqual(entry["SYSLOG_IDENTIFIER"], "liliumd")
            self.assertEqual(entry["MESSAGE_ID"], DECISION)
            self.assertEqual(entry["OBJECT_PID"], entry["LILIUM_SUBJECT_PID"])
            self.assertEqual(entry["PRIORITY"], "4" if entry["LILIUM_MODE"] == "enforce" else "5")
            self.assertIn(f"liliumctl explain {entry['LILIUM_ID']}", entry["MESSAGE"])

    def test_the_unit_selects_them(self):
        ids = {entry["LILIUM_ID"] for entry in self.decided()}
        found = {entry.get("LILIUM_ID") for entry in listed("-u", "liliumd")}
        self.assertLessEqual(ids, found)

    def test_fields_select_exactly(self):
        self.decided()
        everything = [entry for entry in listed("_COMM=liliumd") if "LILIUM_ID" in entry]
        wanted = [entry["LILIUM_ID"] for entry in everything
                  if entry.get("LILIUM_MECHANISM") == "ptrace" and entry.get("LILIUM_VERDICT") == "deny"]
        found = [entry["LILIUM_ID"] for entry in listed("LILIUM_MECHANISM=ptrace", "LILIUM_VERDICT=deny")]
        self.assertTrue(wanted)
        self.assertEqual(found, wanted)
        self.assertLess(len(wanted), len(everything))

    def test_the_catalog_speaks(self):
        _, entry = self.decided()
        shown = host.run("journalctl", "-x", f"LILIUM_ID={entry['LILIUM_ID']}").stdout
        self.assertIn("Lilium decided about ptrace: deny", shown)
        self.assertIn(f"Process {entry['LILIUM_SUBJECT_PID']} asked for ptrace", shown)
        self.assertIn(f"liliumctl explain {entry['LILIUM_ID']}", shown)
        self.assertNotIn("@LILIUM_", shown)


class Hostile(unittest.TestCase):
    NAMES = (
        b"a\nLILIUM_VERDICT=allow\nMESSAGE=forged\n",
        b"b\x1b[2J\x1b]0;title\x07",
        b"c\xff\xfe\x80",
        "d\u202egpj.exe\u2028".encode(),
        # The journal's own framing, as far as a file name can hold it.
        b"e\nLILIUM_VERDICT\n\x05allow\n",
    )

    def test_a_name_forges_nothing(self):
        place = host.cursor()
        for name in self.NAMES:
            path = bytes(HOME) + b"/" + name
            copied(path)
            self.assertEqual(host.refusal(path, user=USER), "EPERM", name)
        entries = host.wait_until("a record of each", lambda: self.denied(place))
        for entry, name in zip(entries, self.NAMES):
            path = entry["LILIUM_OBJECT_PATH"]
            raw = bytes(path) if isinstance(path, list) else path.encode()
            self.assertEqual(raw, bytes(HOME) + b"/" + name)
            self.assertEqual(entry["LILIUM_VERDICT"], "deny")
            self.assertIsInstance(entry["MESSAGE"], str)
            self.assertNotRegex(entry["MESSAGE"], "[\\x00-\\x1f\\x7f\\u202e\\u2028]")
        self.assertFalse(listed(f"--cursor={place}", "MESSAGE=forged"))
        lines = host.run("journalctl", f"--cursor={place}", "-o", "cat", "_COMM=liliumd", "LILIUM_KIND=decision",
                         f"LILIUM_SUBJECT_UID={USER}").stdout.split("\n")
        self.assertEqual(len([line for line in lines if line.startswith("deny exec")]), len(self.NAMES))

    def denied(self, place):
        found = listed(
            f"--cursor={place}", "LILIUM_MECHANISM=exec", "LILIUM_VERDICT=deny", f"LILIUM_SUBJECT_UID={USER}")
        return found if len(found) == len(self.NAMES) else None


class Forwarded(unittest.TestCase):
    def test_every_field_arrives(self):
        folder = pathlib.Path("/var/log/journal/remote-test")
        folder.mkdir()
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        place = host.cursor()
        self.assertEqual(host.refusal(PROGRAM, user=USER), "EPERM")
        attach()
        hostile = os.fsdecode(bytes(HOME) + b"/up\nload\xff")
        copied(hostile)
        self.assertEqual(host.refusal(hostile, user=USER), "EPERM")
        host.expect_record(place, mechanism="ptrace", verdict="deny")
        host.wait_until("three records", lambda: len(host.records(place, verdict="deny")) >= 3)
        sent = host.records(place, kind="decision")
        target = folder / "remote.journal"
        receiver = (FORWARDER + "remote", f"--listen-http=127.0.0.1:{PORT}", f"--output={target}", "--split-mode=none")
        sender = (FORWARDER + "upload", f"--url=http://127.0.0.1:{PORT}", f"--after-cursor={place}",
                  "--save-state=/run/journal-upload-test")
        with host.process(*receiver), contextlib.ExitStack() as stack:
            host.wait_until("the receiver listens", lambda: f":{PORT}" in host.run("ss", "-ltn").stdout)
            stack.enter_context(host.process(*sender))
            ids = {entry["LILIUM_ID"] for entry in sent}
            arrived = host.wait_until("every record", lambda: self.arrived(target, ids))
        for entry in sent:
            self.assertEqual(own(arrived[entry["LILIUM_ID"]]), own(entry))
            for name in ("MESSAGE", "MESSAGE_ID", "PRIORITY", "_HOSTNAME", "_SYSTEMD_UNIT"):
                self.assertEqual(arrived[entry["LILIUM_ID"]][name], entry[name])

    def arrived(self, target, ids):
        if not target.exists():
            return None
        found = {entry["LILIUM_ID"]: entry for entry in listed(f"--file={target}", "LILIUM_KIND=decision")}
        return found if ids <= set(found) else None


class Journald(unittest.TestCase):
    """Whatever becomes of journald: denied stays denied, the host answers, each record is written or counted."""

    def setUp(self):
        self.place = host.cursor()
        self.written, self.dropped = counters()

    def denials(self, count, each=1):
        for number in range(count):
            self.assertEqual(host.refusal(PROGRAM, user=USER), "EPERM")
            if number % each == 0:
                host.answers()

    def accounted(self, least):
        """Waits until so many records are written or counted as dropped since setUp; gives both numbers."""
        def enough():
            written, dropped = counters()
            written, dropped = written - self.written, dropped - self.dropped
            return (written, dropped) if written + dropped >= least else None
        return host.wait_until(f"{least} records are accounted for", enough)

    def found(self):
        host.run("journalctl", "--sync", check=False)
        return len(host.records(self.place, mechanism="exec", verdict="deny", object_path=PROGRAM))

    def comes_back(self):
        """After a failure a denial is in the journal again."""
        place = host.cursor()
        self.assertEqual(host.refusal(PROGRAM, user=USER), "EPERM")
        host.expect_record(place, mechanism="exec", verdict="deny", object_path=PROGRAM)

    @staticmethod
    def journald():
        return int(host.run("systemctl", "show", "-p", "MainPID", "--value", "systemd-journald").stdout)

    def test_restarted(self):
        self.denials(5)
        systemctl("restart")
        self.denials(5)
        self.comes_back()
        _, dropped = self.accounted(11)
        self.assertGreaterEqual(self.found() + dropped, 11)

    def test_stopped_with_its_sockets(self):
        # What others log in the meantime asks for a start, which would cancel an ordinary stop.
        host.run("systemctl", "stop", "--job-mode=replace-irreversibly", *SOCKETS, "systemd-journald.service")
        self.addCleanup(systemctl, "start", *SOCKETS)
        self.denials(10)
        written, dropped = self.accounted(10)
        self.assertEqual(written, 0, "nobody took any")
        self.assertGreaterEqual(dropped, 10)
        systemctl("start", *SOCKETS)
        self.comes_back()
        told = host.expect_record(self.place, kind="loss", what="sink-journal")
        self.assertGreaterEqual(int(told["LILIUM_COUNT"]), 10)

    def test_killed(self):
        os.kill(self.journald(), signal.SIGKILL)
        self.denials(10)
        self.comes_back()
        self.accounted(11)

    def test_frozen(self):
        """More than the socket's queue of datagrams takes: then the sink drops, and says so."""
        pid = self.journald()
        os.kill(pid, signal.SIGSTOP)
        try:
            self.denials(FLOOD, each=50)
            _, dropped = self.accounted(FLOOD)
            self.assertGreater(dropped, 0, "the socket's queue is full")
        finally:
            os.kill(pid, signal.SIGCONT)
        self.comes_back()
        _, dropped = self.accounted(FLOOD + 1)
        self.assertGreaterEqual(self.found() + dropped, FLOOD + 1)
        host.expect_record(self.place, kind="loss", what="sink-journal")

    def test_rate_limited(self):
        """The unit has switched journald's limit off for itself, whatever journald.conf says."""
        DROP_IN.parent.mkdir(parents=True, exist_ok=True)
        DROP_IN.write_text("[Journal]\nRateLimitIntervalSec=10min\nRateLimitBurst=3\n")
        self.addCleanup(systemctl, "restart")
        self.addCleanup(DROP_IN.unlink)
        systemctl("restart")
        self.comes_back()
        self.setUp()
        self.denials(30, each=10)
        self.assertEqual(self.accounted(30)[1], 0)
        self.assertEqual(self.found(), 30)

    def test_it_is_the_opener(self):
        """Its own files lie on a covered file system, so it waits for verdicts itself."""
        device = os.stat("/var/log/journal").st_dev
        name = f"{os.major(device)}:{os.minor(device)}"
        self.assertIn(name, [mark["device"] for mark in host.status()["marks"]["filesystems"]])
        for command in ("--rotate", "--vacuum-files=2", "--flush"):
            host.run("journalctl", command)
            host.answers()
        for _ in range(3):
            systemctl("restart")
            self.denials(2)
        self.comes_back()
        self.accounted(7)
        host.run("systemctl", "is-active", "systemd-journald")


if __name__ == "__main__":
    unittest.main()
