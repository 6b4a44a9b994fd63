#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "simulators/model/model_config.h"
#include "simulators/optim/optimizer_config.h"
#include "simulators/optim/schedule.h"
#include "simulators/quantized/recipe.h"
#include "simulators/task/corpus.h"

namespace bitlaw {

/// The loss is multiplied before the backward pass and gradients are divided after it, so that narrow formats lose less
/// to underflow (Micikevicius et al. 2018, arXiv:1710.03740 §3.2). Powers of two change nothing in float32.
struct LossScaleConfig {
  double initial = 0;    ///< 0: no scaling, and no step is skipped
  double growth = 2;     ///< factor after `interval` steps without overflow
  double backoff = 0.5;  ///< factor after a step whose gradient is not finite; that step changes no parameter
  std::int64_t interval = 2000;
};

/// What a run takes from the checkpoint that it starts from.
enum class StartWith : std::uint8_t {
  State,    ///< everything: it goes on at the checkpoint's step, as the run that made it would with this configuration
  Weights,  ///< the parameters: it trains from step 0 on
};
inline constexpr std::array<EnumName<StartWith>, 2> kStartWithNames{
    {{"state", StartWith::State}, {"weights", StartWith::Weights}}};

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
  LossScaleConfig loss_scale;
  std::int64_t curve_every = 0;                ///< steps between two points of the curve; 0: about 500 points in all
  std::int64_t validate_every = 0;             ///< steps between two evaluations on held-out data; 0: at the end only
  std::vector<std::int64_t> keep_checkpoints;  ///< numbers of steps after which a checkpoint is kept
  std::string start_from;                      ///< checkpoint to start from; empty: none
  StartWith start_with = StartWith::State;

  std::int64_t tokens_per_step() const { return static_cast<std::int64_t>(batch) * model.context; }
  std::int64_t steps() const { return (tokens + tokens_per_step() - 1) / tokens_per_step(); }
};

}  // namespace bitlaw
