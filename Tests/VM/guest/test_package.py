"""The package from its installation to its end: what it brings, what it keeps, what it leaves; and an upgrade.

It must not test what the daemon does otherwise. The tests of the first class are one story and run in their order.
"""

import contextlib
import gzip
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import unittest

import host

CASE = {"image": "bare", "start": "snapshot", "kernels": "all", "timeout": 900}

PACKAGE = "/payload/lilium.deb"
UNIT = "liliumd.service"
UNTRUSTED = "/usr/local/bin/untrusted"
TRUSTED = "/usr/bin/true"
# What other programs change meanwhile, and dpkg's own record of what was installed once.
OUTSIDE = ("/payload", "/var/lib/dpkg", "/var/log", "/var/cache", "/var/lib/lilium-vm-case", "/tmp", "/var/tmp")
MANUALS = ("man5/lilium.toml.5", "man5/lilium.rules.5", "man7/lilium.7", "man8/liliumd.8", "man8/liliumctl.8")
COMPLETIONS = (
    "bash-completion/completions/liliumctl", "zsh/vendor-completions/_liliumctl",
    "fish/vendor_completions.d/liliumctl.fish")
CONFFILES = (
    "/etc/lilium/lilium.toml", "/etc/lilium/trust.d/site.trust", "/etc/dpkg/dpkg.cfg.d/lilium",
    "/etc/apt/apt.conf.d/20lilium")

# Both programs, again and again, until standard input ends; in the pauses the package manager works.
# Python's spawn reports what execve(2) said.
PROBE = """
import json, os, select, sys
counts = dict.fromkeys(("allowed", "denied", "failed", "ran"), 0)
def runs(path):
    try:
        child = os.posix_spawn(path, [path], {})
    except PermissionError:
        return False
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
print("probing", flush=True)
while not select.select([sys.stdin], [], [], 0.05)[0]:
    counts["ran" if runs(sys.argv[1]) else "denied"] += 1
    counts["allowed" if runs(sys.argv[2]) else "failed"] += 1
print(json.dumps(counts))
"""


def dpkg(*arguments, check=True):
    environment = {"DEBIAN_FRONTEND": "noninteractive"}
    return host.run("dpkg", *arguments, check=check, timeout=600, environment=environment).stdout


def bring_manuals():
    """Small images tell dpkg to leave out manual pages; a host has them, and dpkg would miss them."""
    for file in pathlib.Path("/etc/dpkg/dpkg.cfg.d").glob("*"):
        lines = file.read_text().splitlines(keepends=True)
        file.write_text("".join(line for line in lines if not line.startswith("path-exclude=")))


def files():
    """Every name on the root file system, but where others write."""
    found = set()
    device = os.stat("/").st_dev
    for folder, folders, names in os.walk("/"):
        folders[:] = [
            name for name in folders
            if (path := os.path.join(folder, name)) not in OUTSIDE
            and (os.path.islink(path) or os.lstat(path).st_dev == device)]
        found.update(os.path.join(folder, name) for name in folders + names)
    return found


def unit_files():
    shown = host.run("systemctl", "list-unit-files", "--no-legend", "--no-pager").stdout
    return {tuple(line.split()) for line in shown.splitlines()}


def group_exists():
    return host.run("getent", "group", "lilium", check=False).returncode == 0


def lilium_audit_rules():
    return [line for line in host.run("auditctl", "-l").stdout.splitlines() if "lilium" in line]


class Life(unittest.TestCase):
    """Installation, use, removal, return, purge."""

    @classmethod
    def setUpClass(cls):
        bring_manuals()
        cls.files, cls.unit_files = files(), unit_files()
        cls.said = dpkg("-i", PACKAGE)
        print(cls.said)

    def test_1_the_service_runs_and_every_mode_is_off(self):
        self.assertEqual(host.run("systemctl", "is-enabled", UNIT).stdout.strip(), "enabled")
        self.assertTrue(host.is_running())
        lines = host.status()["mechanisms"]
        self.assertEqual({line["mechanism"] for line in lines}, set(host.MECHANISMS))
        self.assertEqual({line["mode"] for line in lines}, {"off"})
        self.assertEqual(lilium_audit_rules(), [])
        self.assertIn("liliumctl trust sync", self.said)

    def test_2_what_it_brings(self):
        self.assertTrue(group_exists())
        catalog = host.run("journalctl", "--list-catalog", "--no-pager").stdout
        self.assertGreaterEqual(catalog.count("Lilium"), 5, catalog[-2000:])
        for page in MANUALS:
            text = gzip.decompress(pathlib.Path(f"/usr/share/man/{page}.gz").read_bytes())
            self.assertIn(b".Sh NAME", text, page)
        for file in COMPLETIONS:
            self.assertIn("liliumctl", pathlib.Path("/usr/share", file).read_text())
        completed = 'source "$0" && complete -p liliumctl'
        self.assertIn("liliumctl", host.run("bash", "-c", completed, f"/usr/share/{COMPLETIONS[0]}").stdout)
        state = os.stat("/var/lib/lilium")
        self.assertEqual((oct(state.st_mode & 0o7777), state.st_uid, state.st_gid), ("0o700", 0, 0))
        self.assertTrue(os.path.isdir("/etc/lilium/rules.d"))
        shown = host.run("dpkg-query", "-W", "-f", "${Conffiles}", "lilium").stdout
        self.assertEqual({line.split()[0] for line in shown.splitlines() if line.strip()}, set(CONFFILES))
        self.assertEqual(dpkg("-V", "lilium"), "")
        self.assertEqual(host.run("liliumctl", "check").returncode, 0)

    def test_3_hooks_begin_no_database(self):
        """Nothing was synced, so a transaction must not make a database that names a few files only."""
        dpkg("--configure", "-a")
        self.assertFalse(os.path.exists("/var/lib/lilium/trust"), "a hook made a trust database")

    def test_4_a_changed_conffile_is_kept(self):
        with open(host.CONFIGURATION, "a", encoding="utf-8") as file:
            file.write("# changed by the administrator\n")
        host.SITE_RULES.write_text("# a site's own\n")
        pid = host.daemon_pid()
        dpkg("-i", PACKAGE)
        self.assertTrue(host.CONFIGURATION.read_text().endswith("# changed by the administrator\n"))
        self.assertTrue(host.SITE_RULES.exists())
        self.assertEqual(dpkg("-V", "lilium").split(), ["??5??????", "c", str(host.CONFIGURATION)])
        self.assertTrue(host.is_running())
        self.assertNotEqual(host.daemon_pid(), pid, "the daemon did not hand over to the one that was installed")

    def test_5_removal_ends_it_and_keeps_what_is_the_administrators(self):
        host.configure({"mprotect": "audit"}, extra=host.BY_AUDIT)
        self.assertNotEqual(lilium_audit_rules(), [])
        dpkg("-r", "lilium")
        self.assertFalse(host.is_running())
        self.assertEqual(lilium_audit_rules(), [])
        self.assertEqual(host.run("pidof", "liliumd", check=False).stdout, "")
        self.assertFalse(os.path.exists("/run/lilium"))
        for file in (*CONFFILES, host.SITE_RULES):
            self.assertTrue(os.path.exists(file), file)
        # The hooks are still there, and must not hinder dpkg and apt without liliumctl.
        dpkg("--configure", "-a")
        self.assertIn("liliumctl", host.run("apt-config", "dump", "DPkg::Post-Invoke").stdout)

    def test_6_it_returns(self):
        dpkg("-i", PACKAGE)
        self.assertTrue(host.is_running())
        self.assertEqual(host.mechanism("mprotect")["mode"], "audit")
        host.configure({})

    def test_7_purge_leaves_nothing(self):
        host.run("liliumctl", "trust", "add", TRUSTED, timeout=600)
        dpkg("-P", "lilium")
        self.assertEqual(sorted(files() - self.files), [])
        self.assertEqual(sorted(self.files - files()), [])
        self.assertEqual(unit_files(), self.unit_files)
        self.assertFalse(group_exists(), "the group is left")
        self.assertEqual(lilium_audit_rules(), [])
        self.assertNotIn("Lilium", host.run("journalctl", "--list-catalog", "--no-pager").stdout)
        self.assertNotEqual(host.run("dpkg-query", "-W", "lilium", check=False).returncode, 0)
        self.assertNotEqual(host.run("systemctl", "cat", UNIT, check=False).returncode, 0)


def next_version(folder):
    """A package of the next version, other in everything that runs: programs and maintainer scripts."""
    folder = pathlib.Path(folder)
    host.run("dpkg-deb", "-R", PACKAGE, folder, timeout=600)
    control = folder / "DEBIAN/control"
    version = host.run("dpkg-deb", "-f", PACKAGE, "Version").stdout.strip() + "+1"
    control.write_text("".join(
        f"Version: {version}\n" if line.startswith("Version:") else line
        for line in control.read_text().splitlines(keepends=True)))
    for script in ("preinst", "postinst", "prerm", "postrm"):
        file = folder / "DEBIAN" / script
        text = file.read_text() if file.exists() else "#!/bin/sh\n"
        file.write_text(text + f"\n# of {version}\n")
        file.chmod(0o755)
    sums = folder / "DEBIAN/md5sums"
    lines = dict(reversed(line.split(maxsplit=1)) for line in sums.read_text().splitlines())
    for program in ("usr/sbin/liliumd", "usr/bin/liliumctl"):
        # Nothing looks behind an ELF file's last section.
        with open(folder / program, "ab") as file:
            file.write(version.encode())
        lines[program] = hashlib.md5((folder / program).read_bytes()).hexdigest()
    sums.write_text("".join(f"{digest}  {path}\n" for path, digest in lines.items()))
    made = f"{folder}.deb"
    host.run("dpkg-deb", "--root-owner-group", "-Znone", "-b", folder, made, timeout=600)
    shutil.rmtree(folder)
    return made, version


@contextlib.contextmanager
def probing():
    """Runs an untrusted and a trusted program all the time; the dictionary has the counts when it is over."""
    counts = {}
    command = ("python3", "-c", PROBE, UNTRUSTED, TRUSTED)
    with host.process(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as probe:
        probe.stdout.readline()
        yield counts
        counts.update(json.loads(probe.communicate(timeout=host.PATIENCE)[0]))


class Upgrade(unittest.TestCase):
    """One upgrade under exec = enforce, which every test looks at."""

    @classmethod
    def setUpClass(cls):
        bring_manuals()
        dpkg("-i", PACKAGE)
        cls.package, cls.version = next_version("/var/tmp/next")
        shutil.copyfile(TRUSTED, UNTRUSTED)
        os.chmod(UNTRUSTED, 0o755)
        host.run("liliumctl", "trust", "sync", "--quiet", timeout=600)
        host.configure({"exec": "enforce"})
        cls.old = host.daemon_pid()
        cls.place = host.cursor()
        with probing() as cls.counts:
            cls.said = dpkg("-i", cls.package)
            host.run("/usr/bin/id")
        print(cls.said, cls.counts)

    @classmethod
    def tearDownClass(cls):
        host.configure({})

    def test_1_dpkg_has_installed_it(self):
        self.assertEqual(host.run("dpkg-query", "-W", "-f", "${db:Status-Abbrev}${Version}", "lilium").stdout,
                         f"ii {self.version}")
        self.assertEqual(dpkg("-V", "lilium").split(), ["??5??????", "c", str(host.CONFIGURATION)])

    def test_2_nothing_untrusted_ran_meanwhile(self):
        self.assertEqual(self.counts["ran"], 0, self.counts)
        self.assertGreater(self.counts["denied"], 20, self.counts)

    def test_3_everything_trusted_ran_meanwhile(self):
        self.assertEqual(self.counts["failed"], 0, self.counts)
        self.assertGreater(self.counts["allowed"], 20, self.counts)

    def test_4_nothing_of_the_upgrade_was_denied(self):
        host.run("journalctl", "--sync")
        denied = host.records(self.place, verdict="deny")
        others = [line["MESSAGE"] for line in denied if line["LILIUM_OBJECT_PATH"] != UNTRUSTED]
        self.assertEqual(others, [], "\n".join(others))
        self.assertNotEqual(denied, [])

    def test_5_the_new_daemon_guards(self):
        pid = host.daemon_pid()
        self.assertNotEqual(pid, self.old, self.said)
        self.assertEqual(os.readlink(f"/proc/{pid}/exe"), "/usr/sbin/liliumd")
        self.assertFalse(os.path.exists(f"/proc/{self.old}"), "the old daemon is still there")
        self.assertEqual(host.run("systemctl", "show", "-p", "NRestarts", "--value", UNIT).stdout.strip(), "0")
        self.assertEqual(host.mechanism("exec")["mode"], "enforce")
        with self.assertRaises(PermissionError):
            os.posix_spawn(UNTRUSTED, [UNTRUSTED], {})

    def test_6_the_new_programs_are_trusted(self):
        for program in ("/usr/sbin/liliumd", "/usr/bin/liliumctl"):
            digest = hashlib.sha256(pathlib.Path(program).read_bytes()).hexdigest()
            self.assertIn(digest, host.run("liliumctl", "trust", "list", program).stdout)
        host.run("systemctl", "restart", UNIT)
        self.assertTrue(host.is_running())


if __name__ == "__main__":
    unittest.main(verbosity=2)
