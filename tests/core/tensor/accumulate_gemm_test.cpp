#include "core/tensor/accumulate_gemm.h"

#include <doctest/doctest.h>

#include <boost/multiprecision/cpp_int.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "core/format/quantize.h"
#include "core/random/philox.h"
#include "core/tensor/gemm.h"
#include "tests/support/bits.h"
#include "tests/support/each_target.h"

using namespace bitlaw;
using Rational = boost::multiprecision::cpp_rational;
using Integer = boost::multiprecision::cpp_int;

namespace {

/// Values of a format, of either sign, spread over its binades; every ninth is zero.
Matrix<float> values_of(const FormatSpec& format, std::int64_t rows, std::int64_t cols, std::uint16_t slot) {
  Matrix<float> x(rows, cols);
  for (std::int64_t i = 0; i < x.size(); ++i) {
    const auto at = static_cast<std::uint64_t>(i);
    const std::uint32_t bits = random_bits({.seed = 7, .slot = slot}, at);
    const auto code = (bits >> 1) % (format.max_magnitude_code() + 1);
    const auto size = static_cast<float>(format.magnitude_of(code));
    x.data()[i] = bits % 9 == 0 ? 0.0F : bits % 2 == 0 ? size : -size;
  }
  return x;
}

/// Normal float32 numbers of about 2^-8 ... 2^8, rounded to `bits` bits of fraction.
Matrix<float> smooth_values(int bits, std::int64_t rows, std::int64_t cols, std::uint16_t slot) {
  Matrix<float> x =
      values_of({.exponent_bits = 4, .mantissa_bits = bits, .bias = 8, .top = TopCodes::Finite}, rows, cols, slot);
  return x;
}

/// E2M1 elements times E4M3 scales of blocks of 16.
Matrix<float> nvfp4_values(std::int64_t rows, std::int64_t cols, std::uint16_t slot) {
  Matrix<float> x = values_of(kE2M1, rows, cols, slot);
  const Matrix<float> scales = values_of(kE4M3, rows, cols / 16 + 1, static_cast<std::uint16_t>(slot + 1));
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t k = 0; k < cols; ++k) x(i, k) *= std::abs(scales(i, k / 16));
  }
  return x;
}

Matrix<float> scaled(Matrix<float> x, float factor) {
  for (std::int64_t i = 0; i < x.size(); ++i) x.data()[i] *= factor;
  return x;
}

struct Operands {
  std::string name;
  Matrix<float> a, b;
};

/// Rows of every kind of element that training uses, and of some that only the reference takes.
std::vector<Operands> operands(std::int64_t m, std::int64_t n, std::int64_t k) {
  std::vector<Operands> all;
  all.push_back({"e4m3", values_of(kE4M3, m, k, 1), values_of(kE4M3, n, k, 2)});
  all.push_back({"e4m3 by e5m2", values_of(kE4M3, m, k, 1), values_of(kE5M2, n, k, 2)});
  all.push_back({"nvfp4", nvfp4_values(m, k, 3), nvfp4_values(n, k, 5)});
  all.push_back({"scaled", scaled(values_of(kE4M3, m, k, 7), 0x1p-18F), scaled(values_of(kE2M1, n, k, 8), 0x1p30F)});
  all.push_back({"bfloat16", smooth_values(7, m, k, 9), smooth_values(7, n, k, 10)});
  all.push_back({"float32", smooth_values(23, m, k, 11), smooth_values(23, n, k, 12)});
  return all;
}

std::vector<AccumulatorEntry> models() {
  std::vector<AccumulatorEntry> all(accumulator_catalog().begin(), accumulator_catalog().end());
  for (const char* name :
       {"tensor_core:group=5,bits=7,align=ties_to_even,running=after,group_sum=bfloat16,between=float16",
        "tensor_core:group=33,bits=25,align=ties_to_even,between_round=ties_to_even,chunk=66,chunk_order=pairwise",
        "tensor_core:group=8,bits=exact,between=float16,between_round=ties_to_even,result=bfloat16,grid=3",
        "tensor_core:group=16,bits=0,emin_a=-3,emin_b=2,between=e8m13,ieee,chunk=40,chunk_format=bfloat16",
        "tensor_core:align=to_odd", "bfloat16:product=rounded", "float16:product=rounded,chunk=3,result=bfloat16",
        "sequential:sum=e4m3,product=fused", "sequential:sum=e2m1,product=rounded,chunk=8,chunk_order=pairwise",
        "float32:chunk=7,chunk_order=pairwise,grid=-1", "float32_fma:chunk=32", "sequential:sum=e4m3fnuz"}) {
    all.push_back({name, parse_accumulator(name), ""});
  }
  return all;
}

}  // namespace

TEST_CASE("gemm_accumulate: every instruction set gives the reference's bits, for every model and ragged length") {
  // 34 models x 6 kinds of operands x 11 lengths x 3 x 67 dot products, 450,000 in all; n = 67 leaves ragged tiles.
  constexpr std::int64_t kRows = 3, kCols = 67;
  for (const std::int64_t k : {0, 1, 2, 15, 16, 17, 31, 33, 64, 65, 129}) {
    for (const Operands& o : operands(kRows, kCols, k)) {
      for (const AccumulatorEntry& model : models()) {
        CAPTURE(model.name);
        CAPTURE(o.name);
        CAPTURE(k);
        Matrix<float> slow(kRows, kCols), fast(kRows, kCols);
        gemm_accumulate_reference(model.spec, o.a.view(), o.b.view(), slow.view());
        for_each_target([&](const std::string& target) {
          CAPTURE(target);
          gemm_accumulate(model.spec, o.a.view(), o.b.view(), fast.view());
          CHECK(same_bits(fast, slow));
        });
      }
    }
  }
}
