#include "simulators/task/normal.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numbers>

namespace bitlaw {
namespace {

/// ln u for a positive normal u: u = 2^e m with m in [2/3, 4/3), ln m = 2 artanh(s), s = (m - 1) / (m + 1), whose
/// series in s^2 <= 1/25 leaves 2 s^11 / 11 < 4e-9.
float ln(float u) {
  constexpr std::uint32_t kTwoThirds = 0x3f2aaaab;
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(u);
  const auto e = static_cast<std::int32_t>(bits - kTwoThirds) >> 23;
  const float m = std::bit_cast<float>(bits - (static_cast<std::uint32_t>(e) << 23));
  const float s = (m - 1.0F) / (m + 1.0F), q = s * s;
  const float series = 1.0F + q * (1.0F / 3 + q * (1.0F / 5 + q * (1.0F / 7 + q * (1.0F / 9))));
  return static_cast<float>(e) * std::numbers::ln2_v<float> + 2.0F * s * series;
}

inline std::pair<float, float> cos_sin(float v) {
  const auto quarter = static_cast<std::int32_t>(4.0F * v + 0.5F);
  const float x = (v - 0.25F * static_cast<float>(quarter)) * (2.0F * std::numbers::pi_v<float>);
  const float q = x * x;
  const float c = 1.0F - q / 2 * (1.0F - q / 12 * (1.0F - q / 30 * (1.0F - q / 56 * (1.0F - q / 90))));
  const float s = x * (1.0F - q / 6 * (1.0F - q / 20 * (1.0F - q / 42 * (1.0F - q / 72))));
  const bool swap = (quarter & 1) != 0;
  const float a = swap ? s : c, b = swap ? c : s;
  const bool negate_cos = ((quarter + 1) & 2) != 0, negate_sin = (quarter & 2) != 0;
  return {negate_cos ? -a : a, negate_sin ? -b : b};
}

}  // namespace

std::pair<float, float> cos_sin_turns(float v) { return cos_sin(v); }

void fill_normal(const RandomStream& stream, std::span<float> out) {
  constexpr std::size_t kChunk = 256;
  std::array<std::uint32_t, kChunk> bits;
  std::array<float, kChunk> z;
  for (std::size_t first = 0; first < out.size(); first += kChunk) {
    const std::size_t count = std::min(kChunk, out.size() - first), drawn = (count + 1) & ~std::size_t{1};
    random_bits(stream, first, std::span(bits).first(drawn));
    for (std::size_t i = 0; i < drawn; i += 2) {
      const float u = (static_cast<float>(static_cast<std::int32_t>(bits[i] >> 9)) + 0.5F) * 0x1p-23F;
      const float v = static_cast<float>(static_cast<std::int32_t>(bits[i + 1] >> 8)) * 0x1p-24F;
      const float r = std::sqrt(-2.0F * ln(u));
      const auto [c, s] = cos_sin(v);
      z[i] = r * c;
      z[i + 1] = r * s;
    }
    std::copy_n(z.begin(), count, out.begin() + static_cast<std::ptrdiff_t>(first));
  }
}

}  // namespace bitlaw
