#include "simulators/nn/activation.h"

#include <cmath>
#include <numbers>
#include <vector>

#include "core/base/check.h"
#include "core/tensor/vector_math.h"

namespace bitlaw {
namespace {

const double kGeluScale = 2 * std::sqrt(2 / std::numbers::pi);
constexpr double kGeluCubic = 0.044715;

/// The g in a(z) = z s(g(z)), and its derivative.
template <typename T>
T gate(Activation activation, T z) {
  return activation == Activation::Silu ? z : T(kGeluScale) * (z + T(kGeluCubic) * z * z * z);
}
template <typename T>
T gate_slope(Activation activation, T z) {
  return activation == Activation::Silu ? T(1) : T(kGeluScale) * (T(1) + T(3 * kGeluCubic) * z * z);
}

/// s(g(z))
template <typename T>
std::vector<T> sigmoids(Activation activation, std::span<const T> z) {
  std::vector<T> s(z.size());
  for (std::size_t i = 0; i < z.size(); ++i) s[i] = -gate(activation, z[i]);
  exp(std::span<const T>(s), std::span<T>(s));
  for (T& value : s) value = T(1) / (T(1) + value);
  return s;
}

}  // namespace

template <typename T>
void activation_forward(Activation activation, std::span<const T> z, std::span<T> h) {
  BITLAW_CHECK(z.size() == h.size(), "{} values to {}", z.size(), h.size());
  if (activation == Activation::Relu) {
    for (std::size_t i = 0; i < z.size(); ++i) h[i] = z[i] < T(0) ? T(0) : z[i];  // NaN stays NaN
    return;
  }
  const std::vector<T> s = sigmoids(activation, z);
  for (std::size_t i = 0; i < z.size(); ++i) h[i] = z[i] * s[i];
}

template <typename T>
void activation_backward(Activation activation, std::span<const T> z, std::span<const T> dh, std::span<T> dz) {
  BITLAW_CHECK(z.size() == dh.size() && z.size() == dz.size(), "{}, {}, {} values", z.size(), dh.size(), dz.size());
  if (activation == Activation::Relu) {
    for (std::size_t i = 0; i < z.size(); ++i) dz[i] = z[i] > T(0) ? dh[i] : T(0);
    return;
  }
  const std::vector<T> s = sigmoids(activation, z);
  for (std::size_t i = 0; i < z.size(); ++i) {
    dz[i] = dh[i] * (s[i] + z[i] * s[i] * (T(1) - s[i]) * gate_slope(activation, z[i]));
  }
}

template void activation_forward(Activation, std::span<const float>, std::span<float>);
template void activation_forward(Activation, std::span<const double>, std::span<double>);
template void activation_backward(Activation, std::span<const float>, std::span<const float>, std::span<float>);
template void activation_backward(Activation, std::span<const double>, std::span<const double>, std::span<double>);

}  // namespace bitlaw
