"""The packaged service under systemd, as a person finds it after the installation. It must not change a setting."""

import json
import re
import unittest

import host

CASE = {"image": "installed", "start": "snapshot", "kernels": "all", "timeout": 180}


def properties(*names):
    shown = host.run("systemctl", "show", "liliumd", *(f"--property={name}" for name in names)).stdout
    return dict(line.split("=", 1) for line in shown.splitlines())


class Service(unittest.TestCase):
    def test_runs_and_tells_systemd_so(self):
        found = properties("Type", "ActiveState", "SubState", "NRestarts", "MainPID", "StatusText", "UnitFileState")
        self.assertEqual(found["Type"], "notify")
        self.assertEqual((found["ActiveState"], found["SubState"]), ("active", "running"))
        self.assertEqual(found["NRestarts"], "0")
        self.assertNotEqual(found["StatusText"], "")
        self.assertEqual(found["UnitFileState"], "enabled")
        with open(f"/proc/{found['MainPID']}/comm") as file:
            self.assertEqual(file.read().strip(), "liliumd")

    def test_systemctl_status_shows_it(self):
        shown = host.run("systemctl", "status", "--no-pager", "liliumd").stdout
        self.assertIn("Active: active (running)", shown)
        self.assertRegex(shown, r"Status: \".+\"")

    def test_watchdog_is_set_and_kills_without_a_core(self):
        found = properties("WatchdogUSec", "WatchdogSignal", "LimitCORE")
        self.assertNotIn(found["WatchdogUSec"], ("0", "infinity"))
        self.assertEqual(found["WatchdogSignal"], "9")
        self.assertEqual(found["LimitCORE"], "0")

    def test_every_mechanism_is_off(self):
        reported = host.status()["mechanisms"]
        self.assertEqual({line["mechanism"] for line in reported}, set(host.MECHANISMS))
        for line in reported:
            with self.subTest(mechanism=line["mechanism"]):
                self.assertEqual((line["mode"], line["effect"]), ("off", "off"))

    def test_started_record_is_in_the_journal_of_the_unit(self):
        shown = host.run("journalctl", "-b", "-o", "json", "LILIUM_KIND=started").stdout
        found = [json.loads(line) for line in shown.splitlines()]
        self.assertEqual([line["_SYSTEMD_UNIT"] for line in found], ["liliumd.service"], shown)
        self.assertEqual(found[0]["_PID"], str(host.daemon_pid()))

    def test_hardening_has_a_figure(self):
        shown = host.run("systemd-analyze", "security", "--no-pager", "liliumd.service", check=False).stdout
        figure = re.search(r"Overall exposure level for liliumd\.service: ([\d.]+)", shown)
        self.assertIsNotNone(figure, shown)
        print(f"systemd-analyze security: {figure[1]}")

    def test_unit_is_clean(self):
        shown = host.run("systemd-analyze", "verify", "--man=no", "/lib/systemd/system/liliumd.service")
        self.assertEqual(shown.stdout.strip(), "")
