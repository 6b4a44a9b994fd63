#include "core/tensor/accumulate_gemm.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

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
  return values_of({.exponent_bits = 4, .mantissa_bits = bits, .bias = 8, .top = TopCodes::Finite}, rows, cols, slot);
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
  // 35 models x 6 kinds of operands x 11 lengths x 3 x 67 dot products, 464,310 in all; n = 67 leaves ragged tiles.
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

TEST_CASE("gemm_accumulate: threads, gaps between rows and other columns change no bit") {
  const auto a = values_of(kE4M3, 5, 80, 1), b = values_of(kE4M3, 300, 90, 2);
  const auto a_part = a.view().columns(3, 70);
  const auto b_part = b.view().middle_rows(1, 290).columns(11, 70);
  for (const char* name : {"float32_fma", "float32", "bfloat16", "hopper_fp8", "hopper_bf16", "blackwell_fp4"}) {
    CAPTURE(name);
    const AccumulatorSpec spec = parse_accumulator(name);
    Matrix<float> slow(5, 300), fast(5, 300);
    gemm_accumulate_reference(spec, a_part, b_part, slow.view().columns(4, 290));
    for (const int threads : {1, 2, 7}) {
      gemm_accumulate(spec, a_part, b_part, fast.view().columns(4, 290), threads);
      CHECK(same_bits(fast, slow));
    }
  }
}

TEST_CASE("gemm_accumulate: float32_fma is gemm, bit for bit") {
  const auto a = rough_matrix(9, 300, 1, 8), b = rough_matrix(70, 300, 2, 8);
  Matrix<float> ours(9, 70), theirs(9, 70);
  gemm_accumulate_reference(parse_accumulator("float32_fma"), a.view(), b.view(), ours.view());
  gemm_reference(Op::AsIs, Op::Transposed, a.view(), b.view(), theirs.view());
  CHECK(same_bits(ours, theirs));
  gemm_accumulate(parse_accumulator("float32_fma"), a.view(), b.view(), ours.view());
  CHECK(same_bits(ours, theirs));
}

TEST_CASE("is_accumulated_fast: every model of the table takes quantized elements, and says what it does not") {
  for (const Operands& o : operands(20, 20, 256)) {
    for (const AccumulatorEntry& model : accumulator_catalog()) {
      CAPTURE(o.name);
      CAPTURE(model.name);
      const bool is_core = model.spec.chunk_sum == ChunkSum::TensorCore;
      // Products of 48 bits; 56 bits from 2^8 2^15 (2^2 64) down to 2^-9 2^-16.
      const bool wide = is_core && (o.name == "float32" || (o.name == "e4m3 by e5m2" && model.name == "blackwell_fp4"));
      CHECK(is_accumulated_fast(model.spec, o.a.view(), o.b.view()) == !wide);
    }
  }
  const AccumulatorSpec hopper = parse_accumulator("hopper_fp8"), blackwell = parse_accumulator("blackwell_fp4");
  const auto fast = [](const AccumulatorSpec& spec, float x, float y) {
    Matrix<float> a(1, 2), b(1, 2);
    a(0, 0) = x, a(0, 1) = y, b(0, 0) = b(0, 1) = 1;
    return is_accumulated_fast(spec, a.view(), b.view());
  };
  CHECK(fast(hopper, 0x1p48F, 1));
  CHECK_FALSE(fast(hopper, 0x1p49F, 1));
  CHECK(fast(hopper, 0x1p-50F, 1));  // alignment_bits - 63
  CHECK_FALSE(fast(hopper, 0x1p-51F, 1));
  CHECK(fast(hopper, 0x1p20F, 0x1p-43F));
  CHECK_FALSE(fast(hopper, 0x1p20F, 0x1p-44F));
  CHECK(fast(hopper, 0x1.fffffcp0F, 1));  // 23 bits and 1
  CHECK_FALSE(fast(hopper, 0x1.fffffep0F, 1));
  CHECK_FALSE(fast(hopper, std::numeric_limits<float>::infinity(), 1));
  CHECK(fast(parse_accumulator("tensor_core:bits=27"), 1, 1));  // two times 2 + 27 + 1 bits
  CHECK_FALSE(fast(parse_accumulator("tensor_core:bits=28"), 1, 1));
  CHECK(fast(blackwell, 0x1p45F, 1));  // 45 + 2 + log2 64 = 53
  CHECK_FALSE(fast(blackwell, 0x1p46F, 1));
}

TEST_CASE("gemm_accumulate: the edges of the vector kernels' domain give the reference's bits") {
  // Largest and least exponents, full significands, running sums that dwarf or are dwarfed by a group, cancellation.
  const float ends[] = {0x1p48F, -0x1p48F, 0x1.ffep47F, 0x1p-14F, -0x1.ffep-14F, 0x1.002p-13F,
                        0.0F,    -0.0F,    0x1p-15F,    1.0F,     -1.0F,         0x1.ffep0F};
  for (const int bits : {0, 1, 13, 23, 25, 27}) {
    for (const char* rounding : {"toward_zero", "ties_to_even"}) {
      for (const char* between : {"float32", "e8m13,ieee", "e8m3,ieee"}) {
        const AccumulatorSpec spec = parse_accumulator("tensor_core:group=3,bits=" + std::to_string(bits) +
                                                       ",align=" + rounding + ",between=" + between);
        Matrix<float> a(40, 12), b(64, 12), slow(40, 64), fast(40, 64);
        for (std::int64_t i = 0; i < a.size(); ++i)
          a.data()[i] = ends[random_bits({.seed = 3}, static_cast<std::uint64_t>(i)) % 12];
        for (std::int64_t i = 0; i < b.size(); ++i)
          b.data()[i] = ends[random_bits({.seed = 4}, static_cast<std::uint64_t>(i)) % 12];
        CHECK(is_accumulated_fast(spec, a.view(), b.view()));
        gemm_accumulate_reference(spec, a.view(), b.view(), slow.view());
        for_each_target([&](const std::string& target) {
          CAPTURE(target);
          CAPTURE(accumulator_name(spec));
          gemm_accumulate(spec, a.view(), b.view(), fast.view());
          CHECK(same_bits(fast, slow));
        });
      }
    }
  }
}

TEST_CASE("gemm_accumulate: the largest sums of a group give the reference's bits, in one part or several") {
  Matrix<float> a(4, 132), b(64, 132), slow(4, 64), fast(4, 64);
  const float most = 0x1.ffep0F;  // times itself just below 4
  for (std::int64_t i = 0; i < a.size(); ++i) a.data()[i] = i / 132 % 2 == 0 ? most : -most;
  for (std::int64_t i = 0; i < b.size(); ++i) {  // columns from all terms alike to all but the last few cancelling
    b.data()[i] = i % 132 % 64 < i / 132 && i % 2 == 0 ? -most : most;
  }
  for (const int group : {3, 7, 8, 33, 66}) {
    for (const int bits : {13, 22, 24, 25, 26, 27}) {
      for (const char* between : {"float32", "e8m13,ieee"}) {
        const AccumulatorSpec spec = parse_accumulator(
            fmt::format("tensor_core:group={},bits={},align=toward_zero,between={}", group, bits, between));
        CAPTURE(accumulator_name(spec));
        CHECK(is_accumulated_fast(spec, a.view(), b.view()));
        gemm_accumulate_reference(spec, a.view(), b.view(), slow.view());
        for_each_target([&](const std::string& target) {
          CAPTURE(target);
          gemm_accumulate(spec, a.view(), b.view(), fast.view());
          CHECK(same_bits(fast, slow));
        });
      }
    }
  }
}

// The definition once more, in exact fractions.
namespace {

Rational power_of_two(int e) {
  const Integer one = 1;
  return e >= 0 ? Rational(one << e) : Rational(one, one << -e);
}

Rational exact(float v) {
  int e = 0;
  const double fraction = std::frexp(static_cast<double>(v), &e);
  return Rational(Integer(std::ldexp(fraction, 24))) * power_of_two(e - 24);
}

/// floor(log2 |v|)
int exponent_of(const Rational& v) {
  const Rational size = abs(v);
  int e = static_cast<int>(msb(numerator(size))) - static_cast<int>(msb(denominator(size)));
  while (power_of_two(e) > size) --e;
  while (power_of_two(e + 1) <= size) ++e;
  return e;
}

/// v rounded to a multiple of `unit`.
Rational to_multiple(const Rational& v, const Rational& unit, RoundingMode mode) {
  const Rational steps = abs(v) / unit;
  Integer n = numerator(steps) / denominator(steps);
  const Rational rest = steps - n;
  const bool up = mode == RoundingMode::TowardNegative ? v < 0 && rest > 0
                  : mode == RoundingMode::TiesToEven   ? rest > Rational(1, 2) || (rest == Rational(1, 2) && n % 2 != 0)
                                                       : false;
  if (up) ++n;
  return v < 0 ? Rational(-unit * n) : Rational(unit * n);
}

/// v rounded to `fraction_bits` bits after the leading one, none below 2^least.
Rational to_format(const Rational& v, int fraction_bits, int least, RoundingMode mode) {
  if (v == 0) return v;
  return to_multiple(v, power_of_two(std::max(exponent_of(v), least) - fraction_bits), mode);
}

struct Oracle {
  int bits;  ///< kExactAlignment: all
  RoundingMode alignment;
  bool after;
  int fraction_bits;  ///< of the running sum
  RoundingMode between;
  int emin;

  float operator()(float running, std::span<const float> a, std::span<const float> b) const {
    std::vector<Rational> terms;
    int largest = -10000;
    const auto take = [&](const Rational& term, int exponent) {
      if (term == 0) return;
      terms.push_back(term);
      largest = std::max(largest, exponent);
    };
    const auto operand = [&](float v) { return std::max(exponent_of(exact(v)), emin); };
    for (std::size_t k = 0; k < a.size(); ++k) {
      if (a[k] != 0 && b[k] != 0) take(exact(a[k]) * exact(b[k]), operand(a[k]) + operand(b[k]));
    }
    if (!after && running != 0) take(exact(running), std::max(exponent_of(exact(running)), -126));
    Rational sum = 0;
    for (const Rational& term : terms) {
      sum += bits == kExactAlignment ? term : to_multiple(term, power_of_two(largest - bits), alignment);
    }
    if (after) sum = exact(running) + to_format(sum, 23, -126, RoundingMode::TiesToEven);
    return to_format(sum, fraction_bits, -126, between).convert_to<float>();
  }
};

}  // namespace

TEST_CASE("accumulate_group: equals the definition in exact fractions") {
  constexpr RoundingMode kModes[] = {RoundingMode::TowardZero, RoundingMode::TiesToEven, RoundingMode::TowardNegative};
  std::uint64_t draw = 0;
  const auto next = [&](std::uint32_t below) { return random_bits({.seed = 11}, draw++) % below; };
  const Matrix<float> values[] = {values_of(kE4M3, 1, 4096, 1), values_of(kE5M2, 1, 4096, 2), nvfp4_values(1, 4096, 3),
                                  smooth_values(23, 1, 4096, 5), rough_matrix(1, 4096, 6, 20)};
  for (int trial = 0; trial < 6000; ++trial) {
    const int bits = static_cast<int>(next(38)) - 1;
    const Oracle oracle{
        bits == 37 ? kExactAlignment : bits,   kModes[next(3)], next(2) == 1, next(2) == 1 ? 23 : 13, kModes[next(2)],
        next(2) == 1 ? -6 : kNoMinimumExponent};
    AccumulatorSpec spec = parse_accumulator(oracle.fraction_bits == 23 ? "tensor_core" : "hopper_fp8");
    spec.group = 32;
    spec.alignment_bits = oracle.bits;
    spec.alignment = oracle.alignment;
    spec.running = oracle.after ? RunningSum::After : RunningSum::Aligned;
    spec.between_rounding = oracle.between;
    spec.emin_a = spec.emin_b = oracle.emin;
    const std::size_t count = next(33);
    const std::span<const float> a{values[next(5)].data() + next(4000), count};
    const std::span<const float> b{values[next(5)].data() + next(4000), count};
    const float running =
        next(4) == 0 ? 0.0F : std::ldexp(values[3].data()[next(4096)], static_cast<int>(next(40)) - 20);
    CAPTURE(accumulator_name(spec));
    CAPTURE(trial);
    // By value: the fractions have no minus zero.
    CHECK(accumulate_group(spec, running, a, b) == oracle(running, a, b));
  }
}
