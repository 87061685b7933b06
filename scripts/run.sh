#!/bin/sh
# Runs liliumd from the build folder $1 in the foreground: a dry run over the whole host, until Ctrl-C.
# It must leave nothing behind but a trust database for the next run, and that only in the build folder.
set -eu

programs=$1
limit=${SECONDS_LIMIT:-}
# A first sync reads every file of every package, which can take minutes; the next reads what has changed since.
kept=$(pwd -P)/.build/run-state

# Whether folder $1 and all above it are root's alone: a trust database elsewhere is not believed.
is_roots_alone() {
  folder=$1
  while [ -z "$(find "$folder" -prune \( ! -uid 0 -o -perm /022 ! -perm -1000 \))" ]; do
    [ "$folder" != / ] || return 0
    folder=$(dirname "$folder")
  done
  return 1
}

if [ "$(id -u)" -ne 0 ]; then
  echo "run: liliumd must be root to mark file systems; run: sudo env PATH=\"\$PATH\" make run" >&2
  exit 1
fi

private=$(mktemp -d)
trap 'rm -rf "$private"' EXIT
# Ctrl-C is for liliumctl, which keeps what it has read, and for liliumd, which takes its marks away and prints its
# summary; this shell waits for that.
trap : INT

# liliumd obeys only files that root owns and others cannot write, which a clone's own need not be.
install -D -m 0644 -t "$private/rules.d" etc/rules.d/*.rules
install -m 0644 etc/dry-run.toml "$private/dry-run.toml"

if is_roots_alone "$(dirname "$kept")"; then
  state=$kept
  echo "run: learning what the files of this host should contain; kept for the next run in $state" >&2
else
  state=$private/state
  echo "run: learning what the files of this host should contain; $folder is not root's alone, so it is not kept" >&2
fi
install -d -o root -g root -m 0700 "$state"
status=0
"$programs/liliumctl" trust sync --state "$state" || status=$?
[ "$status" -ne 130 ] || exit "$status"
if [ "$status" -ne 0 ]; then
  echo "run: going on all the same; what needs a trust database that is not there shows as trust-unavailable" >&2
fi
if ! command -v dpkg-query >/dev/null && ! command -v rpm >/dev/null; then
  echo "run: no dpkg and no rpm here to say what the files of this host should contain: nearly all will be denied" >&2
fi

set -- "$programs/liliumd" --foreground --output pretty --config "$private/dry-run.toml" --rules "$private/rules.d" \
  --state "$state" --socket "$private/control.sock"
# A daemon that does not end would hold the host's opens, so it is killed then.
[ -z "$limit" ] || set -- timeout --foreground --preserve-status -s INT -k 30 "$limit" "$@"

echo "run: a dry run, nothing is denied; Ctrl-C ends it" >&2
echo "run: meanwhile, in another terminal: $programs/liliumctl status --socket $private/control.sock" >&2
status=0
"$@" || status=$?
exit "$status"
