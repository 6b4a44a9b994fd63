#!/usr/bin/env bash
# scripts/wheel.sh: builds the Python package as a wheel in build/wheels, for the python3 that comes first. It links the
# system's libraries, so it is for machines with the packages that this one has (scripts/setup.sh release).
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
venv=build/wheel-venv
if [ ! -x $venv/bin/pip ]; then python3 -m venv $venv; fi
$venv/bin/pip wheel --disable-pip-version-check --no-deps --wheel-dir build/wheels .
