#!/bin/sh
# Runs liliumd from the build folder $1 in the foreground: a dry run over the whole host, until Ctrl-C.
# It keeps state and socket in a private folder, and must leave nothing behind.
set -eu

programs=$1
limit=${SECONDS_LIMIT:-}

if [ "$(id -u)" -ne 0 ]; then
  echo "run: liliumd must be root to mark file systems; run: sudo env PATH=\"\$PATH\" make run" >&2
  exit 1
fi

private=$(mktemp -d)
trap 'rm -rf "$private"' EXIT
# Ctrl-C is for liliumd, which takes its marks away and prints its summary; this shell waits for that.
trap : INT

# liliumd obeys only files that root owns and others cannot write, which a clone's own need not be.
install -D -m 0644 -t "$private/rules.d" etc/rules.d/*.rules
install -m 0644 etc/dry-run.toml "$private/dry-run.toml"

set -- "$programs/liliumd" --foreground --output pretty --config "$private/dry-run.toml" --rules "$private/rules.d" \
  --state "$private/state" --socket "$private/control.sock"
# A daemon that does not end would hold the host's opens, so it is killed then.
[ -z "$limit" ] || set -- timeout --foreground --preserve-status -s INT -k 30 "$limit" "$@"

mkdir "$private/state"
echo "run: a dry run, nothing is denied; Ctrl-C ends it" >&2
echo "run: meanwhile, in another terminal: $programs/liliumctl status --socket $private/control.sock" >&2
status=0
"$@" || status=$?
exit "$status"
