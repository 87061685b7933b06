"""Package transactions under enforcement: what an archive brings runs the moment it is unpacked, and nothing else does.

It must not switch enforcement off while a package is installed.
"""

import hashlib
import os
import pathlib
import shutil
import signal
import subprocess
import unittest

import host

CASE = {"image": "installed", "start": "snapshot", "kernels": "all", "timeout": 500}

WORK = pathlib.Path("/srv/packages")
REPOSITORY = WORK / "repository"
LOG = pathlib.Path("/var/log/lilium-probe")
PROGRAM = pathlib.Path("/usr/bin/lilium-probe")
HOLD = pathlib.Path("/run/lilium-probe.hold")
CONTROL = """Package: {name}
Version: {version}
Architecture: all
Maintainer: Nobody <nobody@localhost>
Description: tries a package transaction
"""
# A maintainer script runs what its package brings, and tries what it has made itself.
SCRIPT = """#!/bin/sh
set -e
echo "$(basename "$0" | sed 's/.*\\.//') $1 {version}" >>{log}
case "$(basename "$0") $1" in
*postinst*configure*)
  {program} >>{log}
  rm -f /var/tmp/made-by-postinst
  printf '#!/bin/sh\\nexit 0\\n' >/var/tmp/made-by-postinst
  chmod 755 /var/tmp/made-by-postinst
  if /var/tmp/made-by-postinst 2>/dev/null; then echo made ran >>{log}; else echo made denied >>{log}; fi
  while [ -e {hold} ]; do touch {hold}.reached; sleep 0.2; done ;;
esac
"""


def built(name, version, program=PROGRAM):
    """A package with one program, a shell script, that says its version; returns the archive."""
    tree = WORK / f"{name}-{version}"
    shutil.rmtree(tree, ignore_errors=True)
    (tree / "DEBIAN").mkdir(parents=True)
    target = tree / str(program)[1:]
    target.parent.mkdir(parents=True)
    target.write_text(f"#!/bin/sh\necho {name} {version}\n")
    target.chmod(0o755)
    digest = hashlib.md5(target.read_bytes()).hexdigest()
    (tree / "DEBIAN/control").write_text(CONTROL.format(name=name, version=version))
    (tree / "DEBIAN/md5sums").write_text(f"{digest}  {str(program)[1:]}\n")
    for script in ("preinst", "postinst", "prerm", "postrm"):
        (tree / "DEBIAN" / script).write_text(
            SCRIPT.format(version=version, log=LOG, program=program, hold=HOLD))
        (tree / "DEBIAN" / script).chmod(0o755)
    archive = REPOSITORY / f"{name}_{version}_all.deb"
    REPOSITORY.mkdir(parents=True, exist_ok=True)
    host.run("dpkg-deb", "--root-owner-group", "--build", str(tree), str(archive))
    return archive


def publish(*archives):
    """A repository's index, written by hand."""
    entries = []
    for archive in archives:
        control = host.run("dpkg-deb", "--field", str(archive)).stdout
        content = archive.read_bytes()
        entries.append(
            f"{control}Filename: ./{archive.name}\nSize: {len(content)}\n"
            f"SHA256: {hashlib.sha256(content).hexdigest()}\n")
    (REPOSITORY / "Packages").write_text("\n".join(entries))


def apt(*words):
    return host.run(
        "apt-get", "-q", "-y", "-o", f"Dir::Etc::SourceList={WORK}/sources.list", "-o", "Dir::Etc::SourceParts=-",
        "-o", "Acquire::Languages=none", *words, environment={"DEBIAN_FRONTEND": "noninteractive"}, timeout=180).stdout


def log():
    return LOG.read_text().splitlines() if LOG.exists() else []


class Transactions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        WORK.mkdir(parents=True)
        # Before enforcement: what an interpreter, as this one, opens is code where it begins with #!.
        cls.first, cls.second = built("lilium-probe", "1"), built("lilium-probe", "2")
        (WORK / "sources.list").write_text(f"deb [trusted=yes] file:{REPOSITORY} ./\n")
        host.configure({"exec": "enforce"})

    @classmethod
    def tearDownClass(cls):
        host.configure({})

    def setUp(self):
        LOG.unlink(missing_ok=True)
        HOLD.unlink(missing_ok=True)

    def tearDown(self):
        host.run("dpkg", "--purge", "--force-all", "lilium-probe", check=False)

    def assertSays(self, text):
        self.assertEqual(host.run(str(PROGRAM)).stdout, text + "\n")

    def assertMadeWasDenied(self):
        self.assertIn("made denied", log())
        self.assertNotIn("made ran", log())

    def test_dpkg_installs_upgrades_and_removes(self):
        first, second = self.first, self.second
        before = host.status()["trust"]
        host.run("dpkg", "--install", str(first))
        self.assertIn("preinst install 1", log())
        self.assertIn("lilium-probe 1", log())
        self.assertMadeWasDenied()
        self.assertSays("lilium-probe 1")
        old = PROGRAM.read_bytes()
        host.run("dpkg", "--install", str(second))
        for line in ("prerm upgrade 1", "preinst upgrade 2", "postrm upgrade 1", "lilium-probe 2"):
            self.assertIn(line, log())
        self.assertSays("lilium-probe 2")
        with self.subTest("the version before is trusted no longer"):
            new = PROGRAM.read_bytes()
            host.run("tee", str(PROGRAM), stdin=old.decode())
            self.assertEqual(host.refusal(str(PROGRAM)), "EPERM")
            host.run("tee", str(PROGRAM), stdin=new.decode())
            self.assertSays("lilium-probe 2")
        host.run("dpkg", "--purge", "lilium-probe")
        self.assertIn("prerm remove 2", log())
        self.assertIn("postrm purge 2", log())
        with self.subTest("a package that is gone vouches for nothing"):
            host.run("tee", str(PROGRAM), stdin=new.decode())
            PROGRAM.chmod(0o755)
            self.assertEqual(host.refusal(str(PROGRAM)), "EPERM")
            PROGRAM.unlink()
        self.assertNotEqual(host.status()["trust"], before)
        self.assertEqual(host.losses(), {})

    def test_apt_installs_and_upgrades(self):
        first, second = self.first, self.second
        place = host.cursor()
        publish(first)
        apt("update")
        apt("install", "lilium-probe")
        self.assertSays("lilium-probe 1")
        publish(second)
        apt("update")
        self.assertIn("1 upgraded", apt("upgrade"))
        self.assertSays("lilium-probe 2")
        self.assertMadeWasDenied()
        apt("purge", "lilium-probe")
        self.assertIn("postrm purge 2", log())
        denied = {record["LILIUM_OBJECT_PATH"] for record in host.records(place, mechanism="exec", verdict="deny")}
        self.assertEqual(denied, {"/var/tmp/made-by-postinst"})

    def test_a_dpkg_that_is_killed(self):
        HOLD.touch()
        reached = pathlib.Path(f"{HOLD}.reached")
        reached.unlink(missing_ok=True)
        command = ("dpkg", "--install", str(self.first))
        dpkg = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
        try:
            host.wait_until("the maintainer script", reached.exists)
            # The program runs in the middle of the transaction.
            self.assertSays("lilium-probe 1")
        finally:
            os.killpg(dpkg.pid, signal.SIGKILL)
            dpkg.wait(timeout=host.PATIENCE)
        HOLD.unlink()
        state = host.run("dpkg-query", "-W", "-f", "${db:Status-Status}", "lilium-probe").stdout
        self.assertEqual(state, "half-configured")
        host.run("liliumctl", "trust", "sync", timeout=300)
        left = host.run("liliumctl", "trust", "list", "--source", "transaction", check=False)
        self.assertEqual(left.stdout, "")
        with self.subTest("liliumctl(8): 1 where there is nothing to list"):
            self.assertEqual(left.returncode, 1)
        self.assertSays("lilium-probe 1")
        host.run("dpkg", "--configure", "--pending")
        self.assertEqual(
            host.run("dpkg-query", "-W", "-f", "${db:Status-Status}", "lilium-probe").stdout, "installed")
        self.assertSays("lilium-probe 1")

    def test_a_dpkg_that_is_killed_is_taken_up_by_the_next(self):
        """Without a sync in between: dpkg itself goes on where it was."""
        HOLD.touch()
        reached = pathlib.Path(f"{HOLD}.reached")
        reached.unlink(missing_ok=True)
        command = ("dpkg", "--install", str(self.first))
        dpkg = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
        try:
            host.wait_until("the maintainer script", reached.exists)
        finally:
            os.killpg(dpkg.pid, signal.SIGKILL)
            dpkg.wait(timeout=host.PATIENCE)
        HOLD.unlink()
        host.run("dpkg", "--configure", "--pending")
        self.assertSays("lilium-probe 1")

    def test_dpkg_of_another_root_vouches_for_nothing(self):
        base = WORK / "foreign"
        (base / "info").mkdir(parents=True, exist_ok=True)
        (base / "updates").mkdir(exist_ok=True)
        (base / "status").touch()
        (base / "available").touch()
        host.run("dpkg", "--force-all", f"--admindir={base}", "--unpack", str(self.first), check=False)
        if PROGRAM.exists():
            self.assertEqual(host.refusal(str(PROGRAM)), "EPERM")
            PROGRAM.unlink()
        self.assertNotIn("lilium-probe 1", log())


if __name__ == "__main__":
    unittest.main()
