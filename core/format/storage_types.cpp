#include "core/format/storage_types.h"

#include <bit>
#include <cmath>

#include "core/base/check.h"
#include "core/format/catalog.h"
#include "core/format/codes.h"
#include "core/format/quantize.h"

namespace bitlaw {
namespace {

/// The code of a number in a 16-bit format.
std::uint16_t nearest_code(const FormatSpec& spec, double v) {
  const auto code = encode(spec, round_reference(spec, {RoundingMode::TiesToEven, Overflow::ToInfinity}, v, {}));
  BITLAW_CHECK(code.has_value(), "{} has no code", v);
  return static_cast<std::uint16_t>(*code);
}

/// The NaN of a 16-bit format with m fraction bits that keeps the sign and the upper payload bits of a float64 NaN.
std::uint16_t narrowed_nan(const FormatSpec& spec, double nan) {
  const auto bits = std::bit_cast<std::uint64_t>(nan);
  const int m = spec.mantissa_bits;
  const std::uint64_t payload = (bits & 0xFFFFFFFFFFFFFU) >> (52 - m);
  const std::uint64_t kept = payload != 0 ? payload : std::uint64_t{1} << (m - 1);
  const std::uint64_t all_ones = spec.max_magnitude_code() + 1;
  return static_cast<std::uint16_t>(bits >> 63 << 15 | all_ones | kept);
}

/// float64 with the bits of a float32 NaN; a conversion would make it quiet.
double widened_nan(float nan) {
  const auto bits = std::uint64_t{std::bit_cast<std::uint32_t>(nan)};
  return std::bit_cast<double>(bits >> 31 << 63 | std::uint64_t{0x7FF} << 52 | (bits & 0x7FFFFFU) << 29);
}

std::uint16_t narrow(const FormatSpec& spec, double v) {
  return std::isnan(v) ? narrowed_nan(spec, v) : nearest_code(spec, v);
}
std::uint16_t narrow(const FormatSpec& spec, float v) {
  return std::isnan(v) ? narrowed_nan(spec, widened_nan(v)) : nearest_code(spec, static_cast<double>(v));
}

}  // namespace

float to_float(BFloat16 v) { return std::bit_cast<float>(std::uint32_t{v.bits} << 16); }

float to_float(Float16 v) {
  const std::uint32_t magnitude = v.bits & 0x7FFFU;
  const std::uint32_t sign = std::uint32_t{v.bits} >> 15 << 31;
  if (magnitude >= 0x7C00U) return std::bit_cast<float>(sign | 0x7F800000U | (magnitude & 0x3FFU) << 13);
  return static_cast<float>(decode(kBinary16, v.bits));
}

BFloat16 to_bfloat16(float v) { return {narrow(kBfloat16, v)}; }
BFloat16 to_bfloat16(double v) { return {narrow(kBfloat16, v)}; }
Float16 to_float16(float v) { return {narrow(kBinary16, v)}; }
Float16 to_float16(double v) { return {narrow(kBinary16, v)}; }

}  // namespace bitlaw
