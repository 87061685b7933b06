#!/usr/bin/env bash
# Times opens and execs on a file system of its own: without a monitor, with the C null responder (null), with one whose
# events carry process descriptors as liliumd's do (null-pidfd), and with liliumd, round after round in turn. Usage: bench.sh LILIUM_PROGRAMS BENCH_PROGRAMS, as root.
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
monitors=(none null null-pidfd liliumd)
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
  tmpfs) mount -t tmpfs -o mode=0755,size=256m bench "$place" ;;
  ext4)
    truncate -s 512M "$private/image"
    mkfs.ext4 -q "$private/image"
    mount -o loop,noatime "$private/image" "$place"
    ;;
  *)
    echo "bench: LILIUM_BENCH_FS is tmpfs or ext4, not $kind" >&2
    exit 1
    ;;
  esac
  install -m 0755 "$bench/tiny" "$place/tiny"
  mkdir "$place/many"
  local index
  for ((index = 0; index < 5000; index++)); do
    echo "file $index holds text" >"$place/many/$index"
  done
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
  mkdir "$private/state"
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
  null | null-pidfd)
    local options=()
    [ "$1" = null ] || options=(--pidfd)
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

# One line for each kind of work: ROUND MONITOR WORK COUNT P50 MEAN.
measure() {
  local round=$1 monitor=$2
  # What the one before said must not pass for this one's.
  : >"$private/listener.log"
  start_listener "$monitor"
  {
    "${pinned[@]}" "$bench/workload" open-loop "$place/many/0" 20000
    "${pinned[@]}" "$bench/workload" open-many "$place/many" 5000
    "${pinned[@]}" "$bench/workload" exec-loop "$place/tiny" 1000
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
      printf "%-10s %9s %9s %11s %11s %13s %13s %19s\n", "work", "none us", "null us", "null-pidfd", "liliumd us",
        "liliumd/none", "liliumd/null", "liliumd/null-pidfd"
      for (name in work) {
        a = median(name, "none"); b = median(name, "null"); p = median(name, "null-pidfd"); c = median(name, "liliumd")
        printf "%-10s %9.2f %9.2f %11.2f %11.2f %13.2f %13.2f %19.2f\n", name, a, b, p, c, c / a, c / b, c / p
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
