#!/usr/bin/env bash
# Builds each fuzzer in Tests/Fuzzers and runs it for $1 seconds over its committed corpus.
# Where CI is true the seed is fixed: a change is judged by what it does, and new inputs are looked for by `make fuzz`.
# It must not write into the corpus: what a run finds stays in a temporary folder, a crash in .build-fuzz/findings.
set -euo pipefail

seconds=$1
jobs=${JOBS:-2}
scratch=.build-fuzz
findings=$scratch/findings
seed=()
if [ "${CI:-false}" = true ]; then seed=(-seed=1); fi
# A crash is for libFuzzer, which keeps the input; Swift's own backtracer would take it away.
export SWIFT_BACKTRACE=enable=no
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
mkdir -p "$findings"

# RuleTextFuzzer has its corpus in rule-text.
corpus_of() {
  sed -E 's/Fuzzer$//; s/([a-z0-9])([A-Z])/\1-\2/g' <<<"$1" | tr '[:upper:]' '[:lower:]'
}

found=0
for folder in Tests/Fuzzers/*Fuzzer; do
  [ -d "$folder" ] || continue
  found=1
  name=$(basename "$folder")
  corpus=Tests/Fuzzers/corpus/$(corpus_of "$name")
  if [ ! -d "$corpus" ]; then
    echo "fuzz: $name has no corpus; commit some inputs in $corpus" >&2
    exit 1
  fi
  LILIUM_FUZZ=1 swift build --quiet --sanitize fuzzer -c debug --scratch-path "$scratch" -j "$jobs" --product "$name"
  mkdir "$fresh/$name"
  if ! "$scratch/debug/$name" "${seed[@]}" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$findings/$name-" "$fresh/$name" "$corpus" >"$fresh/$name.log" 2>&1; then
    tail -n 60 "$fresh/$name.log" >&2
    echo "fuzz: $name found an input that breaks it; see $findings" >&2
    exit 1
  fi
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$fresh/$name.log")
  echo "fuzz: $name: ${runs:-0} inputs in $seconds s, no finding"
done
if [ "$found" -eq 0 ]; then
  echo "fuzz: no fuzzer in Tests/Fuzzers; each one is a folder named SomethingFuzzer" >&2
  exit 1
fi
