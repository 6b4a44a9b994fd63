#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
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

}  // namespace bitlaw
