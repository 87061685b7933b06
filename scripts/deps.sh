#!/bin/sh
# Installs the Debian packages that the build needs, with `tests` those of the tests, checks and benchmarks too, and
# checks for Swift.
# It must cost nothing, and need no network, when nothing is missing.
set -eu

packages="make git ca-certificates pkg-config g++ libcap-dev libsystemd-dev libre2-dev libssl-dev libaudit-dev
 liblmdb-dev libarchive-dev libbpf-dev"
# Audit's own programs are witnesses, debuggers are ptrace's users: who only builds or runs Lilium needs neither.
if [ "${1:-}" = tests ]; then
  packages="$packages e2fsprogs util-linux procps python3 mandoc shellcheck auditd libauparse-dev gdb strace rpm
 xfsprogs btrfs-progs jq build-essential debhelper lintian dpkg-dev qemu-system-x86 mmdebstrap kmod zstd lz4 libc6-dev"
fi

if command -v dpkg-query >/dev/null; then
  missing=
  for package in $packages; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing="$missing $package"
  done
  if [ -n "$missing" ]; then
    if [ "$(id -u)" -ne 0 ]; then
      echo "deps: these packages are missing; as root, run: apt-get install$missing" >&2
      exit 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    echo "deps: installing$missing"
    apt-get update -qq
    # auditd is wanted for its programs: it must not begin to read this host's audit trail.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
      printf '#!/bin/sh\nexit 101\n' >"$policy"
      chmod 755 "$policy"
      trap 'rm -f "$policy"' EXIT
    fi
    # shellcheck disable=SC2086 # a list of names
    apt-get install -y -qq --no-install-recommends $missing
    case $missing in *auditd*)
      if [ -d /run/systemd/system ]; then systemctl disable -q auditd || true; fi
      ;;
    esac
  fi
else
  echo "deps: not a Debian system; make sure that the equivalents of these are installed: $packages" >&2
fi

if ! command -v swift >/dev/null; then
  echo "deps: no swift on PATH; install Swift 6.3 (https://www.swift.org/install/linux) and add its usr/bin to PATH" >&2
  exit 1
fi
version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\)\.\([0-9]*\).*/\1 \2/p')
# shellcheck disable=SC2086 # two numbers
set -- ${version:-0 0}
if [ "$1" -lt 6 ] || { [ "$1" -eq 6 ] && [ "$2" -lt 3 ]; }; then
  echo "deps: $(command -v swift) is Swift $1.$2, but 6.3 or newer is needed; put a newer one first on PATH" >&2
  exit 1
fi
