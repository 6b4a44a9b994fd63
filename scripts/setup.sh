#!/usr/bin/env bash
# scripts/setup.sh PRESET: installs what is missing to build PRESET of CMakePresets.json, then builds it.
# Says nothing when nothing is to do. What the commands print goes to build/log/; on failure the end of it is shown.
# BITLAW_SKIP_INSTALL=1 leaves out the first half, BITLAW_SKIP_BUILD=1 the second.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
exec </dev/null # nothing here asks a question
export LC_ALL=C # the same order and the same messages everywhere
preset=${1:?usage: scripts/setup.sh PRESET, a configure preset of CMakePresets.json}
logs=build/log

# Each package and why it is needed. Names are the same in Debian 12 and Ubuntu 22.04 and 24.04.
build_packages="
g++                  the compiler
cmake                reads CMakeLists.txt and CMakePresets.json
ninja-build          runs the compiler on all cores
git                  names the commit in every result
libboost-dev         quantiles, special functions, UUIDs
libceres-dev         non-linear least squares with automatic derivatives
libcli11-dev         the command line
libeigen3-dev        linear algebra
libfmt-dev           text
libhdf5-dev          the result files
libhwy-dev           vector instructions chosen at run time
libmuparser-dev      derived values in YAML, such as 20 * params
libyaml-cpp-dev      YAML with line and column
nlohmann-json3-dev   JSON lines
zlib1g-dev           gzip texts
dict-gcide           the default text: a dictionary of English, 40 MB
"
test_packages="
doctest-dev          the tests
hdf5-tools           h5dump opens our files
netcdf-bin           ncdump opens our files
python3-h5netcdf     so does this library
python3-h5py         and this
python3-netcdf4      and this
python3-pandas       and this
python3-tables       and this
python3-dev          the headers that the Python package is built with
python3-venv         makes the folder for what Debian does not have: other people's number formats, nanobind
python3-xarray       and this
libpangoft2-1.0-0    letters in PDF
munge                a real Slurm is started, whose daemons know each other by this,
slurm-client         its commands,
slurmctld            its controller
slurmd               and its nodes
"
benchmark_packages="
libbenchmark-dev     the benchmarks
libopenblas-dev      the matrix product is compared with this one
pkg-config           finds it
"
docs_packages="
doxygen              the C++ reference
python3-dev          the headers that the Python package is built with
python3-venv         makes the folder for Sphinx, which makes the site
"
fuzz_packages="
clang                the fuzzer, libFuzzer,
libclang-rt-dev      and its run time
libomp-dev           threads, for clang
doctest-dev          the folder of tests is read whole
"

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }

# Ends the script, showing the end of a log when one is named.
fail() { # fail MESSAGE [LOG]
  if [ -n "${2:-}" ]; then tail -n 25 "$2" >&2; fi
  say "$1${2:+; the whole log is $PWD/$2}"
  exit 1
}

# Prints those of the packages that dpkg does not have installed.
missing_of() { # missing_of PACKAGE...
  local installed
  # dpkg-query fails when it has never heard of one of the names; what it prints of the others is right all the same.
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p') || true
  comm -23 <(printf '%s\n' "$@" | sort) <(sort <<<"$installed")
}

install_missing() {
  local names missing sudo=()
  names=$build_packages
  case $preset in
  dev | asan-ubsan) names+=$test_packages ;;
  benchmark) names+=$benchmark_packages ;;
  docs) names+=$docs_packages ;;
  fuzz) names+=$fuzz_packages ;;
  esac
  mapfile -t names < <(awk 'NF { print $1 }' <<<"$names")
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    fail "there is no apt-get here, so packages cannot be installed; build the Dockerfile, or take the packages of \
vcpkg.json and set BITLAW_SKIP_INSTALL=1 (CONTRIBUTING.md, 'Other systems')"
  fi
  mapfile -t missing < <(missing_of "${names[@]}")
  if [ ${#missing[@]} = 0 ]; then return; fi
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || fail "packages are missing and there is no sudo; as root, run 'apt-get install \
--no-install-recommends ${missing[*]}', then start again"
    sudo=(sudo)
  fi
  # A root shell made by plain su lacks the sbin folders, where dpkg looks for its helpers.
  local apt=("${sudo[@]}" env DEBIAN_FRONTEND=noninteractive "PATH=$PATH:/usr/sbin:/sbin"
    apt-get -o DPkg::Lock::Timeout=300)
  say "installing with${sudo[0]:+ sudo} apt-get: ${missing[*]}"
  "${apt[@]}" update --error-on=any >"$logs/apt-update.log" 2>&1 ||
    say "apt-get update failed, going on with the lists at hand; its log is $PWD/$logs/apt-update.log"
  "${apt[@]}" install --yes --no-install-recommends "${missing[@]}" >"$logs/apt-install.log" 2>&1 ||
    fail "apt-get install failed" "$logs/apt-install.log"
}

# The packages of a requirements.txt, from the Python Package Index, in a virtual environment.
make_venv() { # make_venv REQUIREMENTS NAME
  local wanted=$1 venv=build/$2 log=$logs/$2.log
  if cmp -s "$wanted" "$venv/requirements.txt"; then return; fi
  say "installing into $venv: $(sed '/^#/d' "$wanted" | paste -sd ' ')"
  {
    python3 -m venv --clear "$venv" &&
      "$venv/bin/pip" install --no-compile --disable-pip-version-check --retries 2 --timeout 15 -r "$wanted" &&
      cp "$wanted" "$venv"
  } >"$log" 2>&1
}

install_python_packages() {
  case $preset in
  dev | asan-ubsan)
    make_venv tests/conformance/requirements.txt oracle-venv || say "that failed, so formats are not compared with \
those of other libraries and the Python package is not built; its log is $PWD/$logs/oracle-venv.log"
    ;;
  docs) make_venv docs/requirements.txt docs-venv || fail "that failed" "$logs/docs-venv.log" ;;
  esac
}

# Ninja's lines become one that is rewritten on a terminal, and every 20th of them elsewhere.
show_progress() {
  if [ -t 2 ]; then
    awk '/^\[/ { printf "\r\033[K%.79s", $0; any = 1; fflush() } END { if (any) printf "\r\033[K" }' >&2
  else
    awk '/^\[.*(Building|Linking)/ && n++ % 20 == 0 { print; fflush() }' >&2
  fi
}

build() {
  cmake --preset "$preset" >"$logs/configure-$preset.log" 2>&1 ||
    fail "cmake --preset $preset failed" "$logs/configure-$preset.log"
  cmake --build --preset "$preset" 2>&1 | tee "$logs/build-$preset.log" | show_progress ||
    fail "cmake --build --preset $preset failed" "$logs/build-$preset.log"
}

mkdir -p "$logs" || fail "cannot make $PWD/$logs; make the folder writable"
if [ -z "${BITLAW_SKIP_INSTALL:-}" ]; then
  install_missing
  install_python_packages
fi
if [ -z "${BITLAW_SKIP_BUILD:-}" ]; then build; fi
