#!/usr/bin/env bash
# From a fresh clone to a fitted scaling law: installs what is missing, builds the program, runs the main job.
# Run it again at any time: what is done stays done. Arguments go to `bitlaw run`, which works in
# this folder: --out and --set corpus.files=... count from here.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
scripts/setup.sh release
exec build/release/bitlaw run experiments/configs/quickstart.yaml "$@"
