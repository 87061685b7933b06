"""Lilium beside the other users of the kernel's audit: an audit daemon, rules that hide calls, rules that are locked.

It must not lock the rules before a boot that needs them open: Boot2 and Boot3 do, and each ends with its boot.
"""

import json
import pathlib
import re
import unittest

import host

CASE = {"image": "installed", "start": "boot", "kernels": "all", "timeout": 500}

USER = 1500
RULES = pathlib.Path("/etc/audit/rules.d/90-lilium.rules")
TRACE = ("strace", "-o", "/dev/null", "true")


def doctor(name):
    """The lines of doctor with this name."""
    report = json.loads(host.run("liliumctl", "doctor", "--json", check=False).stdout)
    return [check for check in report["checks"] if check["name"] == name]


def rules():
    return host.run("auditctl", "-l").stdout.splitlines()


def own_rules():
    return [line for line in rules() if "key=lilium." in line or "-k lilium." in line]


class Boot1(unittest.TestCase):
    @classmethod
    def tearDownClass(cls):
        host.configure({})

    def test_an_audit_daemon_beside(self):
        host.configure({"ptrace": "audit"}, extra=host.BY_AUDIT)
        host.run("systemctl", "start", "auditd")
        self.addCleanup(host.run, "systemctl", "kill", "auditd", check=False)
        self.assertIn("auditd", doctor("audit readers")[0]["detail"])
        place = host.cursor()
        host.run(*TRACE, user=USER)
        record = host.expect_record(place, mechanism="ptrace", subject_uid=str(USER))
        serial = record["LILIUM_OPERATION_AUDIT_SERIAL"]
        log = pathlib.Path("/var/log/audit/audit.log")
        host.wait_until(
            "the audit daemon's line of the same event",
            lambda: re.search(rf"type=SYSCALL msg=audit\([0-9.]+:{serial}\): .* key=\"?lilium\.", log.read_text()))

    def test_deleted_rules_are_put_back(self):
        host.configure({"ptrace": "audit"}, extra=host.BY_AUDIT)
        before = own_rules()
        self.assertTrue(before)
        place = host.cursor()
        host.run("auditctl", "-D")
        host.wait_until("the rules", lambda: own_rules() == before)
        host.expect_record(place, kind="sensing-changed")
        host.run(*TRACE, user=USER)
        host.expect_record(place, mechanism="ptrace", subject_uid=str(USER))

    def test_a_rule_that_blinds_every_process(self):
        host.configure({"ptrace": "audit"}, extra=host.BY_AUDIT)
        self.assertEqual(doctor("audit rules")[0]["state"], "available")
        self.assertEqual(doctor("tripwire ptrace")[0]["state"], "available")
        host.run("auditctl", "-a", "never,task")
        try:
            found = doctor("audit rules")
            self.assertEqual(found[0]["state"], "missing", found)
            self.assertIn("never,task", " ".join(check["detail"] for check in found))
            self.assertEqual(doctor("tripwire ptrace")[0]["state"], "missing")
        finally:
            host.run("auditctl", "-d", "never,task")
        self.assertEqual(doctor("audit rules")[0]["state"], "available")
        self.assertEqual(doctor("tripwire ptrace")[0]["state"], "available")

    def test_a_rule_that_hides_a_call(self):
        host.configure({"ptrace": "audit"}, extra=host.BY_AUDIT)
        hiding = ("never,exit", "-F", "arch=b64", "-S", "ptrace")
        host.run("auditctl", "-A", *hiding)
        try:
            found = doctor("audit rules")
            self.assertEqual(found[0]["state"], "missing", found)
            self.assertIn("never", " ".join(check["detail"] for check in found))
            self.assertEqual(doctor("tripwire ptrace")[0]["state"], "missing")
        finally:
            host.run("auditctl", "-d", *hiding)
        self.assertEqual(doctor("tripwire ptrace")[0]["state"], "available")

    def test_audit_is_left_as_it_was_found(self):
        host.configure({})
        host.wait_until("no rules", lambda: own_rules() == [])
        self.assertIn("enabled 0", host.run("auditctl", "-s").stdout)
        host.configure({"ptrace": "audit"}, extra=host.BY_AUDIT)
        self.assertIn("enabled 1", host.run("auditctl", "-s").stdout)
        host.configure({})
        host.wait_until("no rules", lambda: own_rules() == [])
        self.assertIn("enabled 0", host.run("auditctl", "-s").stdout)

    def test_rules_of_others_stay(self):
        other = ("-w", "/etc/hostname", "-p", "wa", "-k", "site")
        host.run("auditctl", *other)
        self.addCleanup(host.run, "auditctl", "-W", *other[1:])
        host.configure({"ptrace": "audit"}, extra=host.BY_AUDIT)
        host.configure({})
        host.wait_until("no rules of Lilium", lambda: own_rules() == [])
        self.assertTrue([line for line in rules() if "site" in line])


class Boot2(unittest.TestCase):
    """The rules are locked, and Lilium's are not among them."""

    def test_the_start_is_refused_and_says_what_is_missing(self):
        RULES.unlink(missing_ok=True)
        host.run("systemctl", "stop", "liliumd")
        host.CONFIGURATION.write_text(host.configuration({"ptrace": "audit"}, host.BY_AUDIT))
        wanted = host.run("liliumctl", "rules").stdout.splitlines()
        host.run("auditctl", "-D")
        host.run("auditctl", "-e", "2")
        place = host.cursor()
        self.assertNotEqual(host.run("systemctl", "start", "liliumd", check=False).returncode, 0)
        host.run("systemctl", "stop", "liliumd")
        said = host.run("journalctl", f"--after-cursor={place}", "-u", "liliumd", "-o", "cat").stdout
        self.assertIn("locked", said)
        for rule in (line for line in wanted if line.startswith("-a")):
            self.assertIn(rule, said)
        self.assertIn("locked", doctor("audit")[0]["detail"])
        with self.subTest("without a system call that is watched it starts"):
            host.configure({})
            self.assertTrue(host.is_running())
        with self.subTest("and a reload that needs rules is refused, and changes nothing"):
            host.CONFIGURATION.write_text(host.configuration({"ptrace": "audit"}, host.BY_AUDIT))
            self.assertNotEqual(host.run("liliumctl", "reload", check=False).returncode, 0)
            self.assertEqual(host.mechanism("ptrace")["mode"], "off")
            host.configure({})


class Boot3(unittest.TestCase):
    """Lilium's rules were set before the rules were locked, as liliumd(8) says."""

    def test_it_starts_and_senses(self):
        host.run("systemctl", "stop", "liliumd")
        host.CONFIGURATION.write_text(host.configuration({"ptrace": "audit"}, host.BY_AUDIT))
        RULES.write_text(host.run("liliumctl", "rules").stdout)
        host.run("auditctl", "-D")
        host.run("auditctl", "-R", str(RULES))
        host.run("auditctl", "-e", "2")
        locked = rules()
        host.run("systemctl", "start", "liliumd")
        place = host.cursor()
        host.run(*TRACE, user=USER)
        host.expect_record(place, mechanism="ptrace", subject_uid=str(USER))
        self.assertEqual(doctor("tripwire ptrace")[0]["state"], "available")
        host.run("systemctl", "restart", "liliumd")
        self.assertEqual(rules(), locked)
        RULES.unlink()


if __name__ == "__main__":
    unittest.main()
