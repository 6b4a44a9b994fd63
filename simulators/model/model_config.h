#pragma once

#include <cstdint>
#include <vector>

#include "simulators/quantized/layer_plan.h"

namespace bitlaw {

/// A decoder-only transformer: RMSNorm, rotary embedding, SwiGLU, causal attention with grouped queries.
struct ModelConfig {
  int layers = 2;
  int width = 64;    ///< C, features of the residual stream; a multiple of heads, width / heads even
  int heads = 2;     ///< H, query heads
  int kv_heads = 2;  ///< key and value heads; divides heads
  int ffn = 0;       ///< F, hidden features of SwiGLU; 0: 8/3 width rounded up to a multiple of 16
  int context = 64;  ///< T, tokens that attention sees
  double rope_base = 10000.0;
  bool tied_head = false;  ///< the head's weights are the embedding's (Press and Wolf 2017, arXiv:1608.05859)
  int separator = -1;      ///< the token that ends a document, which attention then does not look beyond; -1: none

  int ffn_width() const { return ffn > 0 ? ffn : (8 * width / 3 + 15) / 16 * 16; }
  int head_width() const { return width / heads; }
};

/// N without embedding and head, and with them, which are one where the head is tied.
std::int64_t parameter_count(const ModelConfig& model);
std::int64_t total_parameter_count(const ModelConfig& model, int vocabulary);

/// The products of a transformer in the order of its LayerPlan: of each block attention.qkv, attention.out,
/// mlp.gate_up and mlp.down; then of each block attention.scores and attention.mixing, for one head; then the head.
std::vector<LinearShape> transformer_shapes(const ModelConfig& model, int vocabulary, std::int64_t tokens_per_step);

/// Floating-point operations of one token's matrix products in the forward pass, attention and head included, the
/// causal mask not exploited; a multiply-add counts 2. A training step costs three times as much.
double forward_flops_per_token(const ModelConfig& model, int vocabulary);

}  // namespace bitlaw
