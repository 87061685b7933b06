"""open rules: a file that a rule names is kept from those whom the rule means, by whatever name it is reached.

It must not assert anything of files that no rule names.
"""

import os
import pathlib
import subprocess
import unittest

import host

CASE = {"image": "installed", "start": "snapshot", "kernels": "all", "timeout": 300}

FOLDER = pathlib.Path("/srv/keys")
KEY = FOLDER / "host_key"
USER = 1500
RULES = """\
deny open when object.path.startsWith("/srv/keys/host_") && !object.path.endsWith(".pub") &&
               subject.unit != "keeper.service"
deny open when object.directory == "/srv/closed" && subject.uid != 0
deny open when object.path in ["/srv/one", "/srv/two"] && subject.exe == "/usr/bin/cat"
"""


def opens(path, user=None):
    """Whether cat, as a user, can open a file; the error must be the one that Lilium gives."""
    done = host.run("cat", str(path), check=False, user=user)
    if done.returncode == 0:
        return True
    if "Operation not permitted" not in done.stdout:
        raise AssertionError(done.stdout)
    return False


class Enforce(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for folder in (FOLDER, pathlib.Path("/srv/closed")):
            folder.mkdir(parents=True, exist_ok=True)
        for file in (KEY, FOLDER / "host_key.pub", FOLDER / "other", "/srv/closed/file", "/srv/one", "/srv/two"):
            pathlib.Path(file).write_text("secret\n")
        host.configure({"open": "enforce"}, RULES)

    @classmethod
    def tearDownClass(cls):
        host.configure({})

    def assertDenied(self, path, user=None, rule="10-test.rules:1"):
        place = host.cursor()
        self.assertFalse(opens(path, user), path)
        record = host.expect_record(place, mechanism="open", verdict="deny")
        self.assertEqual(record["LILIUM_EFFECT"], "prevented")
        self.assertEqual(record["LILIUM_RULE"], rule)
        self.assertEqual(record["LILIUM_SUBJECT_EXE"], "/usr/bin/cat")
        self.assertEqual(record["LILIUM_SUBJECT_UID"], str(user or 0))
        self.assertEqual(int(record["LILIUM_OBJECT_INODE"]), os.stat(path).st_ino)
        return record

    def test_by_path_and_unit(self):
        self.assertEqual(self.assertDenied(KEY)["LILIUM_OBJECT_PATH"], str(KEY))
        self.assertTrue(opens(FOLDER / "host_key.pub"))
        self.assertTrue(opens(FOLDER / "other"))
        read = ("systemd-run", "--quiet", "--wait", "--pipe", "--unit")
        self.assertEqual(host.run(*read, "keeper", "cat", str(KEY)).stdout, "secret\n")
        self.assertNotEqual(host.run(*read, "stranger", "cat", str(KEY), check=False).returncode, 0)

    def test_to_write_and_to_truncate(self):
        for flags in (os.O_WRONLY, os.O_RDWR, os.O_RDONLY | os.O_TRUNC):
            with self.subTest(flags=flags), self.assertRaises(PermissionError):
                os.open(KEY, flags)
        self.assertEqual(KEY.stat().st_size, len("secret\n"))

    def test_by_user_and_by_program(self):
        self.assertTrue(opens("/srv/closed/file"))
        self.assertDenied("/srv/closed/file", user=USER, rule="10-test.rules:3")
        self.assertDenied("/srv/two", rule="10-test.rules:4")
        self.assertEqual(pathlib.Path("/srv/two").read_text(), "secret\n")

    def test_links(self):
        hard, soft = pathlib.Path("/srv/hard"), pathlib.Path("/srv/soft")
        os.link(KEY, hard)
        soft.symlink_to(KEY)
        for link in (hard, soft):
            with self.subTest(link=link):
                self.assertDenied(link)
            link.unlink()

    def test_a_bind_mount_and_a_namespace_of_ones_own(self):
        target = pathlib.Path("/srv/bound")
        target.touch()
        host.run("mount", "--bind", str(KEY), str(target))
        try:
            self.assertDenied(target)
        finally:
            host.run("umount", str(target))
        script = f"mount --bind {FOLDER} /mnt && exec cat /mnt/host_key"
        for options, user in ((("-m",), None), (("-Urm",), USER)):
            with self.subTest(options=options):
                done = host.run("unshare", *options, "sh", "-c", script, check=False, user=user)
                self.assertIn("Operation not permitted", done.stdout)
                self.assertNotIn("secret", done.stdout)

    def test_through_a_process_and_a_descriptor(self):
        self.assertDenied(f"/proc/self/root{KEY}")
        file = os.open(KEY, os.O_PATH)
        self.addCleanup(os.close, file)
        with self.assertRaises(PermissionError):
            os.open(f"/proc/self/fd/{file}", os.O_RDONLY)

    def test_what_is_made_later(self):
        made = FOLDER / "host_later"
        # By mknod(2), which opens nothing: to create a file by open(2) is to open it.
        os.mknod(made, 0o600)
        host.wait_until("a mark on the new file", lambda: not opens(made))
        renamed = FOLDER / "host_renamed"
        (FOLDER / "plain").write_text("secret\n")
        self.assertTrue(opens(FOLDER / "plain"))
        (FOLDER / "plain").rename(renamed)
        host.wait_until("a mark on the renamed file", lambda: not opens(renamed))

    def test_a_file_that_takes_its_place(self):
        first, second = pathlib.Path("/srv/one"), pathlib.Path("/srv/one.new")
        self.assertFalse(opens(first))
        second.write_text("another\n")
        self.assertTrue(opens(second))
        second.rename(first)
        host.wait_until("a mark on what took the place", lambda: not opens(first))


class DryRun(unittest.TestCase):
    def test_audit_tells_and_off_is_silent(self):
        KEY.parent.mkdir(parents=True, exist_ok=True)
        KEY.write_text("secret\n")
        for mode in ("audit", "off"):
            with self.subTest(mode=mode):
                host.configure({"open": mode}, RULES)
                place = host.cursor()
                self.assertEqual(subprocess.run(("cat", KEY), stdout=subprocess.DEVNULL, timeout=60).returncode, 0)
                if mode == "audit":
                    record = host.expect_record(place, mechanism="open", object_path=str(KEY))
                    self.assertEqual(record["LILIUM_VERDICT"], "deny")
                    self.assertEqual(record["LILIUM_EFFECT"], "logged")
                else:
                    host.configure({"open": "audit"}, RULES)
                    host.run("cat", str(KEY))
                    host.expect_record(place, mechanism="open", object_path=str(KEY))
                    self.assertEqual(len(host.records(place, mechanism="open", object_path=str(KEY))), 1)
        host.configure({})


if __name__ == "__main__":
    unittest.main()
