// GFLOP/s of gemm and of OpenBLAS, one thread, on the three products of a linear layer; input uniform in [-1, 1).
// Both run in turn on the same data, so `ratio` holds on a machine that others use too. The results are compared.

#include <benchmark/benchmark.h>
#include <cblas.h>

#include <chrono>
#include <cmath>
#include <vector>

#include "core/random/philox.h"
#include "core/tensor/gemm.h"

namespace {

using namespace bitlaw;
using Clock = std::chrono::steady_clock;

Matrix<float> random_matrix(std::int64_t rows, std::int64_t cols, std::uint16_t slot) {
  Matrix<float> x(rows, cols);
  for (std::int64_t i = 0; i < x.size(); ++i) {
    x.data()[i] = 2 * random_uniform({.seed = 1, .slot = slot}, static_cast<std::uint64_t>(i)) - 1;
  }
  return x;
}

struct Product {
  Op a, b;
};
constexpr Product kForward{Op::AsIs, Op::Transposed}, kDgrad{Op::AsIs, Op::AsIs}, kWgrad{Op::Transposed, Op::AsIs};

template <typename Work>
double seconds(Work work) {
  const auto start = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void gemm_against_openblas(benchmark::State& state, Product product) {
  const std::int64_t m = state.range(0), n = state.range(1), k = state.range(2);
  const bool ta = product.a == Op::Transposed, tb = product.b == Op::Transposed;
  const auto a = ta ? random_matrix(k, m, 1) : random_matrix(m, k, 1);
  const auto b = tb ? random_matrix(n, k, 2) : random_matrix(k, n, 2);
  Matrix<float> ours(m, n), theirs(m, n);
  const double flops = 2.0 * static_cast<double>(m * n * k);
  const int repeats = std::max(1, static_cast<int>(1e7 / flops));
  double best = 1e9, best_openblas = 1e9;
  for (auto _ : state) {
    best = std::min(best, seconds([&] {
                      for (int r = 0; r < repeats; ++r) gemm(product.a, product.b, a.view(), b.view(), ours.view());
                    }));
    best_openblas = std::min(best_openblas, seconds([&] {
                               for (int r = 0; r < repeats; ++r) {
                                 cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans,
                                             tb ? CblasTrans : CblasNoTrans, static_cast<int>(m), static_cast<int>(n),
                                             static_cast<int>(k), 1.0F, a.data(), static_cast<int>(a.cols()), b.data(),
                                             static_cast<int>(b.cols()), 0.0F, theirs.data(), static_cast<int>(n));
                               }
                             }));
  }
  for (std::int64_t i = 0; i < ours.size(); ++i) {
    if (std::abs(ours.data()[i] - theirs.data()[i]) > 1e-5F * static_cast<float>(k)) {
      state.SkipWithError("gemm and OpenBLAS disagree");
      return;
    }
  }
  state.counters["GFLOP/s"] = flops * repeats / best * 1e-9;
  state.counters["OpenBLAS"] = flops * repeats / best_openblas * 1e-9;
  state.counters["ratio"] = best_openblas / best;
}

void shapes(benchmark::internal::Benchmark* b) {
  for (const std::int64_t s : {64, 256, 512, 1024, 2048}) b->Args({s, s, s});
  for (const std::int64_t tokens : {256, 1024, 4096}) {  // skinny, as in training: [tokens, out, in] and dW
    for (const std::int64_t width : {64, 128, 256, 512}) b->Args({tokens, width, width});
  }
  b->Args({4096, 256, 1024})->Args({4096, 64, 512})->Args({4096, 512, 64})->Args({512, 256, 96});
  for (const std::int64_t width : {64, 128, 256, 512}) b->Args({width, width, 4096});
  b->MinTime(0.3);
}

BENCHMARK_CAPTURE(gemm_against_openblas, forward, kForward)->Apply(shapes);
BENCHMARK_CAPTURE(gemm_against_openblas, dgrad, kDgrad)->Apply(shapes);
BENCHMARK_CAPTURE(gemm_against_openblas, wgrad, kWgrad)->Apply(shapes);

}  // namespace

extern "C" void openblas_set_num_threads(int);

int main(int argc, char** argv) {
  openblas_set_num_threads(1);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
