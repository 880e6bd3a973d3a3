#!/usr/bin/env bash
# run_fuzzers.sh BINARIES SOURCES SECONDS: each fuzzer (an executable fuzz_NAME in BINARIES) for so
# long. Seeds are SOURCES/corpus/NAME/; what a run finds grows in BINARIES/found/NAME/.
set -euo pipefail
binaries=$1 sources=$2 seconds=$3

ran=0
for fuzzer in "$binaries"/fuzz_*; do
  [ -x "$fuzzer" ] || continue
  name=$(basename "$fuzzer")
  name=${name#fuzz_}
  found=$binaries/found/$name
  seeds=$sources/corpus/$name
  mkdir -p "$found"
  corpora=("$found")
  [ ! -d "$seeds" ] || corpora+=("$seeds")
  echo "== $name, $seconds s"
  if ! "$fuzzer" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=2048 -print_final_stats=1 \
      -verbosity=0 -artifact_prefix="$binaries/$name-" "${corpora[@]}" >"$found.log" 2>&1; then
    tail -n 60 "$found.log"
    echo "$name failed; the input is $binaries/$name-*" >&2
    exit 1
  fi
  grep -E 'number_of_executed_units|average_exec_per_sec' "$found.log" | sed 's/^/   /'
  ran=$((ran + 1))
done
[ "$ran" -gt 0 ] || { echo "no fuzzer in $binaries" >&2; exit 1; }
echo "$ran fuzzers ran, no finding"
