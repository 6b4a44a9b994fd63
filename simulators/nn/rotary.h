#pragma once

#include "core/tensor/matrix.h"

namespace bitlaw {

/// Rotary position embedding: within each head, the pair (i, i + D/2) turns by the angle t base^(-2i/D) at position t.
/// Su et al. 2021, arXiv:2104.09864, Eq. 34, with the pairs of GPT-NeoX and Llama.
template <typename T>
class Rotary {
 public:
  /// Tables for positions 0 .. context - 1; head_width D is even.
  Rotary(std::int64_t context, std::int64_t head_width, double base);

  /// Turns x [rows, heads * D] in place; row r is position r % context.
  void forward(MatrixView<T> x) const;
  /// A rotation's transpose is the turn back: dx from dy, in place.
  void backward(MatrixView<T> dy) const;

 private:
  void turn(MatrixView<T> x, T direction) const;

  std::int64_t context_;
  std::int64_t half_;
  Matrix<T> cos_, sin_;  ///< [context, D/2]
};

}  // namespace bitlaw
