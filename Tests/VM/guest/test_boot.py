"""A boot of a stock system with exec enforced from the start: it comes up whole, and nothing of its own is denied.

Then a boot with a policy that cannot be used: the one that was last in force goes on, or nothing, as configured.
"""

import shutil
import unittest

import host

CASE = {"start": "boot", "kernels": "all", "timeout": 600}
ENFORCED = {"exec": "enforce"}
REFUSE = '[failure]\non_bad_policy = "refuse"\n'
COPY = "/usr/local/bin/copied"


def boot_records(**fields):
    """Lilium's records since this boot."""
    return host.records_of("-b", **fields)


def denies_copies():
    return host.refusal(COPY) == "EPERM"


def property_of(unit, name):
    return host.run("systemctl", "show", "-p", name, "--value", unit).stdout.strip()


def wait_for_boot():
    """Waits until systemd has nothing left to start; gives what it says of itself."""
    return host.run("systemctl", "is-system-running", "--wait", check=False, timeout=240).stdout.strip()


class Boot1(unittest.TestCase):
    def test_prepare(self):
        shutil.copy("/usr/bin/true", COPY)
        host.run("systemctl", "enable", "liliumd")
        host.configure(ENFORCED)
        self.assertTrue(denies_copies())


class Boot2(unittest.TestCase):
    def test_1_comes_up_whole_and_guarded(self):
        self.assertEqual(wait_for_boot(), "running", host.run("systemctl", "--failed", check=False).stdout)
        self.assertEqual(host.mechanism("exec")["mode"], "enforce")
        self.assertTrue(denies_copies())

    def test_2_denied_nothing_of_its_own(self):
        denied = [record for record in boot_records(verdict="deny") if record.get("LILIUM_OBJECT_PATH") != COPY]
        self.assertEqual(denied, [])
        self.assertEqual(host.losses(), {})
        allowed = sum(line["count"] for line in host.status()["decisions"] if line["verdict"] == "allow")
        self.assertGreater(allowed, 20, "a boot that asks about so little was not guarded")

    def test_3_starts_before_the_services_of_sysinit(self):
        ready = int(property_of("liliumd.service", "ActiveEnterTimestampMonotonic"))
        self.assertGreater(ready, 0)
        self.assertLess(ready, int(property_of("sysinit.target", "ActiveEnterTimestampMonotonic")))
        self.assertLess(ready, int(property_of("dbus.service", "ExecMainStartTimestampMonotonic")))

    def test_4_break_the_rules(self):
        host.SITE_RULES.write_text("deny exec when object.pth == 1\n")


class Boot3(unittest.TestCase):
    def test_1_the_last_good_policy_goes_on(self):
        wait_for_boot()
        self.assertTrue(denies_copies())
        status = host.status()
        self.assertTrue(status["policy"]["last_good"])
        self.assertIn("unknown attribute", status["policy"]["last_reload_error"])
        self.assertIn("last good policy", host.run("systemctl", "status", "liliumd").stdout)
        self.assertEqual(len(boot_records(kind="policy-refused")), 1)

    def test_2_a_mended_policy_is_taken(self):
        host.SITE_RULES.write_text(f'allow exec when object.path == "{COPY}"\n')
        host.run("liliumctl", "reload")
        host.run(COPY)
        self.assertNotIn("last_good", host.status()["policy"])

    def test_3_break_them_again_and_refuse(self):
        host.CONFIGURATION.write_text(host.configuration(ENFORCED, REFUSE))
        host.run("liliumctl", "reload")
        host.SITE_RULES.write_text("nonsense\n")


class Boot4(unittest.TestCase):
    def test_1_does_not_start_and_the_host_is_there(self):
        self.assertEqual(wait_for_boot(), "degraded")
        self.assertFalse(host.is_running())
        host.run(COPY)
        told = host.run("journalctl", "-b", "-u", "liliumd", "-o", "cat").stdout
        self.assertIn("10-test.rules:1:1", told)
        self.assertIn("does not start with these errors", told)
