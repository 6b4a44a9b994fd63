#pragma once

#include <array>
#include <span>

#include "core/random/philox.h"
#include "core/tensor/matrix.h"
#include "simulators/quantized/delayed_scales.h"
#include "simulators/quantized/observer.h"
#include "simulators/quantized/recipe.h"

namespace bitlaw {

/// The trained parameters of a slot's blocks: their logarithms and where the derivatives with respect to these are
/// added. Both empty: the slot has none.
template <typename T>
struct LearnedParameters {
  std::span<const T> log_values;
  std::span<T> gradients;
};

/// Memory for the quantized operands of one product; keep one to avoid allocating in every call.
template <typename T>
struct LinearScratch {
  Matrix<T> a, b;
  Matrix<T> dx;                                   ///< only where nobody wants it but a trained parameter
  std::array<LearnedParameters<T>, 2> learned{};  ///< of FwdX and FwdW
  Matrix<T> source, dw;                ///< only where a slot has an estimator of its own, or someone observes
  Matrix<T> plain;                     ///< only where someone observes
  ConstMatrixView<T> mean{};           ///< of w over the steps, where a slot is guided by it
  LayerAmax* amax = nullptr;           ///< of the layer's operands, where a slot's scaling is delayed
  LinearObserver* observer = nullptr;  ///< is told what is rounded; changes no bits
};

/// y = q1(x) q2(W)^T with float32 accumulation; master weights stay in float32.
///
/// Shapes: x [rows, in], W [out, in], y [rows, out]. `stream` names seed, step and layer; slots are filled in here:
/// 0-5 for rounding in the order of Slot, 32-34 for the signs of the rotations of y, dx and dW (Product).
/// double takes only slots that quantize nothing: it exists to check derivatives.
template <typename T>
void quantized_linear_forward(const LinearSlots& slots, const RandomStream& stream, ConstMatrixView<T> x,
                              ConstMatrixView<T> w, MatrixView<T> y, LinearScratch<T>& scratch);

/// dx = q3(dy) q4(W) and dW += q5(dy)^T q6(x), then through the forward pass's
/// quantizers q1 and q2 as SlotSpec::gradient says; straight through those of the backward pass. An empty dx is not
/// computed: nobody wants the gradient of a model's inputs.
template <typename T>
void quantized_linear_backward(const LinearSlots& slots, const RandomStream& stream, ConstMatrixView<T> x,
                               ConstMatrixView<T> w, ConstMatrixView<T> dy, MatrixView<T> dx, MatrixView<T> dw,
                               LinearScratch<T>& scratch);

}  // namespace bitlaw
