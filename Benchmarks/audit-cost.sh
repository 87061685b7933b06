#!/usr/bin/env bash
# Times work that no rule is about while liliumd has audit rules armed: none (off), those of one mechanism, those of
# all, round after round in turn; prints each as a ratio to off. Usage: audit-cost.sh LILIUM_PROGRAMS BENCH_PROGRAMS, as
# root. It must leave auditing as it found it. The rest lives in a mount namespace of its own and vanishes with it.
# LILIUM_BENCH_AUDIT_ROUNDS (5) may be set.
set -euo pipefail

if [ "$(id -u)" -ne 0 ]; then
  echo "audit-cost: audit rules need root; run it as root" >&2
  exit 1
fi
if [ "${1:-}" != --inside ]; then
  exec unshare --mount --propagation private "$0" --inside "$(realpath "$1")" "$(realpath "$2")"
fi
lilium=$2 bench=$3
rounds=${LILIUM_BENCH_AUDIT_ROUNDS:-5}
armed=(off ptrace mprotect module kexec mount clone ioctl all)
works=(getppid open stat mmap mprotect exec find compile)
# The work has a processor for itself; whoever reads the records has another, if there is one.
work=(taskset -c 0)
reader=(taskset -c "$(($(nproc) > 1 ? 1 : 0))")

private=$(mktemp -d)
listener=
backlog=$(auditctl -s | awk '$1 == "backlog_limit" { print $2 }')

stop_listener() {
  [ -n "$listener" ] || return 0
  kill -TERM "$listener" 2>/dev/null || true
  # The status of a listener that was asked to end says nothing.
  wait "$listener" 2>/dev/null || true
  listener=
}
clean_up() {
  stop_listener
  "$lilium/liliumd" --clean-up --state "$private/state" || true
  auditctl -b "$backlog" >/dev/null || true
  umount "$private/objects" 2>/dev/null || true
  umount /etc/ld.so.cache 2>/dev/null || true
  rm -rf "$private"
}
trap clean_up EXIT

prepare() {
  mkdir "$private/objects" "$private/rules" "$private/state"
  mount -t tmpfs -o mode=0755,size=64m bench "$private/objects"
  install -m 0755 "$bench/tiny" "$private/objects/tiny"
  echo text >"$private/objects/file"
  # liliumd marks the loader's cache, to see programs begin: a copy, so that only those of this namespace are seen.
  cp /etc/ld.so.cache "$private/objects/cache"
  mount --bind "$private/objects/cache" /etc/ld.so.cache
  echo 'deny ioctl when operation.request == "TIOCSTI"' >"$private/rules/50-bench.rules"
  awk 'BEGIN {
    for (i = 0; i < 600; i++)
      printf "int f%d(int *a, int n) { int s = %d; for (int i = 0; i < n; i++) s += a[i] * (s ^ i); return s; }\n", i, i
  }' >"$private/objects/unit.c"
  # Warm: what is read from disk the first time is no cost of auditing.
  find /usr -xdev >/dev/null
}

# Waits until the listener is ready, at most ten seconds.
await_listener() {
  local tries
  for ((tries = 0; tries < 100; tries++)); do
    # The control socket answers before the rules are there; this line comes after.
    grep -q Ctrl-C "$private/listener.log" && return 0
    kill -0 "$listener" 2>/dev/null || break
    sleep 0.1
  done
  echo "audit-cost: liliumd did not get ready; what it said:" >&2
  cat "$private/listener.log" >&2
  exit 1
}

start_listener() {
  local mechanism rules
  [ "$1" != off ] || return 0
  {
    echo '[mode]'
    for mechanism in "${armed[@]:1:7}"; do
      if [ "$1" = all ] || [ "$1" = "$mechanism" ]; then echo "$mechanism = \"audit\""; fi
    done
    printf '[log]\nsinks = []\n'
  } >"$private/lilium.toml"
  # What the one before said must not pass for this one's.
  : >"$private/listener.log"
  timeout -s KILL 120 "${reader[@]}" "$lilium/liliumd" --foreground --output none --config "$private/lilium.toml" \
    --rules "$private/rules" --state "$private/state" --socket "$private/control.sock" >"$private/listener.log" 2>&1 &
  listener=$!
  await_listener
  # Nothing would be measured without them.
  rules=$(auditctl -l | grep -c "key=lilium\." || true)
  echo "$1 $rules" >>"$private/rules.count"
  if [ "$rules" -eq 0 ]; then
    echo "audit-cost: liliumd armed no rule for $1; what it said:" >&2
    cat "$private/listener.log" >&2
    exit 1
  fi
}

# The microseconds that a command takes, in thousands of nanoseconds as the other figures have them.
clock() {
  local start=$EPOCHREALTIME end
  "${work[@]}" "$@" >/dev/null
  end=$EPOCHREALTIME
  echo "$(((${end/[.,]/} - ${start/[.,]/}) * 1000))"
}

# Prints nanoseconds.
run_work() {
  local objects=$private/objects
  case $1 in
  getppid) "${work[@]}" "$bench/syscalls" getppid "$objects/file" 2000000 ;;
  open | stat) "${work[@]}" "$bench/syscalls" "$1" "$objects/file" 300000 ;;
  mmap | mprotect) "${work[@]}" "$bench/syscalls" "$1" "$objects/file" 150000 ;;
  exec) "${work[@]}" "$bench/syscalls" exec "$objects/tiny" 1000 ;;
  find) clock find /usr -xdev ;;
  compile) clock cc -O1 -c -o /dev/null "$objects/unit.c" ;;
  esac
}

# One line for each kind of work: ROUND ARMED WORK NANOSECONDS.
measure() {
  local name
  start_listener "$2"
  for name in "${works[@]}"; do
    echo "$1 $2 $name $(run_work "$name")" | tee -a "$private/figures" >&2
  done
  stop_listener
}

# Medians over the rounds: off in microseconds, the rest as ratios to it.
table() {
  sort -k3,3 -k2,2 -k4,4n "$private/figures" | awk -v armed="${armed[*]}" -v works="${works[*]}" '
    FILENAME != "-" { rules[$1] = $2; next }
    { key = $3 SUBSEP $2; value[key, ++seen[key]] = $4 }
    function median(name, what,    key, n) {
      key = name SUBSEP what; n = seen[key]
      return (value[key, int((n + 1) / 2)] + value[key, int(n / 2) + 1]) / 2
    }
    END {
      columns = split(armed, column, " "); rows = split(works, row, " ")
      printf "%-9s %11s", "work", "off us"
      for (c = 2; c <= columns; c++) printf " %8s", column[c]
      printf "\n"
      for (r = 1; r <= rows; r++) {
        base = median(row[r], "off")
        printf "%-9s %11.2f", row[r], base / 1000
        for (c = 2; c <= columns; c++) printf " %8.2f", median(row[r], column[c]) / base
        printf "\n"
      }
      printf "%-9s %11s", "rules", 0
      for (c = 2; c <= columns; c++) printf " %8d", rules[column[c]]
      printf "\n"
    }' "$private/rules.count" -
}

if auditctl -l | grep -q '^-'; then
  echo "audit-cost: there are audit rules already (auditctl -l), so that off would have some: remove them first" >&2
  exit 1
fi
prepare
for ((round = 1; round <= rounds; round++)); do
  for ((turn = 0; turn < ${#armed[@]}; turn++)); do
    # Each round begins with another one, so that none always follows the same.
    measure "$round" "${armed[(round + turn) % ${#armed[@]}]}"
  done
done
echo "what armed audit rules cost other work, as ratios to no rules (off): medians of $rounds rounds, $(uname -r)"
echo "off comes after auditing was on: a host where it never was since boot pays still less, most of all for getppid"
table
