#!/usr/bin/env bash
# run_fuzzers.sh BINARIES SOURCES SECONDS: each fuzzer (an executable fuzz_NAME in BINARIES) for so
# long, as many at a time as there are processors. Seeds are SOURCES/corpus/NAME/; what a run finds
# grows in BINARIES/found/NAME/.
set -euo pipefail
export binaries=$1 sources=$2 seconds=$3

run_fuzzer() {
  local name=${1##*/fuzz_}
  local found=$binaries/found/$name seeds=$sources/corpus/$name
  mkdir -p "$found"
  local corpora=("$found")
  [ ! -d "$seeds" ] || corpora+=("$seeds")
  if ! "$1" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=2048 -print_final_stats=1 \
      -verbosity=0 -artifact_prefix="$binaries/$name-" "${corpora[@]}" >"$found.log" 2>&1; then
    tail -n 60 "$found.log"
    echo "$name failed; the input is $binaries/$name-*" >&2
    return 1
  fi
  echo "== $name, $seconds s"
  grep -E 'number_of_executed_units|average_exec_per_sec' "$found.log" | sed 's/^/   /'
}
export -f run_fuzzer

fuzzers=$(find "$binaries" -maxdepth 1 -name 'fuzz_*' -type f -executable | sort)
[ -n "$fuzzers" ] || { echo "no fuzzer in $binaries" >&2; exit 1; }
# shellcheck disable=SC2016  # for the inner shell
echo "$fuzzers" | xargs -P "$(nproc)" -I '{}' bash -euo pipefail -c 'run_fuzzer "$1"' _ '{}'
echo "$(echo "$fuzzers" | wc -l) fuzzers ran, no finding"
