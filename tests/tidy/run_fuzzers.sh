#!/usr/bin/env bash
# run_fuzzers.sh BINARIES SOURCES SECONDS: each fuzzer (an executable *_fuzz in BINARIES) for so
# long. Seeds are SOURCES/corpus/NAME/ where that exists; what a run finds grows in
# BINARIES/corpus/NAME/.
set -euo pipefail
binaries=$1 sources=$2 seconds=$3

ran=0
for fuzzer in "$binaries"/*_fuzz; do
  [ -x "$fuzzer" ] || continue
  name=$(basename "$fuzzer")
  corpus=$binaries/corpus/$name
  seeds=$sources/corpus/$name
  mkdir -p "$corpus"
  corpora=("$corpus")
  [ ! -d "$seeds" ] || corpora+=("$seeds")
  echo "== $name, $seconds s"
  if ! "$fuzzer" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=2048 -print_final_stats=1 \
      -verbosity=0 -artifact_prefix="$binaries/$name-" "${corpora[@]}" >"$corpus.log" 2>&1; then
    tail -n 60 "$corpus.log"
    echo "$name failed; the input is beside $binaries/$name" >&2
    exit 1
  fi
  grep -E 'number_of_executed_units|average_exec_per_sec' "$corpus.log" | sed 's/^/   /'
  ran=$((ran + 1))
done
[ "$ran" -gt 0 ] || { echo "no fuzzer in $binaries" >&2; exit 1; }
echo "$ran fuzzers ran, no finding"
