"""A file that the kernel itself holds to a digest (fs-verity) is trusted by that digest, and is not read for it.

It must not take for granted that the digest was asked: a record that knows the content's SHA-256 has read the file.
"""

import fcntl
import pathlib
import shutil
import struct
import unittest

import host

CASE = {"image": "installed", "start": "snapshot", "kernels": "all", "timeout": 200}

ENABLE_VERITY, MEASURE_VERITY = 0x40806685, 0xC0046686
IMAGE = pathlib.Path("/var/tmp/verity.img")
PLACE = pathlib.Path("/srv/verity")


def enable(path):
    """The kernel holds the file to its digest from now on."""
    argument = struct.pack("=IIIIQIIQ11Q", 1, 1, 4096, 0, 0, 0, 0, 0, *[0] * 11)
    with open(path, "rb") as file:
        fcntl.ioctl(file, ENABLE_VERITY, argument)


def digest(path):
    buffer = bytearray(struct.pack("=HH", 0, 64) + bytes(64))
    with open(path, "rb") as file:
        fcntl.ioctl(file, MEASURE_VERITY, buffer)
    size = struct.unpack_from("=HH", buffer)[1]
    return bytes(buffer[4:4 + size]).hex()


class Verity(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        host.run("truncate", "-s", "64M", str(IMAGE))
        host.run("mkfs.ext4", "-q", "-O", "verity", "-b", "4096", str(IMAGE))
        PLACE.mkdir(exist_ok=True)
        if host.run("mount", "-o", "loop", str(IMAGE), str(PLACE), check=False).returncode != 0:
            raise unittest.SkipTest("this kernel mounts no ext4 with fs-verity")
        cls.held, cls.plain = PLACE / "held", PLACE / "plain"
        for program in (cls.held, cls.plain):
            shutil.copy("/usr/bin/factor", program)
        enable(cls.held)
        host.run("sync")
        host.run("liliumctl", "trust", "add", str(cls.held), str(cls.plain))
        host.run("liliumctl", "trust", "sync", "--source", "file")

    @classmethod
    def tearDownClass(cls):
        host.configure({})
        host.run("umount", str(PLACE), check=False)

    def test_it_is_trusted_without_being_read(self):
        self.assertEqual(len(digest(self.held)), 64)
        host.configure({"exec": "enforce"}, extra="[log]\nallows = true\n")
        for program, is_read in ((self.held, False), (self.plain, True)):
            with self.subTest(program=program):
                place = host.cursor()
                self.assertEqual(host.run(str(program), "6").stdout, "6: 2 3\n")
                record = host.expect_record(
                    place, mechanism="exec", object_path=str(program), operation_kind="execute")
                self.assertEqual(record["LILIUM_VERDICT"], "allow")
                self.assertEqual(record["LILIUM_OBJECT_TRUSTED"], "true")
                self.assertEqual("LILIUM_OBJECT_SHA256" in record, is_read)

    def test_what_was_added_just_now(self):
        """trust add alone, without a sync after it."""
        added = PLACE / "added"
        shutil.copy("/usr/bin/factor", added)
        enable(added)
        host.run("liliumctl", "trust", "add", str(added))
        host.configure({"exec": "enforce"}, extra="[log]\nallows = true\n")
        place = host.cursor()
        self.assertEqual(host.run(str(added), "6").stdout, "6: 2 3\n")
        record = host.expect_record(place, mechanism="exec", object_path=str(added), operation_kind="execute")
        self.assertEqual(record["LILIUM_OBJECT_TRUSTED"], "true")
        self.assertNotIn("LILIUM_OBJECT_SHA256", record)

    def test_it_is_remembered(self):
        host.configure({"exec": "enforce"})
        host.run(str(self.held), "6")
        before = self.asked()
        for _ in range(3):
            host.run(str(self.held), "6")
        if host.status()["trust"].get("canRemember", True):
            # Its own execution and its loader's are answered by the kernel.
            self.assertLessEqual(self.asked() - before, 3)

    def asked(self):
        return sum(line["count"] for line in host.status()["decisions"] if line["mechanism"] == "exec")

    def test_another_digest_is_not_trusted(self):
        stranger = PLACE / "stranger"
        shutil.copy("/usr/bin/true", stranger)
        enable(stranger)
        host.configure({"exec": "enforce"})
        self.assertEqual(host.refusal(str(stranger)), "EPERM")
        with self.subTest("nor in the place of the right one"):
            place = host.cursor()
            saved = PLACE / "saved"
            self.held.rename(saved)
            stranger.rename(self.held)
            self.assertEqual(host.refusal(str(self.held)), "EPERM")
            record = host.expect_record(place, mechanism="exec", verdict="deny", object_path=str(self.held))
            self.assertEqual(record["LILIUM_OBJECT_TRUST"], "changed")
            self.held.unlink()
            saved.rename(self.held)
            self.assertIsNone(host.refusal(str(self.held), "6"))


if __name__ == "__main__":
    unittest.main()
