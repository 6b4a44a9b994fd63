#pragma once

#include <cstdint>
#include <span>

#include "core/tensor/matrix.h"

namespace bitlaw {

/// x[r] = table[tokens[r]].  Shapes: table [vocabulary, features], x [tokens, features].
template <typename T>
void embedding_forward(ConstMatrixView<T> table, std::span<const std::uint16_t> tokens, MatrixView<T> x);

/// dtable[tokens[r]] += dx[r], in the order of r.
template <typename T>
void embedding_backward(std::span<const std::uint16_t> tokens, ConstMatrixView<T> dx, MatrixView<T> dtable);

}  // namespace bitlaw
