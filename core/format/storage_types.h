#pragma once

#include <cstdint>

namespace bitlaw {

// What arrays of 16-bit numbers are made of: bits, without arithmetic. The C++ compiler's own types are not portable.

/// bfloat16: the upper half of a float32.
struct BFloat16 {
  std::uint16_t bits;
  friend bool operator==(BFloat16, BFloat16) = default;
};

/// IEEE 754 binary16.
struct Float16 {
  std::uint16_t bits;
  friend bool operator==(Float16, Float16) = default;
};

/// Exact. A NaN keeps its sign and its payload, in the upper bits, and stays signalling.
float to_float(BFloat16 v);
float to_float(Float16 v);

/// The nearest number, ties to even; beyond the range infinity (IEEE 754-2019 §4.3.1). A NaN keeps its sign and the
/// upper bits of its payload; where these are zero it becomes the quiet NaN.
BFloat16 to_bfloat16(float v);
BFloat16 to_bfloat16(double v);
Float16 to_float16(float v);
Float16 to_float16(double v);

}  // namespace bitlaw
