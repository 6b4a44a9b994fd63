#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "core/tensor/matrix.h"

namespace bitlaw {

inline std::uint32_t bits_of(float v) { return std::bit_cast<std::uint32_t>(v); }
inline std::uint64_t bits_of(double v) { return std::bit_cast<std::uint64_t>(v); }

/// Equality that tells -0 from +0 and one NaN from another.
inline bool same_bits(double x, double y) { return bits_of(x) == bits_of(y); }

inline bool same_bits(const std::vector<double>& x, const std::vector<double>& y) {
  return std::equal(x.begin(), x.end(), y.begin(), y.end(), [](double a, double b) { return same_bits(a, b); });
}

inline bool same_bits(std::span<const float> x, std::span<const float> y) {
  return std::equal(x.begin(), x.end(), y.begin(), y.end(), [](float a, float b) { return bits_of(a) == bits_of(b); });
}

inline bool same_bits(const Matrix<float>& x, const Matrix<float>& y) {
  return x.rows() == y.rows() && std::equal(x.data(), x.data() + x.size(), y.data(), y.data() + y.size(),
                                            [](float a, float b) { return bits_of(a) == bits_of(b); });
}

/// Values of mixed sign from a linear congruence, below 1 times 2^0 ... 2^(binades - 1): sums that round at almost
/// every step.
inline Matrix<float> rough_matrix(std::int64_t rows, std::int64_t cols, std::uint32_t seed, std::uint32_t binades) {
  Matrix<float> x(rows, cols);
  for (std::int64_t i = 0; i < x.size(); ++i) {
    seed = seed * 1664525U + 1013904223U;
    x.data()[i] = (static_cast<float>(seed >> 8) * 0x1p-23F - 1.0F) * static_cast<float>(1U << (seed % binades));
  }
  return x;
}

}  // namespace bitlaw
