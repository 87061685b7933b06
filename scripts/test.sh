#!/usr/bin/env bash
# Builds and runs the Swift tests, unit and kernel tests in one run, one after another.
# It must not pass quietly over the kernel tests where CI is true.
set -euo pipefail

jobs=${JOBS:-2}
ci=${CI:-false}
selection=()
if [ "$(id -u)" -ne 0 ]; then
  if [ "$ci" = true ]; then
    echo "test: the kernel tests need root, and in CI they may not be left out; run as root" >&2
    exit 1
  fi
  echo "test: not root, so the kernel tests are left out; run as root to have them too" >&2
  selection=(--skip '^KernelTests\.')
fi

# In CI the log keeps suites, failures and the closing line, not one line (or many, where an argument has line ends) for
# each test that began or passed.
condense() {
  if [ "$ci" = true ]; then
    awk '/^◇ / { skip = 1; next } /^(✔|✘|↳|\[|Build|error|warning)/ { skip = 0 }
      /^✔ Test (case |[^r]|r[^u])/ || /^\[[0-9]+\/[0-9]+\]/ { next } !skip { print; fflush() }'
  else
    cat
  fi
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Runs a test command; where it fails, the failures come once more as the last lines, which are the ones that people and
# CI look at first.
run_tests() {
  if ! "$@" 2>&1 | tee "$log" | condense; then
    echo "test: what failed:" >&2
    awk '/^✘|error:/ { print; keep = 6; next } /^[✔◇]/ { keep = 0 } keep-- > 0' "$log" | cut -c1-1000 | head -n 80 >&2
    exit 1
  fi
}

run_tests swift build --build-tests -j "$jobs"
# A listener that hangs would hold its openers for ever, so the whole run has an end.
run_tests timeout --foreground -k 60 1500 \
  swift test --skip-build --disable-xctest --no-parallel "${selection[@]}"

# Allocations of the answer path, counted on optimised code.
LILIUM_ANSWER_PATH=1 run_tests timeout --foreground -k 60 900 \
  swift test -c release -Xswiftc -enable-testing --scratch-path .build-answer-path -j "$jobs" --disable-xctest
