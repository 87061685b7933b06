"""exec under enforcement on the whole host: what is vouched for runs, and nothing else.

It must not assert more of what cannot be seen than lilium(7) says.
"""

import ctypes
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

import host

CASE = {"image": "installed", "start": "snapshot", "kernels": "all", "timeout": 400}

USER = 1500
HOME = pathlib.Path("/home/tester")
LOADER = "/lib64/ld-linux-x86-64.so.2"
LIBRARY = "/lib/x86_64-linux-gnu/libm.so.6"
UNIT = """[Service]
Type=oneshot
ExecStart={program}
"""


def copied(target, user=None, source="/usr/bin/true"):
    """A copy of a trusted program: the same content at a path that nobody vouches for."""
    target = pathlib.Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o755)
    if user:
        os.chown(target, user, user)
    return str(target)


def output(*command, **options):
    """Exit status and output of a trusted program that is to meet a refusal."""
    done = host.run(*command, check=False, **options)
    return done.returncode, done.stdout


class Enforce(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        host.run("useradd", "--create-home", "--uid", str(USER), "--shell", "/bin/sh", "tester")
        host.configure({"exec": "enforce"})

    @classmethod
    def tearDownClass(cls):
        host.configure({})

    def assertDenied(self, path, *arguments, user=None, **fields):
        """Executing it fails with EPERM, and the record says that it was prevented."""
        place = host.cursor()
        self.assertEqual(host.refusal(path, *arguments, user=user), "EPERM", path)
        fields = {"object_path": path, **fields}
        record = host.expect_record(place, mechanism="exec", verdict="deny", **fields)
        self.assertEqual(record["LILIUM_EFFECT"], "prevented")
        self.assertEqual(record["LILIUM_MODE"], "enforce")
        self.assertEqual(record["LILIUM_SUBJECT_UID"], str(user or 0))
        return record

    def assertRuns(self, *command, user=None):
        self.assertIsNone(host.refusal(*command, user=user), command)

    def test_programs_of_packages_run(self):
        for user in (None, USER):
            with self.subTest(user=user):
                self.assertEqual(output("/usr/bin/sh", "-c", "id -u && python3 -c 'import json'", user=user)[0], 0)

    def test_copies_are_denied_wherever_they_lie(self):
        for folder in ("/tmp", "/dev/shm", "/home/tester", "/usr/local/bin", "/var/tmp", "/run"):
            for user in (None, USER):
                with self.subTest(folder=folder, user=user):
                    path = copied(f"{folder}/copy-{user}", user)
                    record = self.assertDenied(path, user=user)
                    reason = ("rule", "50-debian-base.rules") if user else ("default", "")
                    self.assertEqual(record["LILIUM_REASON"], reason[0])
                    self.assertTrue(record.get("LILIUM_RULE", "").startswith(reason[1]))

    def test_a_users_own_program_is_denied_to_root_too(self):
        self.assertDenied(copied(HOME / "for-root", USER))

    def test_a_changed_program_is_denied_until_it_is_as_before(self):
        program = pathlib.Path("/usr/bin/factor")
        content = program.read_bytes()
        self.assertRuns(str(program), "6")
        self.addCleanup(program.write_bytes, content)
        program.write_bytes(content + b"\0")
        self.assertEqual(self.assertDenied(str(program), "6")["LILIUM_OBJECT_TRUST"], "changed")
        program.write_bytes(content)
        self.assertRuns(str(program), "6")

    def test_a_program_that_somebody_writes_is_denied(self):
        program = copied("/usr/local/bin/being-written")
        host.run("liliumctl", "trust", "add", program)
        # Before it ran: an allow that the kernel remembers holds until somebody has written.
        with open(program, "r+b"):
            # ETXTBSY comes before or after the question, by kernel; either way it does not run.
            self.assertIn(host.refusal(program), ("EPERM", "ETXTBSY"))
            place = host.cursor()
            status, text = output(LOADER, program)
            self.assertNotEqual(status, 0, text)
            record = host.expect_record(place, mechanism="exec", verdict="deny", object_path=program)
            self.assertEqual(record["LILIUM_OBJECT_TRUST"], "open-for-writing")
        self.assertRuns(program)

    def test_scripts(self):
        script = pathlib.Path("/tmp/script")
        script.write_text("#!/bin/sh\necho ran\n")
        script.chmod(0o755)
        plain = pathlib.Path("/tmp/plain")
        plain.write_text("echo ran\n")
        self.assertDenied(str(script))
        for command in (
                ("sh", str(script)), ("sh", str(plain)), ("bash", str(plain)), ("sh", "-c", ". /tmp/plain; true"),
                ("sh", "-c", "sh </tmp/script")):
            with self.subTest(command=command):
                place = host.cursor()
                status, text = output(*command)
                if command[-1].startswith(". "):
                    # Not what the arguments name: a sourced file without #! is data, as lilium(7) says.
                    continue
                self.assertNotEqual(status, 0, text)
                self.assertNotIn("ran", text)
                host.expect_record(place, mechanism="exec", verdict="deny", effect="prevented")

    def test_what_a_script_reads_is_data(self):
        """The file that the arguments name is code, and nothing else for it: not the loader's cache, not its input."""
        script = pathlib.Path("/usr/local/bin/reader")
        script.write_text("read line </tmp/input; echo $line\n")
        pathlib.Path("/tmp/input").write_text("words\n")
        host.run("liliumctl", "trust", "add", str(script))
        for command in (("sh", str(script)), ("bash", str(script)), ("sh", "-e", str(script))):
            with self.subTest(command=command):
                place = host.cursor()
                self.assertEqual(output(*command), (0, "words\n"))
                self.assertEqual(host.records(place, mechanism="exec", verdict="deny"), [])

    def test_the_loader_as_a_program(self):
        path = copied("/tmp/by-loader")
        place = host.cursor()
        status, text = output(LOADER, path)
        self.assertEqual(status, 127, text)
        self.assertIn("Operation not permitted", text)
        host.expect_record(place, mechanism="exec", verdict="deny", object_path=path, operation_kind="open")

    def test_libraries(self):
        library = copied("/tmp/preloaded.so", source=LIBRARY)
        place = host.cursor()
        status, text = output("cat", "/proc/self/maps", environment={"LD_PRELOAD": library})
        self.assertEqual(status, 0)
        self.assertIn("cannot be preloaded", text)
        self.assertNotIn("r-xp 00000000 " + library, text)
        self.assertFalse([line for line in text.splitlines() if line.endswith(library)], text)
        host.expect_record(place, mechanism="exec", verdict="deny", object_path=library, object_kind="elf-library")
        with self.assertRaisesRegex(OSError, "Operation not permitted"):
            ctypes.CDLL(library)
        with self.subTest("one that a package brought is loaded"):
            self.assertNotIn("cannot be preloaded", output("true", environment={"LD_PRELOAD": LIBRARY})[1])

    def test_imports(self):
        folder = pathlib.Path("/tmp/modules")
        folder.mkdir()
        # Not by this process: what an interpreter opens by such a name is code, to be written, too.
        host.run("tee", str(folder / "foreign.py"), stdin="print('ran')\n")
        place = host.cursor()
        command = ("python3", "-B", "-c", "import foreign")
        status, text = output(*command, environment={"PYTHONPATH": str(folder)})
        self.assertNotEqual(status, 0)
        self.assertIn("Operation not permitted", text)
        self.assertNotIn("ran", text)
        host.expect_record(place, mechanism="exec", verdict="deny", object_path=str(folder / "foreign.py"))

    def test_files_without_a_name(self):
        with self.subTest("O_TMPFILE is sensed"):
            file = os.open("/tmp", os.O_TMPFILE | os.O_RDWR, 0o700)
            os.write(file, pathlib.Path("/usr/bin/true").read_bytes())
            reading = os.open(f"/proc/self/fd/{file}", os.O_RDONLY)
            os.close(file)
            self.assertEqual(refusal_by_descriptor(reading), "EPERM")
            os.close(reading)
        with self.subTest("a memory file is not sensed, as lilium(7) says"):
            file = os.memfd_create("code")
            os.write(file, pathlib.Path("/usr/bin/true").read_bytes())
            self.assertIsNone(refusal_by_descriptor(file))
            os.close(file)

    def test_data_passes(self):
        (HOME / "notes").write_text("words\n")
        self.assertEqual(output("cat", str(HOME / "notes"), user=USER), (0, "words\n"))
        path = copied("/tmp/as-data")
        self.assertEqual(output("cmp", path, "/usr/bin/true")[0], 0)
        self.assertEqual(output("tar", "-C", "/tmp", "-cf", "/tmp/as-data.tar", "as-data")[0], 0)

    def test_trust_add_lets_in_and_a_change_takes_it_back(self):
        path = copied("/usr/local/bin/added")
        self.assertDenied(path)
        host.run("liliumctl", "trust", "add", path)
        self.assertRuns(path)
        self.assertRuns(path, user=USER)
        with open(path, "ab") as file:
            file.write(b"\0")
        self.assertEqual(self.assertDenied(path)["LILIUM_OBJECT_TRUST"], "changed")
        host.run("liliumctl", "trust", "add", path)
        self.assertRuns(path)
        host.run("liliumctl", "trust", "remove", path)
        self.assertEqual(self.assertDenied(path)["LILIUM_OBJECT_TRUST"], "unknown")

    def test_mount_namespaces_and_bind_mounts_change_nothing(self):
        path = copied("/tmp/bound")
        over = "mount --bind /tmp/bound /usr/bin/factor && exec /usr/bin/factor"
        for options, user in ((("-m",), None), (("-Urm",), USER)):
            with self.subTest(options=options):
                if user:
                    path = copied("/tmp/bound", user)
                place = host.cursor()
                status, text = output("unshare", *options, "sh", "-c", over, user=user)
                self.assertNotEqual(status, 0)
                self.assertIn("Operation not permitted", text)
                record = host.expect_record(place, mechanism="exec", verdict="deny", effect="prevented")
                # The path that the process saw is a forgery; the record names the file.
                self.assertEqual(record["LILIUM_OBJECT_PATH"], path)
                self.assertEqual(record["LILIUM_SUBJECT_UID"], str(user or 0))
        self.assertRuns("/usr/bin/factor", "6")

    def test_a_bind_mount_on_the_host(self):
        pathlib.Path("/tmp/elsewhere").touch()
        path = copied("/tmp/bound-here")
        host.run("mount", "--bind", path, "/tmp/elsewhere")
        self.addCleanup(host.run, "umount", "/tmp/elsewhere")
        place = host.cursor()
        self.assertEqual(host.refusal("/tmp/elsewhere"), "EPERM")
        host.expect_record(place, mechanism="exec", verdict="deny", effect="prevented")

    def test_a_trusted_program_through_a_bind_mount(self):
        """Trust binds a content to a path, and this path is true, but another."""
        os.makedirs("/tmp/tree", exist_ok=True)
        host.run("mount", "--bind", "/usr/bin", "/tmp/tree")
        self.addCleanup(host.run, "umount", "/tmp/tree")
        self.assertEqual(self.assertDenied("/tmp/tree/factor", "6")["LILIUM_OBJECT_TRUST"], "unknown")
        self.assertRuns("/usr/bin/factor", "6")

    def test_a_file_system_that_is_mounted_later(self):
        os.makedirs("/mnt/later", exist_ok=True)
        host.run("mount", "-t", "tmpfs", "later", "/mnt/later")
        self.addCleanup(host.run, "umount", "/mnt/later")
        path = copied("/mnt/later/copy")
        host.wait_until("the mark", lambda: host.refusal(path) == "EPERM")
        self.assertDenied(path)

    def test_a_file_system_that_another_namespace_mounts(self):
        holder = ("unshare", "-m", "sh", "-c", "mount -t tmpfs hidden /mnt && cp /usr/bin/true /mnt/copy && read line")
        with host.process(*holder, stdin=subprocess.PIPE) as child:
            folder = pathlib.Path(f"/proc/{child.pid}/root/mnt")
            host.wait_until("the copy", (folder / "copy").exists)
            # Foreign namespaces are looked for every two seconds; until then it runs.
            host.wait_until("a denial", lambda: host.refusal(str(folder / "copy")) == "EPERM")
            child.stdin.close()

    def test_units(self):
        path = copied("/usr/local/bin/of-unit")
        pathlib.Path("/run/systemd/system/foreign.service").write_text(UNIT.format(program=path))
        host.run("systemctl", "daemon-reload")
        place = host.cursor()
        self.assertNotEqual(host.run("systemctl", "start", "foreign", check=False).returncode, 0)
        shown = host.run("systemctl", "show", "-p", "ExecMainStatus", "--value", "foreign")
        self.assertEqual(shown.stdout.strip(), "203")
        host.expect_record(place, mechanism="exec", verdict="deny", object_path=path, subject_unit="foreign.service")
        host.run("liliumctl", "trust", "add", path)
        host.run("systemctl", "start", "foreign")

    def test_transient_units_and_timers(self):
        path = copied("/usr/local/bin/of-timer")
        self.assertEqual(output("systemd-run", "--quiet", "--wait", path)[0], 203)
        self.assertEqual(output("systemd-run", "--quiet", "--wait", "/usr/bin/true")[0], 0)
        place = host.cursor()
        host.run("systemd-run", "--quiet", "--on-active=100ms", "--timer-property=AccuracySec=1ms", path)
        host.expect_record(place, mechanism="exec", verdict="deny", object_path=path)

    def test_another_users_shell(self):
        path = copied(HOME / "of-shell", USER)
        self.assertEqual(output("su", "tester", "-c", "id -u"), (0, f"{USER}\n"))
        status, text = output("su", "tester", "-c", path)
        self.assertEqual(status, 126, text)
        self.assertIn("Operation not permitted", text)


class DryRun(unittest.TestCase):
    """audit tells and off is silent; both let everything run."""

    def test_audit_tells_what_it_would_deny(self):
        path = copied("/tmp/would-be-denied")
        host.configure({"exec": "audit"})
        self.addCleanup(host.configure, {})
        place = host.cursor()
        self.assertIsNone(host.refusal(path))
        record = host.expect_record(place, mechanism="exec", object_path=path)
        self.assertEqual(record["LILIUM_VERDICT"], "deny")
        self.assertEqual(record["LILIUM_EFFECT"], "logged")
        self.assertEqual(record["LILIUM_MODE"], "audit")
        self.assertIn("would deny", record["MESSAGE"])

    def test_off_is_silent(self):
        path = copied("/tmp/not-asked-about")
        host.configure({})
        place = host.cursor()
        self.assertIsNone(host.refusal(path))
        self.assertEqual(host.run("sh", "-c", f"sh {path} 2>/dev/null; true").returncode, 0)
        # What was asked about before this one would have been recorded before it.
        host.configure({"exec": "audit"})
        self.addCleanup(host.configure, {})
        host.refusal(path)
        host.expect_record(place, mechanism="exec", object_path=path)
        self.assertEqual(len(host.records(place, mechanism="exec", object_path=path)), 1)


def refusal_by_descriptor(file):
    """How the kernel refuses to execute an open file, as the errno's name; None where it ran (execveat(2))."""
    code = "import errno, os, sys\nfile = int(sys.argv[1])\ntry: os.execve(file, ['true'], {})\n" \
        "except OSError as error: print(errno.errorcode[error.errno]); sys.exit(1)"
    done = subprocess.run(
        (sys.executable, "-c", code, str(file)), pass_fds=(file,), stdout=subprocess.PIPE, text=True,
        timeout=host.PATIENCE)
    return done.stdout.strip() if done.returncode == 1 else None


if __name__ == "__main__":
    unittest.main()
