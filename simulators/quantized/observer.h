#pragma once

#include <cstdint>

#include "core/tensor/matrix.h"
#include "simulators/quantized/given_scales.h"
#include "simulators/quantized/recipe.h"

namespace bitlaw {

/// The three products of a layer.
enum class Product : std::uint8_t {
  Forward,  ///< y = x W^T
  Dgrad,    ///< dx = dy W
  Wgrad     ///< dW = dy^T x
};
inline constexpr std::array<std::string_view, 3> kProductNames{"forward", "dgrad", "wgrad"};

/// Sees what quantized layers do, while they do it. `layer` is the running number of RandomStream.
class LinearObserver {
 public:
  virtual ~LinearObserver() = default;

  /// An operand before and after `spec.block` rounded it, with `given`; x is rotated where
  /// the slot rotates.
  virtual void operand(std::uint16_t layer, Slot slot, const SlotSpec& spec, KAxis k_axis, ConstMatrixView<float> x,
                       ConstMatrixView<float> quantized, const GivenScales& given) = 0;

  /// A product of which an operand was quantized, and the same of the operands as they came.
  virtual void product(std::uint16_t layer, Product product, ConstMatrixView<float> quantized,
                       ConstMatrixView<float> plain) = 0;
};

}  // namespace bitlaw
