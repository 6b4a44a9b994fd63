#!/usr/bin/env bash
# Installs what is missing, builds with tests and runs them all. --sanitize: then again under the address and
# undefined-behaviour sanitizers, without those that are labelled slow.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
case "$*" in
"" | --sanitize) ;;
*)
  echo "usage: ./test.sh [--sanitize]" >&2
  exit 2
  ;;
esac

scripts/setup.sh dev
ctest --preset dev -j "$(nproc)"
if [ "${1:-}" = --sanitize ]; then
  scripts/setup.sh asan-ubsan
  ctest --preset asan-ubsan -j "$(nproc)" -LE slow
fi
