#pragma once

#include <map>

#include "core/tensor/matrix.h"
#include "simulators/quantized/observer.h"

namespace bitlaw {

/// Keeps the weights that the forward pass rounds, before and after, to tell how far an update moves both. Passes all
/// that it sees on to `next`, if any.
class WeightMovement : public LinearObserver {
 public:
  explicit WeightMovement(LinearObserver* next = nullptr) : next_(next) {}

  void operand(std::uint16_t layer, Slot slot, const SlotSpec& spec, KAxis k_axis, ConstMatrixView<float> x,
               ConstMatrixView<float> quantized, const GivenScales& given) override;
  void product(std::uint16_t layer, Product product, ConstMatrixView<float> quantized,
               ConstMatrixView<float> plain) override;

  /// Of each layer that both saw: sum |q' - q| / sum |w' - w|, w being the weights here, w' those of `later` and q what
  /// they become. 1 where weights lie anywhere between two values, more where they go back and forth over a midpoint
  /// (the rate of change of arXiv:2502.20853); 0 where no weight moved.
  std::map<std::uint16_t, double> oscillation(const WeightMovement& later) const;

 private:
  struct Weights {
    Matrix<float> plain, quantized;
  };
  LinearObserver* next_;
  std::map<std::uint16_t, Weights> layers_;
};

}  // namespace bitlaw
