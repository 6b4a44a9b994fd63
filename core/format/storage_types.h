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

/// Exact.
float to_float(BFloat16 v);
float to_float(Float16 v);

}  // namespace bitlaw
