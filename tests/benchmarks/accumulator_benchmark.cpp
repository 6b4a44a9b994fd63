// The accumulator models: first a table of their errors against the exact dot product, then their speed beside gemm.
// Elements are N(0, 1) in E4M3, or in E2M1 with an E4M3 scale per 16 (amax / 6, as NVFP4 without its tensor scale).
// Both products run in turn on the same data and the thread's own time counts, so `ratio` holds on a machine that
// others use too; one thread.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <time.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/base/check.h"
#include "core/format/quantize.h"
#include "core/random/philox.h"
#include "core/tensor/accumulate_gemm.h"
#include "core/tensor/gemm.h"

namespace {

using namespace bitlaw;

float normal(std::uint16_t slot, std::uint64_t i) {
  const RandomStream stream{.seed = 1, .slot = slot};
  const double u = 1.0 - static_cast<double>(random_uniform(stream, 2 * i));
  const double angle = 2 * 3.141592653589793 * static_cast<double>(random_uniform(stream, 2 * i + 1));
  return static_cast<float>(std::sqrt(-2 * std::log(u)) * std::cos(angle));  // Box & Muller 1958
}

void to_e4m3(std::span<float> row) { quantize(kE4M3, Conversion(), row, row); }

void to_nvfp4(std::span<float> row) {
  for (std::size_t first = 0; first < row.size(); first += 16) {
    const auto block = row.subspan(first, std::min<std::size_t>(16, row.size() - first));
    float scale = 0;
    for (const float v : block) scale = std::max(scale, std::abs(v) / 6);
    to_e4m3({&scale, 1});
    if (scale == 0) scale = 1;
    for (float& v : block) v /= scale;
    quantize(kE2M1, Conversion(), block, block);
    for (float& v : block) v *= scale;
  }
}

using Quantizer = void (*)(std::span<float>);

struct Elements {
  const char* name;
  Quantizer quantizer;
};
constexpr Elements kElements[] = {{"e4m3", to_e4m3}, {"nvfp4", to_nvfp4}};

Matrix<float> operand(Quantizer quantizer, std::int64_t rows, std::int64_t cols, std::uint16_t slot) {
  Matrix<float> x(rows, cols);
  for (std::int64_t i = 0; i < x.size(); ++i) x.data()[i] = normal(slot, static_cast<std::uint64_t>(i));
  for (std::int64_t i = 0; i < rows; ++i) quantizer({&x(i, 0), static_cast<std::size_t>(cols)});
  return x;
}

/// a b^T without error: every element is a multiple of 2^-10 below 2^12, so 64-bit integers hold the sums.
std::vector<double> exact_product(const Matrix<float>& a, const Matrix<float>& b) {
  std::vector<double> c;
  for (std::int64_t i = 0; i < a.rows(); ++i) {
    for (std::int64_t j = 0; j < b.rows(); ++j) {
      std::int64_t sum = 0;
      for (std::int64_t k = 0; k < a.cols(); ++k) {
        sum += static_cast<std::int64_t>(a(i, k) * 1024) * static_cast<std::int64_t>(b(j, k) * 1024);
      }
      c.push_back(std::ldexp(static_cast<double>(sum), -20));
    }
  }
  return c;
}

/// Root mean square of the error over that of the exact products.
double relative_error(const Matrix<float>& c, const std::vector<double>& exact) {
  double error = 0, size = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const double off = static_cast<double>(c.data()[i]) - exact[i];
    error += off * off;
    size += exact[i] * exact[i];
  }
  return std::sqrt(error / size);
}

constexpr std::int64_t kErrorRows = 64;  // 4096 dot products

void print_errors() {
  constexpr std::int64_t kLengths[] = {128, 1024, 8192};
  fmt::print("| model | e4m3, K = 128 | 1024 | 8192 | nvfp4, K = 128 | 1024 | 8192 |\n|---|---|---|---|---|---|---|\n");
  for (const AccumulatorEntry& model : accumulator_catalog()) {
    std::string line = fmt::format("| `{}` |", model.name);
    for (const Elements& elements : kElements) {
      for (const std::int64_t k : kLengths) {
        const auto a = operand(elements.quantizer, kErrorRows, k, 1), b = operand(elements.quantizer, kErrorRows, k, 2);
        Matrix<float> c(kErrorRows, kErrorRows);
        gemm_accumulate(model.spec, a.view(), b.view(), c.view());
        line += fmt::format(" {:.1e} |", relative_error(c, exact_product(a, b)));
      }
    }
    fmt::print("{}\n", line);
  }
}

double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

template <typename Work>
double seconds(Work work) {
  const double start = thread_seconds();
  work();
  return thread_seconds() - start;
}

void against_gemm(benchmark::State& state, const AccumulatorSpec& spec, Quantizer quantizer) {
  const std::int64_t size = state.range(0);
  const auto a = operand(quantizer, size, size, 1), b = operand(quantizer, size, size, 2);
  Matrix<float> model(size, size), plain(size, size);
  BITLAW_CHECK(is_accumulated_fast(spec, a.view(), b.view()), "these operands would run by definition");
  double best = 1e9, best_gemm = 1e9;
  for (auto _ : state) {
    best = std::min(best, seconds([&] { gemm_accumulate(spec, a.view(), b.view(), model.view()); }));
    best_gemm = std::min(best_gemm, seconds([&] { gemm(Op::AsIs, Op::Transposed, a.view(), b.view(), plain.view()); }));
  }
  const float expected = accumulate_dot(spec, {&a(3, 0), static_cast<std::size_t>(size)},
                                        {&b(size - 1, 0), static_cast<std::size_t>(size)});
  BITLAW_CHECK(model(3, size - 1) == expected, "the kernel gives {}, the definition {}", model(3, size - 1), expected);
  const double flops = 2.0 * static_cast<double>(size * size * size);
  state.counters["GFLOP/s"] = flops / best * 1e-9;
  state.counters["gemm"] = flops / best_gemm * 1e-9;
  state.counters["ratio"] = best_gemm / best;
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  print_errors();
  for (const AccumulatorEntry& model : accumulator_catalog()) {
    for (const Elements& elements : kElements) {
      benchmark::RegisterBenchmark(fmt::format("{}/{}", model.name, elements.name).c_str(), against_gemm, model.spec,
                                   elements.quantizer)
          ->Arg(512)
          ->MinTime(0.3)
          ->Unit(benchmark::kMillisecond);
    }
  }
  benchmark::RunSpecifiedBenchmarks();
}
