#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

namespace bitlaw {

/// y[i] = e^x[i], written by fused multiply-adds only, so that its bits depend on neither vector width nor C library.
///
/// Error: < 1 ulp for -87 <= x <= 88. Below -87 the result is 0 (no subnormals), above 88 it is that of 88.
/// NaN stays NaN. y may be x. double: the C library's exp, for tests in double precision.
void exp(std::span<const float> x, std::span<float> y);
void exp(std::span<const double> x, std::span<double> y);

/// The same by definition, one element.
float exp_reference(float x);

/// Sums in a stated order, the same for every vector width: sixteen partial sums, partial l over the elements
/// l, l + 16, l + 32, ... in ascending order, then halved: l += l + 8, l + 4, l + 2, l + 1.
template <typename T, typename Term>
T striped_sum(std::int64_t count, Term term) {
  constexpr std::int64_t kStripes = 16;
  T partial[kStripes] = {};
  std::int64_t i = 0;
  for (; i + kStripes <= count; i += kStripes) {
    for (std::int64_t l = 0; l < kStripes; ++l) partial[l] += term(i + l);
  }
  for (std::int64_t l = 0; i + l < count; ++l) partial[l] += term(i + l);
  for (std::int64_t half = kStripes / 2; half > 0; half /= 2) {
    for (std::int64_t l = 0; l < half; ++l) partial[l] += partial[l + half];
  }
  return partial[0];
}

/// The largest of count > 0 numbers, in stripes as striped_sum, so that compilers write vectors. Not for NaN.
template <typename T>
T striped_max(const T* x, std::int64_t count) {
  constexpr std::int64_t kStripes = 16;
  T most[kStripes];
  std::fill_n(most, kStripes, x[0]);
  std::int64_t i = 0;
  for (; i + kStripes <= count; i += kStripes) {
    for (std::int64_t l = 0; l < kStripes; ++l) most[l] = most[l] < x[i + l] ? x[i + l] : most[l];
  }
  for (; i < count; ++i) most[0] = std::max(most[0], x[i]);
  return *std::max_element(most, most + kStripes);
}

template <typename T>
T dot(const T* x, const T* y, std::int64_t count) {
  return striped_sum<T>(count, [=](std::int64_t i) { return x[i] * y[i]; });
}

}  // namespace bitlaw
