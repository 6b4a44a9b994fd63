#pragma once

#include <cstdint>

#include "simulators/quantized/recipe.h"
#include "simulators/task/corpus.h"

namespace bitlaw {

/// A decoder-only transformer: RMSNorm, rotary embedding, SwiGLU, causal attention with grouped queries, untied head.
struct ModelConfig {
  int layers = 2;
  int width = 64;    ///< C, features of the residual stream; a multiple of heads, width / heads even
  int heads = 2;     ///< H, query heads
  int kv_heads = 2;  ///< key and value heads; divides heads
  int ffn = 0;       ///< F, hidden features of SwiGLU; 0: 8/3 width rounded up to a multiple of 16
  int context = 64;  ///< T, tokens that attention sees
  double rope_base = 10000.0;

  int ffn_width() const { return ffn > 0 ? ffn : (8 * width / 3 + 15) / 16 * 16; }
  int head_width() const { return width / heads; }
};

/// AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101) with clipping of the global gradient norm.
struct OptimizerConfig {
  double learning_rate = 3e-3;  ///< peak
  double beta1 = 0.9;
  double beta2 = 0.95;
  double epsilon = 1e-8;
  double weight_decay = 0.1;  ///< on matrices only
  double clip = 1.0;          ///< global gradient norm; 0: no clipping
};

/// Learning rate over training, as a fraction of the peak. All start with a linear warmup.
struct ScheduleConfig {
  enum class Kind : std::uint8_t {
    Constant,  ///< 1
    Cosine,    ///< from 1 to `final` along half a cosine
    Linear,    ///< from 1 to `final` along a line
    Wsd,       ///< 1, then linearly to `final` over the last `decay` of training (warmup-stable-decay)
  };
  Kind kind = Kind::Cosine;
  double warmup = 0.05;  ///< fraction of the steps
  double decay = 0.2;    ///< fraction of the steps, Wsd only
  double final = 0.1;    ///< of the peak
};

/// Everything that decides a run's bits.
struct TrainConfig {
  ModelConfig model;
  OptimizerConfig optimizer;
  ScheduleConfig schedule;
  CorpusSpec corpus;
  Recipe recipe;
  std::int64_t tokens = 262144;      ///< D; the number of steps is ceil(tokens / (batch * context))
  int batch = 16;                    ///< sequences per step
  std::int64_t eval_tokens = 65536;  ///< held-out tokens that the final loss is the mean over; at most all of them
  std::uint64_t seed = 0;            ///< of initialisation, batches and stochastic rounding

  std::int64_t tokens_per_step() const { return static_cast<std::int64_t>(batch) * model.context; }
  std::int64_t steps() const { return (tokens + tokens_per_step() - 1) / tokens_per_step(); }
};

/// N without embedding and head, and with them.
std::int64_t parameter_count(const ModelConfig& model);
std::int64_t total_parameter_count(const ModelConfig& model, int vocabulary);
/// Floating-point operations of all matrix products in training, attention and head included; multiply-add = 2.
double training_flops(const TrainConfig& config, int vocabulary);

}  // namespace bitlaw
