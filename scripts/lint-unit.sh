#!/bin/sh
# Checks the systemd unit $1, and that it has no directive that would give the service a mount namespace of its own.
# It must not need the installed programs, so it looks at a copy that starts /bin/true.
set -eu

unit=$1
if grep -En '^(Protect|Private(Tmp|Devices|Mounts|Users|IPC)|ReadOnlyPaths|ReadWritePaths|InaccessiblePaths|ExecPaths|NoExecPaths|TemporaryFileSystem|Bind|Root|Mount|DynamicUser|Extension|ProcSubset|LogNamespace)' "$unit" >&2; then
  echo "$unit: the directives above give the service a mount namespace of its own; remove them" >&2
  exit 1
fi
if grep -n '^Memory\(Max\|High\|SwapMax\)' "$unit" >&2; then
  echo "$unit: the kernel charges waiting requests to the service's memory; remove the limits above" >&2
  exit 1
fi
if grep -n '^RestrictSUIDSGID=' "$unit" >&2; then
  echo "$unit: it takes openat2(2) away, and scripts would be denied what they open; remove the line above" >&2
  exit 1
fi
if ! command -v systemd-analyze >/dev/null; then
  echo "lint: no systemd-analyze here, so systemd itself has not checked $unit" >&2
  exit 0
fi
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
sed 's/^\(ExecStart\|ExecStopPost\)=[^ ]*/\1=\/bin\/true/' "$unit" >"$copy/$(basename "$unit")"
messages=$(systemd-analyze verify --man=no "$copy/$(basename "$unit")" 2>&1) || { echo "$messages" >&2; exit 1; }
# An unknown directive is a message, not an error, of systemd's.
if echo "$messages" | grep -F "$(basename "$unit")" >&2; then
  echo "$unit: systemd does not take the lines above" >&2
  exit 1
fi
