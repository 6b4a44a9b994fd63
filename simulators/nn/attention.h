#pragma once

#include "core/tensor/matrix.h"

namespace bitlaw {

/// B sequences of T tokens; H query heads of width D share G key and value heads, H / G queries to each.
struct AttentionShape {
  std::int64_t sequences, context, heads, kv_heads, head_width;  ///< B, T, H, G, D

  std::int64_t query_columns() const { return heads * head_width; }
  std::int64_t qkv_columns() const { return (heads + 2 * kv_heads) * head_width; }
};

/// Causal attention with grouped queries.  Vaswani et al. 2017, Eq. 1; Ainslie et al. 2023, arXiv:2305.13245.
///   p[i, j] = softmax over j <= i of q_i . k_j / sqrt(D),  out_i = sum over j of p[i, j] v_j
///
/// Shapes: qkv [B T, (H + 2 G) D], queries then keys then values; p [B H T, T], kept for the backward pass;
/// out [B T, H D].
template <typename T>
void attention_forward(const AttentionShape& shape, ConstMatrixView<T> qkv, MatrixView<T> p, MatrixView<T> out);

/// dqkv from dout. dp [T, T] is scratch.
template <typename T>
void attention_backward(const AttentionShape& shape, ConstMatrixView<T> qkv, ConstMatrixView<T> p,
                        ConstMatrixView<T> dout, MatrixView<T> dqkv, MatrixView<T> dp);

}  // namespace bitlaw
