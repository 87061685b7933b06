"""The way out: lilium.mode=audit on the kernel command line, over a configuration that enforces everything it can.

It must be named wherever an administrator looks, for a host that she takes for guarded is not.
"""

import shutil
import unittest

import host

CASE = {"start": "boot", "kernels": "default", "append": "lilium.mode=audit", "timeout": 400}
COPY = "/usr/local/bin/copied"
NAMED = "lilium.mode=audit"


class Boot1(unittest.TestCase):
    def test_prepare(self):
        shutil.copy("/usr/bin/true", COPY)
        host.run("systemctl", "enable", "liliumd")
        host.configure({"exec": "enforce", "ptrace": "enforce", "mount": "audit"}, extra=host.contained("ptrace"))


class Boot2(unittest.TestCase):
    def test_1_nothing_is_denied(self):
        place = host.cursor()
        host.run(COPY)
        record = host.expect_record(place, mechanism="exec", verdict="deny")
        self.assertEqual((record["LILIUM_MODE"], record["LILIUM_EFFECT"]), ("audit", "logged"))

    def test_2_off_stays_off(self):
        modes = {line["mechanism"]: line["mode"] for line in host.status()["mechanisms"]}
        on = {name for name, mode in modes.items() if mode != "off"}
        self.assertEqual(on, {"exec", "ptrace", "mount"})
        self.assertEqual({modes[name] for name in on}, {"audit"})

    def test_3_is_named_everywhere(self):
        self.assertEqual(host.status()["daemon"]["command_line_mode"], "audit")
        self.assertIn(NAMED, host.run("liliumctl", "status").stdout)
        self.assertIn(NAMED, host.run("systemctl", "status", "liliumd").stdout)
        started = host.records_of("-b", kind="started")
        self.assertEqual([record["LILIUM_COMMAND_LINE_MODE"] for record in started], ["audit"])

    def test_4_a_reload_does_not_change_that(self):
        host.run("liliumctl", "reload")
        self.assertEqual(host.mechanism("exec")["mode"], "audit")
        host.run(COPY)
