#!/usr/bin/env python3
# Fills the benchmark's file system: populate.py PROGRAM FOLDER. All files are root's, and the same in every run.
# It must not write outside FOLDER.
import os
import random
import shutil
import sys

program, place = sys.argv[1:]
chance = random.Random(1)


def write(path, content, mode=0o644):
    with open(path, "wb") as file:
        file.write(content)
    os.chmod(path, mode)


def fill(folder, count, content, mode=0o644):
    os.makedirs(f"{place}/{folder}")
    for index in range(count):
        write(f"{place}/{folder}/{index}", content(index), mode)


with open(program, "rb") as file:
    tiny = file.read()
# A library by its header, 64 KiB each, no two alike.
header = bytearray(tiny[:64])
header[16:18] = (3).to_bytes(2, "little")  # ET_DYN
header[56:58] = bytes(2)  # no program headers
fill("trusted", 5000, lambda index: f"file {index} holds text\n".encode())
fill("unknown", 5000, lambda index: f"file {index} holds text\n".encode())
fill("libraries", 2000, lambda index: bytes(header) + chance.randbytes(65536 - 64))
fill("programs", 200, lambda index: tiny + index.to_bytes(8, "little"), 0o755)
for folder in range(40):
    fill(f"tree/{folder}", 50, lambda index: b"".join(b"line %d of text\n" % chance.randrange(1 << 30) for _ in range(100)))
source = "#include <stdio.h>\n#include <stdlib.h>\n" + "".join(
    f"int work{index}(int x) {{ return printf(\"%d\", x * {index}) + abs(x); }}\n" for index in range(300)
)
for index in range(2):
    write(f"{place}/tree/{index}.c", source.encode())
shutil.copymode(program, f"{place}/tiny")
