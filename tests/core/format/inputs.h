#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

#include "core/format/format_spec.h"

namespace bitlaw {

/// Both signs of float32 inputs that decide roundings to `spec`: every magnitude, every midpoint of neighbours and
/// their float32 neighbours (formats of up to 2^11 magnitudes), zero, infinity, NaNs, subnormals, the ends of float32,
/// and every `stride`-th float32.
inline std::vector<float> deciding_inputs(const FormatSpec& spec, std::uint32_t stride) {
  std::vector<float> inputs{0.0F,
                            0x1p-149F,
                            0x1p-126F,
                            std::nextafter(0x1p-126F, 0.0F),
                            std::numeric_limits<float>::max(),
                            std::numeric_limits<float>::infinity(),
                            std::bit_cast<float>(0x7FC00000U),
                            std::bit_cast<float>(0x7F800001U)};
  const auto add = [&](double v) {
    if (!(v <= 0x1.fffffep127)) return;
    const auto f = static_cast<float>(v);
    inputs.insert(inputs.end(),
                  {f, std::nextafter(f, 0.0F), std::nextafter(f, std::numeric_limits<float>::infinity())});
  };
  if (spec.magnitude_codes() <= 2048) {
    for (std::uint64_t code = 0; code <= spec.max_magnitude_code(); ++code) {
      const double v = spec.magnitude_of(code);
      const double next =
          code < spec.max_magnitude_code() ? spec.magnitude_of(code + 1) : v + (v - spec.magnitude_of(code - 1));
      add(v);
      add((v + next) / 2);
    }
    add(2 * spec.max_finite());
  }
  for (std::uint64_t bits = 1; bits < 0x7F800000U; bits += stride) {
    inputs.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  }
  const std::size_t positive = inputs.size();
  for (std::size_t i = 0; i < positive; ++i) inputs.push_back(-inputs[i]);
  return inputs;
}

/// Codes of magnitudes: all where there are at most `most`, else those around zero, the least normal and the largest
/// one.
inline std::vector<std::uint64_t> magnitudes_to_try(const FormatSpec& spec, std::uint64_t most) {
  const std::uint64_t last = spec.max_magnitude_code();
  std::vector<std::uint64_t> codes;
  if (last < most) {
    for (std::uint64_t code = 0; code <= last; ++code) codes.push_back(code);
    return codes;
  }
  for (std::uint64_t anchor : {std::uint64_t{0}, std::uint64_t{1} << spec.mantissa_bits, last}) {
    for (std::uint64_t code = anchor < 4 ? 0 : anchor - 4; code <= std::min(last, anchor + 4); ++code) {
      codes.push_back(code);
    }
  }
  return codes;
}

/// Both signs of inputs of type T (float, double) that decide roundings to `spec`: values, midpoints and quarters
/// between them, sqrt(2) of values, and the neighbours of all these in T; what surrounds the ends of the range; zero,
/// infinity, NaNs, the ends of T; and 2 `random` pseudo-random numbers, half of them from all bit patterns of T.
template <typename T>
std::vector<T> rounding_inputs(const FormatSpec& spec, std::uint64_t most, std::size_t random) {
  using Bits = std::conditional_t<std::is_same_v<T, float>, std::uint32_t, std::uint64_t>;
  using Limits = std::numeric_limits<T>;
  const Bits infinity = std::bit_cast<Bits>(Limits::infinity());
  std::vector<T> inputs{0,
                        Limits::denorm_min(),
                        Limits::min(),
                        Limits::max(),
                        Limits::infinity(),
                        std::bit_cast<T>(infinity + 1),  // a signalling NaN
                        Limits::quiet_NaN()};
  const auto add = [&](double v) {
    if (!(v <= static_cast<double>(Limits::max()))) return;
    const auto t = static_cast<T>(v);
    inputs.insert(inputs.end(), {t, std::nextafter(t, T{0}), std::nextafter(t, Limits::infinity())});
  };
  const std::uint64_t last = spec.max_magnitude_code();
  for (std::uint64_t code : magnitudes_to_try(spec, most)) {
    const double v = spec.magnitude_of(code);
    const double gap = code < last ? spec.magnitude_of(code + 1) - v : v - spec.magnitude_of(code - 1);
    for (double fraction : {0.0, 0.25, 0.5, 1.0}) add(v + fraction * gap);
    add(v * 1.4142135623730951);
  }
  add(2 * spec.max_finite());
  add(-spec.lowest());
  std::uint64_t state = 1;
  const int exponents = spec.emax() - spec.least_exponent() + 6;
  for (std::size_t i = 0; i < random; ++i) {
    state = state * 6364136223846793005 + 1442695040888963407;
    inputs.push_back(std::bit_cast<T>(static_cast<Bits>(state >> (64 - 8 * sizeof(T)))));
    const int e = spec.least_exponent() - 3 + static_cast<int>((state >> 33) % static_cast<std::uint64_t>(exponents));
    inputs.push_back(static_cast<T>(std::ldexp(1 + static_cast<double>(state >> 12) * 0x1p-52, e)));
  }
  const std::size_t positive = inputs.size();
  for (std::size_t i = 0; i < positive; ++i) inputs.push_back(-inputs[i]);
  return inputs;
}

}  // namespace bitlaw
