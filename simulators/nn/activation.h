#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/base/enum_name.h"

namespace bitlaw {

enum class Activation : std::uint8_t {
  Relu,  ///< max(z, 0)
  Gelu,  ///< z s(2 u), u = sqrt(2 / pi) (z + 0.044715 z^3): the tanh form of Hendrycks and Gimpel 2016,
         ///< arXiv:1606.08415
  Silu,  ///< z s(z), the same paper
};
inline constexpr std::array<EnumName<Activation>, 3> kActivationNames{
    {{"relu", Activation::Relu}, {"gelu", Activation::Gelu}, {"silu", Activation::Silu}}};

/// h[i] = a(z[i]), with s(z) = 1 / (1 + e^-z) in the formulas above.
template <typename T>
void activation_forward(Activation activation, std::span<const T> z, std::span<T> h);

/// dz[i] = dh[i] a'(z[i]), 0 for the derivative of Relu at 0; dz may be dh.
template <typename T>
void activation_backward(Activation activation, std::span<const T> z, std::span<const T> dh, std::span<T> dz);

}  // namespace bitlaw
