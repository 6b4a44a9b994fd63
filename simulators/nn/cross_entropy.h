#pragma once

#include <cstdint>
#include <span>

#include "core/tensor/matrix.h"

namespace bitlaw {

/// Sum over rows of -log softmax(logits)[target] [nat]. The logits [rows, vocabulary] become probabilities in place.
/// Each row's logarithm and the sum are in double precision.
template <typename T>
double cross_entropy_forward(MatrixView<T> logits, std::span<const std::uint16_t> targets);

/// Probabilities become dlogits in place: scale (p - onehot(target)).
template <typename T>
void cross_entropy_backward(MatrixView<T> probabilities, std::span<const std::uint16_t> targets, T scale);

}  // namespace bitlaw
