#pragma once

#include <cstdint>
#include <span>

#include "core/tensor/accumulator.h"
#include "core/tensor/matrix.h"

// What the kernels of gemm_accumulate take: numbers instead of enumerators.

namespace bitlaw {

/// Rounding of doubles to a format by one addition: t + magic has the format's last bit as its own.
struct RoundingByAddition {
  double min_normal;
  double magic;   ///< times the power of two of |t|: 1.5 2^(52 - m)
  double ulp;     ///< 2^-m, times the same
  double max;     ///< largest finite value
  double beyond;  ///< what overflow to nearest, or infinity, becomes
  bool toward_zero;
  bool is_binary32;  ///< to nearest in float32: the addition of floats does it
};

/// Exponents and bits of the elements of an operand; zeros do not count.
struct OperandBits {
  bool all_normal = true;  ///< or zero: neither subnormal in float32 nor infinite or NaN
  int largest = -1000;     ///< exponent of an element, at least emin
  int least = 1000;        ///< exponent of an element
  int last_bit = 1000;     ///< exponent of the lowest bit that is set anywhere
  int significand = 0;     ///< most bits between an element's first and last one
};

enum class AccumulateKernel : std::uint8_t {
  None,          ///< the reference
  Gemm,          ///< gemm()
  Float32,       ///< s + a b in float32
  Rounded,       ///< exact sums in double, rounded to a format
  Exact,         ///< groups summed exactly in double
  Aligned,       ///< groups of 32-bit integers
  AlignedInTwo,  ///< the same in a high and a low part of kLowBits
};

inline constexpr int kLowBits = 13;  ///< of the low part of AlignedInTwo

struct AccumulatePlan {
  AccumulateKernel kernel = AccumulateKernel::None;
  const AccumulatorSpec* spec = nullptr;
  RoundingByAddition sum{}, group_sum{}, between{}, chunk{}, result{};
  bool truncates_float = false;        ///< `between` is float32, or that with fewer bits of fraction, toward zero
  std::int32_t truncation_mask = -1;   ///< the bits of a float32 that it keeps
  std::int64_t products_per_part = 0;  ///< AlignedInTwo: how many products and the running sum 32 bits hold
  OperandBits a, b;
};

/// Which kernel serves this model and these operands.
AccumulatePlan plan_accumulation(const AccumulatorSpec& spec, ConstMatrixView<float> a, ConstMatrixView<float> b);

/// Relative exponent of a zero: adding another one with saturation keeps it below all others.
inline constexpr std::int8_t kZeroExponent = -128;

/// out[i] = max(exponent of x[i], emin) - largest, in [-63, 0] for the kernels that use it; kZeroExponent for zero.
void relative_exponents(int emin, int largest, std::span<const float> x, std::int8_t* out);

}  // namespace bitlaw
