#include "core/tensor/accumulate_gemm_plan.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace bitlaw {
namespace {

constexpr int kDoubleBits = 53, kFloatBits = 24;
constexpr int kIntegerBits = 30;   // of a sum's magnitude: rounded to float32 it fits an integer again
constexpr int kMostExponent = 48;  // products stay far below float32's largest value
constexpr int kMostBinades = 63;   // sums of two relative exponents fit eight bits
constexpr std::int64_t kMostInner = 1 << 20;

int exponent_field(std::uint32_t bits) { return static_cast<int>(bits >> 23 & 0xFFU); }

int log2_ceil(std::int64_t n) { return static_cast<int>(std::bit_width(static_cast<std::uint64_t>(n - 1))); }

OperandBits scan(ConstMatrixView<float> x, int emin) {
  OperandBits seen;
  std::uint32_t lowest = 1U << 23;
  for (std::int64_t i = 0; i < x.rows; ++i) {
    for (std::int64_t j = 0; j < x.cols; ++j) {
      const auto bits = std::bit_cast<std::uint32_t>(x(i, j));
      const bool is_zero = bits << 1 == 0;
      const int field = exponent_field(bits);
      seen.all_normal = seen.all_normal && (is_zero || (field > 0 && field < 255));
      const std::uint32_t significand = is_zero ? 1U << 23 : (bits & 0x7FFFFFU) | 1U << 23;
      const std::uint32_t low_bit = significand & (~significand + 1);
      lowest = std::min(lowest, low_bit);
      // A power of two as float32 has its logarithm in the exponent field.
      const int shift = exponent_field(std::bit_cast<std::uint32_t>(static_cast<float>(low_bit))) - 127;
      seen.largest = std::max(seen.largest, is_zero ? -1000 : std::max(field - 127, emin));
      seen.least = std::min(seen.least, is_zero ? 1000 : field - 127);
      seen.last_bit = std::min(seen.last_bit, is_zero ? 1000 : field - 127 - 23 + shift);
    }
  }
  seen.significand = kFloatBits - std::countr_zero(lowest);
  return seen;
}

bool all_finite(ConstMatrixView<float> x) {
  for (std::int64_t i = 0; i < x.rows; ++i) {
    if (!std::all_of(x.row(i), x.row(i) + x.cols, [](float v) { return std::isfinite(v); })) return false;
  }
  return true;
}

/// Whether RoundingByAddition covers the format.
bool is_plain(const FormatSpec& format) {
  return format.has_minus_zero() && format.has_subnormals && format.mantissa_bits >= 1 && format.exponent_bits >= 1;
}

RoundingByAddition rounding_by_addition(const FormatSpec& format, RoundingMode mode = RoundingMode::TiesToEven) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  return {.min_normal = format.min_normal(),
          .magic = 1.5 * pow2(52 - format.mantissa_bits),
          .ulp = pow2(-format.mantissa_bits),
          .max = format.max_finite(),
          .beyond = format.has_infinity() ? kInfinity
                    : format.has_nan()    ? kNan
                                          : format.max_finite(),
          .toward_zero = mode == RoundingMode::TowardZero,
          .is_binary32 = format == kBinary32 && mode == RoundingMode::TiesToEven};
}

bool to_nearest_or_zero(RoundingMode mode) {
  return mode == RoundingMode::TiesToEven || mode == RoundingMode::TowardZero;
}

bool is_sequential_float32(const AccumulatorSpec& spec) {
  return spec.chunk_sum == ChunkSum::Sequential && spec.sum == kBinary32 && spec.chunk_format == kBinary32;
}

AccumulateKernel sequential_kernel(const AccumulatorSpec& spec, ConstMatrixView<float> a, ConstMatrixView<float> b) {
  if (is_sequential_float32(spec)) {
    if (spec.product == ProductRounding::Rounded) return AccumulateKernel::Float32;
    if (spec.chunk == 0 && spec.result == kBinary32 && !spec.grid_bits) return AccumulateKernel::Gemm;
  }
  return all_finite(a) && all_finite(b) ? AccumulateKernel::Rounded : AccumulateKernel::None;
}

/// Whether the running sum is truncated to float32 or to that with fewer bits of fraction.
bool truncates_float(const AccumulatorSpec& spec) {
  FormatSpec like_float = kBinary32;
  like_float.mantissa_bits = spec.between.mantissa_bits;
  return spec.between == like_float && spec.between_rounding == RoundingMode::TowardZero &&
         spec.running == RunningSum::Aligned;
}

/// Whether sums of a group's products are exact in double.
bool is_exact_in_double(const AccumulatorSpec& spec, const OperandBits& a, const OperandBits& b) {
  return a.largest + b.largest + 2 + log2_ceil(spec.group) - (a.last_bit + b.last_bit) <= kDoubleBits;
}

bool is_alignable(const AccumulatorSpec& spec, const OperandBits& x) {
  return x.least >= spec.alignment_bits - kMostBinades && x.largest <= kMostExponent &&
         x.largest - x.least <= kMostBinades;
}

/// Products are below 4 and the running sum below 2, in units of 2^E.
int group_bits(const AccumulatorSpec& spec, std::int64_t products) {
  return spec.alignment_bits + log2_ceil(4 * products + 2);
}

/// The most products that kIntegerBits hold beside the running sum; 0: none.
std::int64_t products_per_part(const AccumulatorSpec& spec) {
  return spec.alignment_bits > kIntegerBits - 3 ? 0
                                                : ((std::int64_t{1} << (kIntegerBits - spec.alignment_bits)) - 2) / 4;
}

AccumulateKernel tensor_core_kernel(const AccumulatorSpec& spec, std::int64_t inner, const OperandBits& a,
                                    const OperandBits& b) {
  if (!a.all_normal || !b.all_normal || !to_nearest_or_zero(spec.between_rounding)) return AccumulateKernel::None;
  if (spec.alignment_bits == kExactAlignment) {
    return is_exact_in_double(spec, a, b) ? AccumulateKernel::Exact : AccumulateKernel::None;
  }
  if (a.significand + b.significand > kFloatBits || !is_alignable(spec, a) || !is_alignable(spec, b) ||
      inner >= kMostInner || !to_nearest_or_zero(spec.alignment)) {
    return AccumulateKernel::None;
  }
  if (group_bits(spec, spec.group) <= kIntegerBits) return AccumulateKernel::Aligned;
  const bool is_in_two = products_per_part(spec) > 0 && group_bits(spec, spec.group) <= kFloatBits + kLowBits;
  return is_in_two ? AccumulateKernel::AlignedInTwo : AccumulateKernel::None;
}

}  // namespace

void relative_exponents(int emin, int largest, std::span<const float> x, std::int8_t* out) {
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto bits = std::bit_cast<std::uint32_t>(x[i]);
    const int relative = std::max(exponent_field(bits) - 127, emin) - largest;
    out[i] = static_cast<std::int8_t>(bits << 1 == 0 ? kZeroExponent : relative);
  }
}

AccumulatePlan plan_accumulation(const AccumulatorSpec& spec, ConstMatrixView<float> a, ConstMatrixView<float> b) {
  AccumulatePlan plan;
  plan.spec = &spec;
  for (const FormatSpec& format : {spec.sum, spec.group_sum, spec.between, spec.chunk_format, spec.result}) {
    if (!is_plain(format)) return plan;
  }
  plan.sum = rounding_by_addition(spec.sum);
  plan.group_sum = rounding_by_addition(spec.group_sum);
  plan.between = rounding_by_addition(spec.between, spec.between_rounding);
  plan.chunk = rounding_by_addition(spec.chunk_format);
  plan.result = rounding_by_addition(spec.result);
  if (spec.chunk_sum == ChunkSum::Sequential) {
    plan.kernel = sequential_kernel(spec, a, b);
    return plan;
  }
  plan.a = scan(a, spec.emin_a);
  plan.b = scan(b, spec.emin_b);
  plan.truncates_float = truncates_float(spec);
  plan.truncation_mask = -1 << (23 - spec.between.mantissa_bits);
  plan.products_per_part = products_per_part(spec);
  plan.kernel = tensor_core_kernel(spec, a.cols, plan.a, plan.b);
  return plan;
}

}  // namespace bitlaw
