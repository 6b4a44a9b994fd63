#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "core/tensor/matrix.h"

namespace bitlaw {

/// Reproducible values in [-1, 1) without a pattern that a layer could share.
inline std::vector<double> rough_values(std::int64_t count, std::uint64_t seed) {
  std::vector<double> values(static_cast<std::size_t>(count));
  for (double& value : values) {
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    value = static_cast<double>(seed >> 11) * 0x1p-52 - 1.0;
  }
  return values;
}

/// The analytic derivative of `objective` with respect to every x[i] against the central difference
/// (f(x + h) - f(x - h)) / 2h with h = 1e-5. Its truncation error is h^2 f''' / 6 ~ 1e-10 and its rounding error
/// 1e-16 |f| / h ~ 1e-11 |f|, so 1e-7 of the largest derivative leaves room and still sees any wrong term.
template <typename Objective>
void check_gradient(std::span<double> x, std::span<const double> analytic, Objective objective) {
  REQUIRE(x.size() == analytic.size());
  double largest = 1e-3;
  for (double g : analytic) largest = std::max(largest, std::abs(g));
  for (std::size_t i = 0; i < x.size(); ++i) {
    constexpr double h = 1e-5;
    const double saved = x[i];
    x[i] = saved + h;
    const double above = objective();
    x[i] = saved - h;
    const double below = objective();
    x[i] = saved;
    CAPTURE(i);
    CHECK(std::abs((above - below) / (2 * h) - analytic[i]) < 1e-7 * largest);
  }
}

/// sum of weights * y: a scalar whose derivative with respect to y is `weights`.
inline double weighted_sum(std::span<const double> weights, std::span<const double> y) {
  double sum = 0;
  for (std::size_t i = 0; i < y.size(); ++i) sum += weights[i] * y[i];
  return sum;
}

}  // namespace bitlaw
