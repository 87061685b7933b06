#!/usr/bin/env bash
# Times opens, execs and whole commands on a file system of its own: without a monitor, with the C null responder (null),
# with one whose events carry process descriptors as liliumd's do (null-pidfd), with one that reads and hashes every file
# (null-hash), and with liliumd, round after round in turn. Usage: bench.sh LILIUM_PROGRAMS BENCH_PROGRAMS, as root.
# It must not mark any file system but its own, which lives in a mount namespace of its own and vanishes with it.
# LILIUM_BENCH_ROUNDS (9) and LILIUM_BENCH_FS (ext4 or tmpfs) may be set.
set -euo pipefail

if [ "$(id -u)" -ne 0 ]; then
  echo "bench: fanotify permission events need root; run it as root" >&2
  exit 1
fi
if [ "${1:-}" != --inside ]; then
  exec unshare --mount --propagation private "$0" --inside "$(realpath "$1")" "$(realpath "$2")"
fi
lilium=$2 bench=$3
rounds=${LILIUM_BENCH_ROUNDS:-9}
kind=${LILIUM_BENCH_FS:-ext4}
# A place from which the shipped rules allow what root owns; on the host it stays as it is.
place=/usr/local/games
monitors=(none null null-pidfd null-hash liliumd)
# All on one processor. A listener that fails to end holds whoever opens, so none may live longer than this.
pinned=(timeout -s KILL 120 taskset -c 0)

private=$(mktemp -d)
listener=
stop_listener() {
  [ -n "$listener" ] || return 0
  kill -TERM "$listener" 2>/dev/null || true
  # The status of a listener that was asked to end says nothing.
  wait "$listener" 2>/dev/null || true
  listener=
}
clean_up() {
  stop_listener
  umount "$place" 2>/dev/null || true
  rm -rf "$private"
}
trap clean_up EXIT

populate() {
  mkdir -p "$place"
  case $kind in
  tmpfs) mount -t tmpfs -o mode=0755,size=1g bench "$place" ;;
  ext4)
    truncate -s 1G "$private/image"
    mkfs.ext4 -q "$private/image"
    mount -o loop,noatime "$private/image" "$place"
    ;;
  *)
    echo "bench: LILIUM_BENCH_FS is tmpfs or ext4, not $kind" >&2
    exit 1
    ;;
  esac
  install -m 0755 "$bench/tiny" "$place/tiny"
  Benchmarks/populate.py "$bench/tiny" "$place"
  git -C "$place/tree" init -q
  git -C "$place/tree" add .
  git -C "$place/tree" -c user.name=bench -c user.email=bench@localhost commit -qm "The tree"
  # What changed a moment ago may change again unseen: liliumd keeps nothing of it.
  sleep 0.2
}

configure() {
  cat >"$private/lilium.toml" <<TOML
[mode]
exec = "enforce"
[coverage]
filesystems = ["$place"]
[log]
sinks = []
TOML
  mkdir "$private/state" "$private/trust.d"
  local trust=(--state "$private/state" --trust-folder "$private/trust.d" --socket "$private/none")
  "$lilium/liliumctl" trust sync --source file --quiet "${trust[@]}"
  "$lilium/liliumctl" trust add "${trust[@]}" \
    "$place/tiny" "$place/trusted" "$place/libraries" "$place/programs" "$place/tree" >"$private/trust.log"
}

# Waits until the command succeeds, at most ten seconds.
await() {
  local tries
  for ((tries = 0; tries < 100; tries++)); do
    "$@" >/dev/null 2>&1 && return 0
    kill -0 "$listener" 2>/dev/null || break
    sleep 0.1
  done
  echo "bench: the listener did not get ready; what it said:" >&2
  cat "$private/listener.log" >&2
  exit 1
}

start_listener() {
  case $1 in
  none) ;;
  null | null-pidfd | null-hash)
    local options=()
    [ "$1" = null ] || options=("--${1#null-}")
    "${pinned[@]}" "$bench/null-responder" "${options[@]}" "$place" >"$private/listener.log" 2>&1 &
    listener=$!
    await grep -q ready "$private/listener.log"
    ;;
  liliumd)
    "${pinned[@]}" "$lilium/liliumd" --foreground --output none --config "$private/lilium.toml" --rules etc/rules.d \
      --state "$private/state" --socket "$private/control.sock" >"$private/listener.log" 2>&1 &
    listener=$!
    # The control socket answers before the marks are there; this line comes after.
    await grep -q Ctrl-C "$private/listener.log"
    ;;
  esac
}

work() { "${pinned[@]}" "$bench/workload" "$@"; }

# One line for each kind of work: ROUND MONITOR WORK COUNT P50 MEAN.
measure() {
  local round=$1 monitor=$2
  # What the one before said must not pass for this one's.
  : >"$private/listener.log"
  start_listener "$monitor"
  {
    # First: liliumd has just been started and knows no digest yet.
    work open-first "$place/libraries" 2000
    if [ "$monitor" != null-hash ]; then
      work open-loop "$place/trusted/0" 20000
      work open-many "$place/trusted" 5000
      work open-many "$place/unknown" 5000 | sed 's/^open-many/open-unknown/'
      work exec-loop "$place/tiny" 1000
      work exec-many "$place/programs" 200
      work command tree 5 sh -c "cd $place/tree && git status --short && find . -type f -exec cat {} + >/dev/null"
      work command compile 3 sh -c "cd $place/tree && cc -O1 -c -o $private/0.o 0.c && cc -O1 -c -o $private/1.o 1.c"
    fi
  } | sed "s/^/$round $monitor /" | tee -a "$private/figures" >&2
  stop_listener
}

# Medians over the rounds of each round's median, in microseconds, and their ratios.
table() {
  sort -k3,3 -k2,2 -k5,5n "$private/figures" | awk '
    { key = $3 SUBSEP $2; value[key, ++seen[key]] = $5; work[$3] = 1 }
    function median(name, monitor,    key, n) {
      key = name SUBSEP monitor; n = seen[key]
      return (value[key, int((n + 1) / 2)] + value[key, int(n / 2) + 1]) / 2000
    }
    END {
      printf "%-13s %11s %11s %11s %11s %11s %8s %8s %8s %8s\n", "work", "none us", "null us", "null-pidfd",
        "null-hash", "liliumd us", "l/none", "l/null", "l/pidfd", "l/hash"
      for (name in work) {
        a = median(name, "none"); b = median(name, "null"); p = median(name, "null-pidfd"); c = median(name, "liliumd")
        h = (name, "null-hash") in seen ? median(name, "null-hash") : 0
        printf "%-13s %11.2f %11.2f %11.2f %11s %11.2f %8.2f %8.2f %8.2f %8s\n", name, a, b, p,
          h ? sprintf("%.2f", h) : "-", c, c / a, c / b, c / p, h ? sprintf("%.2f", c / h) : "-"
      }
    }'
}

populate
configure
for ((round = 1; round <= rounds; round++)); do
  for ((turn = 0; turn < ${#monitors[@]}; turn++)); do
    # Each round begins with another one, so that none always follows the same.
    measure "$round" "${monitors[(round + turn) % ${#monitors[@]}]}"
  done
done
echo "medians of $rounds rounds on $kind, work and listener on one processor, $(uname -r)"
table
