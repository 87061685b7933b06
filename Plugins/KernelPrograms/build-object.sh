#!/bin/sh
# Compiles one file of kernel programs and writes the object into a Swift file, as text of hexadecimal digits.
# It must not depend on anything but clang, objcopy and od; the object's debug information stays out, its types stay in.
set -eu

clang=$1 objcopy=$2 source=$3 layout=$4 output=$5

case $(uname -m) in
  x86_64) arch=x86 ;;
  aarch64) arch=arm64 ;;
  *) echo "build-object: no kernel programs for $(uname -m)" >&2; exit 1 ;;
esac

object=$output.o
# Debian keeps asm/types.h, which linux/bpf.h includes, in a folder of the machine's.
"$clang" -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror -Wno-unused-parameter "-D__TARGET_ARCH_$arch" \
  -I "$layout" -isystem "/usr/include/$(uname -m)-linux-gnu" -c "$source" -o "$object"
# libbpf needs .BTF and .BTF.ext; DWARF is three quarters of the file.
"$objcopy" --strip-debug "$object"
{
  echo '// Made by Plugins/KernelPrograms; the programs are in Sources/Kernel/BPFLSM/bpf.'
  echo 'enum ProgramObject {'
  printf '  static let digits: StaticString = "'
  od -An -v -tx1 "$object" | tr -d ' \n'
  echo '"'
  echo '}'
} >"$output.new"
mv "$output.new" "$output"
