#!/usr/bin/env bash
# Builds the documentation: build/docs/html/index.html, a site that opens without a network. Installs what is missing
# (Doxygen by apt; Sphinx and its like from the Python Package Index into build/docs-venv) and builds the program and
# the Python package, of which the site tells. BUILD: a build folder that has both already, such as build/dev.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
if [ $# -gt 1 ] || { [ $# = 1 ] && [ ! -d "$1/python/bitlaw" ]; }; then
  echo "usage: ./docs.sh [BUILD], a build folder with the Python package, such as build/dev" >&2
  exit 2
fi
build=${1:-build/docs}
BITLAW_SKIP_BUILD=${1:+1} scripts/setup.sh docs
mkdir -p build/docs/html
doxygen docs/Doxyfile
BITLAW_PROGRAM=$build/bitlaw PYTHONPATH=$build/python build/docs-venv/bin/sphinx-build --fresh-env --fail-on-warning \
  --keep-going --quiet --conf-dir docs --doctree-dir build/docs/doctrees . build/docs/html
echo "build/docs/html/index.html"
