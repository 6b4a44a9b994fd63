// What a product of quantized operands costs, one thread: quantize_blocks of both, then gemm, as a training step does
// it. `of_float32` is the speed over that of gemm alone, run in turn on the same data; `quantize` is the part of the
// time that the two quantizations take. Input N(0, 1).

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <span>
#include <string>
#include <vector>

#include "core/block/block_presets.h"
#include "core/block/quantize_blocks.h"
#include "core/tensor/gemm.h"
#include "tests/benchmarks/against_memcpy.h"

using namespace bitlaw;

namespace {

using Clock = std::chrono::steady_clock;

/// One of the three products of a linear layer, c [m, n] += a [m, k] b [k, n], with the operands as they are stored.
struct Product {
  const char* name;
  Op a, b;
  KAxis k_of_a() const { return a == Op::AsIs ? KAxis::Cols : KAxis::Rows; }
  KAxis k_of_b() const { return b == Op::AsIs ? KAxis::Rows : KAxis::Cols; }
};
constexpr Product kProducts[] = {
    {"forward", Op::AsIs, Op::Transposed}, {"dgrad", Op::AsIs, Op::AsIs}, {"wgrad", Op::Transposed, Op::AsIs}};

struct Shape {
  std::int64_t m, n, k;
};

template <typename Work>
double seconds(int repeats, Work work) {
  const auto start = Clock::now();
  for (int r = 0; r < repeats; ++r) work();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// The operand stored as its product reads it.
Matrix<float> normal_matrix(Op op, std::int64_t rows, std::int64_t cols) {
  Matrix<float> x = op == Op::AsIs ? Matrix<float>(rows, cols) : Matrix<float>(cols, rows);
  tile<double, float>(drawn(Input::Normal), std::span(x.data(), static_cast<std::size_t>(x.size())));
  return x;
}

void quantized_product(benchmark::State& state, const BlockSpec& block, const Rounding& rounding,
                       const Product& product, const Shape& s) {
  const Matrix<float> a = normal_matrix(product.a, s.m, s.k), b = normal_matrix(product.b, s.k, s.n);
  Matrix<float> qa(a.rows(), a.cols()), qb(b.rows(), b.cols()), c(s.m, s.n);
  const double flops = 2.0 * static_cast<double>(s.m * s.n * s.k);
  const int repeats = std::max(1, static_cast<int>(1e7 / flops));
  double quantize = 1e9, multiply = 1e9, both = 1e9;
  for (auto _ : state) {
    const double q = seconds(repeats, [&] {
      quantize_blocks(block, rounding, product.k_of_a(), a.view(), qa.view(), {.seed = 1});
      quantize_blocks(block, rounding, product.k_of_b(), b.view(), qb.view(), {.seed = 1, .slot = 1});
    });
    const double g = seconds(repeats, [&] { gemm(product.a, product.b, qa.view(), qb.view(), c.view()); });
    quantize = std::min(quantize, q);
    both = std::min(both, q + g);
    multiply = std::min(multiply, seconds(repeats, [&] { gemm(product.a, product.b, a.view(), b.view(), c.view()); }));
  }
  state.counters["GFLOP/s"] = flops * repeats / both * 1e-9;
  state.counters["of_float32"] = multiply / both;
  state.counters["quantize"] = quantize / both;
}

void add(const char* preset, const char* rounding_name, Rounding rounding, const Product& product, const Shape& s) {
  const std::string name = std::string(preset) + "/" + rounding_name + "/" + product.name + "/" + std::to_string(s.m) +
                           "/" + std::to_string(s.n) + "/" + std::to_string(s.k);
  benchmark::RegisterBenchmark(name.c_str(), [=, block = *block_preset(preset)](benchmark::State& state) {
    quantized_product(state, block, rounding, product, s);
  })->MinTime(0.3);
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<Shape> shapes;
  for (const std::int64_t n : {512, 1024, 2048}) shapes.push_back({n, n, n});
  for (const std::int64_t tokens : {256, 1024, 4096}) {  // as in training: [tokens, width, width] and dW
    for (const std::int64_t width : {64, 256, 512}) {
      shapes.push_back({tokens, width, width});
      if (tokens != width) shapes.push_back({width, width, tokens});
    }
  }
  for (const Shape& s : shapes) {
    for (const Product& product : kProducts) {
      // tokens are K in dW only
      if (s.m != s.n && product.a == Op::Transposed) continue;
      if (s.m == s.n && s.k != s.n && product.a == Op::AsIs) continue;
      add("nvfp4", "nearest", RoundingMode::TiesToEven, product, s);
      if (s.m == 512) add("nvfp4", "stochastic", RoundingMode::StochasticExact, product, s);
      if (s.m == 512) add("mxfp4", "nearest", RoundingMode::TiesToEven, product, s);
    }
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
