#pragma once

#include <cstdint>
#include <span>

#include "core/random/philox.h"
#include "core/tensor/matrix.h"
#include "simulators/quantized/quantized_linear.h"

namespace bitlaw {

/// B sequences of T tokens; H query heads of width D share G key and value heads, H / G queries to each.
struct AttentionShape {
  std::int64_t sequences, context, heads, kv_heads, head_width;  ///< B, T, H, G, D
  std::span<const std::int32_t> starts = {};                     ///< s of each token, [B T]; empty: all 0

  std::int64_t query_columns() const { return heads * head_width; }
  std::int64_t qkv_columns() const { return (heads + 2 * kv_heads) * head_width; }
};

/// How attention's products round in one step: S = Q K^T as a linear layer of x = Q and W = K, O = P V as one of x = P
/// and W = V^T, each for every head of every sequence by itself; a scale per tensor is one per head.
struct AttentionRounding {
  const LinearSlots& scores;
  const LinearSlots& mixing;
  RandomStream scores_stream,
      mixing_stream;  ///< head h of sequence b adds (b H + h + 1) 2^64 / golden ratio to the seed
};

/// Memory of one head's products; keep one to avoid allocating in every call.
template <typename T>
struct AttentionScratch {
  LinearScratch<T> operands;
  Matrix<T> dp;         ///< [T, T]
  Matrix<T> v_t, dv_t;  ///< transposed values and their gradient, [D, T]
};

/// Causal attention with grouped queries.  Vaswani et al. 2017, Eq. 1; Ainslie et al. 2023, arXiv:2305.13245.
///   p[i, j] = softmax over s_i <= j <= i of q_i . k_j / sqrt(D),  out_i = sum over j of p[i, j] v_j
///
/// Shapes: qkv [B T, (H + 2 G) D], queries then keys then values; p [B H T, T], kept for the backward pass;
/// out [B T, H D].
template <typename T>
void attention_forward(const AttentionShape& shape, const AttentionRounding& rounding, ConstMatrixView<T> qkv,
                       MatrixView<T> p, MatrixView<T> out, AttentionScratch<T>& scratch);

/// dqkv from dout, straight through the quantizers.
template <typename T>
void attention_backward(const AttentionShape& shape, const AttentionRounding& rounding, ConstMatrixView<T> qkv,
                        ConstMatrixView<T> p, ConstMatrixView<T> dout, MatrixView<T> dqkv,
                        AttentionScratch<T>& scratch);

}  // namespace bitlaw
