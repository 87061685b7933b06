"""The clock is set back and forth: what was asked for a while ends in that while, and answers come as before.

It must leave the clock right: the tests set it by what the monotonic clock says has passed.
"""

import contextlib
import json
import subprocess
import time
import unittest

import faults
import host

CASE = {"kernels": "default", "timeout": 400}

DAY = 86400
DECADE = 10 * 365 * DAY


@contextlib.contextmanager
def clock_moved(seconds):
    """The clock is off by so much, and right again afterwards."""
    begun, was = time.monotonic(), time.time()
    time.clock_settime(time.CLOCK_REALTIME, was + seconds)
    try:
        yield
    finally:
        time.clock_settime(time.CLOCK_REALTIME, was + time.monotonic() - begun)


class Clock(unittest.TestCase):
    def setUp(self):
        # Not the journal, which rotates when the clock jumps: `watch` shows the records as they are.
        faults.enforce()

    def denied_and_recorded(self):
        """One denial, with its record as `watch` shows it."""
        with host.process("liliumctl", "watch", "--json", stdout=subprocess.PIPE, text=True) as watch:
            time.sleep(2)
            with self.assertRaises(PermissionError):
                subprocess.run([faults.UNTRUSTED])
            for line in watch.stdout:
                record = json.loads(line)
                if record.get("verdict") == "deny" and record["object"].get("path") == str(faults.UNTRUSTED):
                    watch.stdout.close()
                    return record

    def test_answers_and_the_times_of_records(self):
        for shift in (-DAY, DECADE):
            with self.subTest(shift=shift), faults.probed(self), clock_moved(shift):
                year = time.gmtime().tm_year
                record = self.denied_and_recorded()
                self.assertEqual(int(record["time"][:4]), year, "a record has the time of the clock")
                self.assertLess(record["answer_us"], 60_000_000, "the time to an answer is not the clock's")
                self.assertNotIn("exec-deadline", host.losses())
        faults.expect_back()

    def override(self, duration):
        host.run("liliumctl", "mode", "--for", duration, "exec", "audit")
        self.assertEqual(host.mechanism("exec")["mode"], "audit")

    def test_a_clock_set_back_prolongs_no_override(self):
        """Twenty seconds of audit are twenty seconds, not a day of an open door."""
        self.addCleanup(host.run, "liliumctl", "reload")
        self.override("20s")
        with clock_moved(-DAY):
            host.wait_until("enforcement again", lambda: host.mechanism("exec")["mode"] == "enforce")
        self.assertTrue(faults.is_enforcing())

    def test_a_clock_set_forth_ends_no_override(self):
        """An hour of audit that an administrator asked for is an hour."""
        self.addCleanup(host.run, "liliumctl", "reload")
        self.override("1h")
        with clock_moved(DECADE):
            time.sleep(5)
            self.assertEqual(host.mechanism("exec")["mode"], "audit")

    def test_trust_that_was_written_in_the_future_holds(self):
        """A database whose time lies ahead is as good as any."""
        with clock_moved(DECADE):
            host.run("liliumctl", "trust", "sync", "--source", "file")
        status = host.status()["trust"]
        self.assertIsNone(status.get("problem"))
        host.run("liliumctl", "trust", "sync", "--source", "file")
        host.run("systemctl", "restart", "liliumd")
        faults.expect_back()
        host.run("/usr/bin/env", "true")


if __name__ == "__main__":
    unittest.main()
