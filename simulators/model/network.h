#pragma once

#include <cstdint>

#include "core/tensor/matrix.h"
#include "simulators/model/parameters.h"
#include "simulators/quantized/observer.h"

namespace bitlaw {

/// A model that maps rows of features to rows of outputs; losses are its user's.
template <typename T>
class Network {
 public:
  virtual ~Network() = default;

  virtual ParameterSet<T>& parameters() = 0;

  /// From now on `observer` is told what the layers round; null: no one.
  virtual void observe(LinearObserver* observer) = 0;

  /// Outputs [rows, outputs] for x [rows, inputs], which lives until the backward pass. What is returned lives until
  /// the next forward pass and may be overwritten. `step` selects the random bits of rounding and rotations.
  virtual MatrixView<T> forward(ConstMatrixView<T> x, std::uint32_t step) = 0;

  /// parameters().gradients() <- d loss / d values, from dy = d loss / d outputs of the last forward pass.
  virtual void backward(ConstMatrixView<T> dy) = 0;
};

}  // namespace bitlaw
