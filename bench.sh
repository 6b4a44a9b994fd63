#!/usr/bin/env bash
# ./bench.sh lists the benchmarks; ./bench.sh NAME installs what is missing, builds and runs one.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"

usage() {
  cat <<'END'
usage: ./bench.sh NAME [OPTION...]

  formats    quantize, encode, decode: every format, rounding by rounding, against memcpy; seven minutes
  blocks     quantization in blocks that share a scale, Hadamard rotations, random bits, against memcpy
  gemm       the matrix product against OpenBLAS
  quantized_gemm  the product of quantized operands, quantization included, against the one in float32
  accumulator     the models of tensor cores and narrow accumulators against the product in float32
  training   a training step in each precision against the one in float32
  fit        whole fits of laws: Chinchilla with its search and 4000 refits, multi-power, annealing
  plan       a sweep of 1000, 10,000 and 100,000 runs expanded, checked and shown
  python     bitlaw.quantize called from Python against the C++ function, ml_dtypes and gfloat
  kinetics   a million scored answers read, and the best strategy for each task and budget

  --peers        formats, training: afterwards ml_dtypes and gfloat, or PyTorch, on the same sizes, in a virtual
                 environment that is made under build/ (from PyPI, pinned versions)
  --json FILE    writes the results to FILE, too

Other options go to Google Benchmark: --benchmark_filter=REGEX, --benchmark_min_time=SECONDS, --benchmark_list_tests.
Each prints the machine and the commit. Input: the first lines of what is printed, or of tests/benchmarks/*.cpp.
END
}

peers() {
  local folder=build/peers requirements=tests/conformance/requirements.txt script=tests/benchmarks/peers.py
  if [ "$name" = training ]; then
    requirements=tests/benchmarks/training_requirements.txt script=tests/benchmarks/peers_training.py
  fi
  if [ ! -x $folder/bin/python ]; then python3 -m venv $folder; fi
  $folder/bin/pip install --quiet --disable-pip-version-check -r $requirements
  $folder/bin/python $script
}

case "${1:-}" in
python)
  scripts/setup.sh dev
  PYTHONPATH=build/dev/python exec build/oracle-venv/bin/python tests/benchmarks/python_calls.py
  ;;
formats) program=format_benchmark ;;
blocks) program=block_benchmark ;;
gemm | quantized_gemm | accumulator | training | fit | plan | kinetics) program=$1_benchmark ;;
"" | --help | -h) usage && exit ;;
*)
  echo "bench.sh: there is no benchmark '$1', so nothing was run; './bench.sh' lists those that exist" >&2
  exit 2
  ;;
esac
name=$1
shift

with_peers=
options=()
while [ $# != 0 ]; do
  case "$1" in
  --help | -h) usage && exit ;;
  --peers) with_peers=1 ;;
  --json)
    options+=("--benchmark_out=${2:?--json needs a file}" --benchmark_out_format=json)
    shift
    ;;
  *) options+=("$1") ;;
  esac
  shift
done
if [ -n "$with_peers" ] && [ "$name" != formats ] && [ "$name" != training ]; then
  echo "bench.sh: --peers belongs to 'formats' and 'training', so nothing was run; leave it out" >&2
  exit 2
fi

scripts/setup.sh benchmark
echo "$name on $(uname -n), $(nproc) cores, $(sed -n 's/^model name[^:]*: //p;' /proc/cpuinfo | head -n 1), commit \
$(git describe --always --dirty --abbrev=12 2>/dev/null || echo unknown)"
"build/benchmark/tests/benchmarks/$program" "${options[@]}"
if [ -n "$with_peers" ]; then peers; fi
