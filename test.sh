#!/usr/bin/env bash
# Installs what is missing, builds with tests and runs them all. --sanitize: then again under the address and
# undefined-behaviour sanitizers, without those that are labelled slow or marked long. --exhaustive: the tests labelled so
# instead, which compare formats with another library on all 2^32 float32 and take about half an hour. --cluster: sixty
# runs on a real Slurm, preempted, cancelled, drained and killed, instead; it needs root.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
case "$*" in
"" | --sanitize | --exhaustive | --cluster) ;;
*)
  echo "usage: ./test.sh [--sanitize | --exhaustive | --cluster]" >&2
  exit 2
  ;;
esac

scripts/setup.sh dev
if [ "${1:-}" = --exhaustive ]; then
  ctest --preset exhaustive | tee build/log/exhaustive.log
  if grep -q Skipped build/log/exhaustive.log; then
    echo "test.sh: the comparison was skipped, so nothing is known; see above what it needs" >&2
    exit 1
  fi
  exit
fi
if [ "${1:-}" = --cluster ]; then
  exec /usr/bin/python3 tests/cluster/cluster_test.py build/dev/bitlaw --whole
fi
ctest --preset dev -j "$(nproc)"
if [ "${1:-}" = --sanitize ]; then
  scripts/setup.sh asan-ubsan
  ctest --preset asan-ubsan -j "$(nproc)"
fi
