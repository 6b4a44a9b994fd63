#pragma once

#include <cstddef>
#include <cstdint>

#include "core/format/format_spec.h"
#include "core/format/rounding.h"
#include "core/format/storage_types.h"
#include "core/random/philox.h"

namespace bitlaw {

// The types of array elements that encode and decode are compiled for, and their way through double.

inline double to_double(float v) { return static_cast<double>(v); }
inline double to_double(double v) { return v; }
inline double to_double(BFloat16 v) { return static_cast<double>(to_float(v)); }
inline double to_double(Float16 v) { return static_cast<double>(to_float(v)); }

/// The nearest T, ties to even; beyond its range infinity.
template <typename T>
T from_double(double v);
template <>
inline float from_double(double v) {
  return static_cast<float>(v);
}
template <>
inline double from_double(double v) {
  return v;
}
template <>
inline BFloat16 from_double(double v) {
  return to_bfloat16(v);
}
template <>
inline Float16 from_double(double v) {
  return to_float16(v);
}

/// Elements between two passes over the same data: few enough to stay in the L1 cache.
inline constexpr std::size_t kChunk = 1024;

/// Throws the InputError of a NaN that has no code.
[[noreturn]] void refuse_nan(std::size_t element);

/// The code of element `element` of encode(), by definition.
std::uint64_t encode_element(const FormatSpec& spec, const Conversion& conversion, double x, const RandomStream& stream,
                             std::size_t element);

}  // namespace bitlaw

#define BITLAW_FOR_EACH_CODE(F, T) F(T, std::uint8_t) F(T, std::uint16_t) F(T, std::uint32_t) F(T, std::uint64_t)
#define BITLAW_FOR_EACH_TYPE_AND_CODE(F) \
  BITLAW_FOR_EACH_CODE(F, float)         \
  BITLAW_FOR_EACH_CODE(F, double) BITLAW_FOR_EACH_CODE(F, BFloat16) BITLAW_FOR_EACH_CODE(F, Float16)
