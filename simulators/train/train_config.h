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
#include "simulators/task/task_config.h"
#include "simulators/train/early_stop.h"

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

/// Steps in which a run looks at what its rounding does. It changes no other bits.
struct StatisticsConfig {
  std::int64_t every = 0;       ///< steps between two such; 0: none
  std::vector<Recipe> shadows;  ///< what else to try in such a step, on the same weights and the same batch
};

/// Everything that decides a run's bits.
struct TrainConfig {
  TaskKind task = TaskKind::LanguageModel;
  ModelConfig model;  ///< other tasks take layers and width from it: see task_factory.h
  OptimizerConfig optimizer;
  ScheduleConfig schedule;
  CorpusSpec corpus;
  RegressionConfig regression;
  ClassificationConfig classification;
  DiffusionConfig diffusion;
  Recipe recipe;
  std::int64_t tokens =
      262144;      ///< D, without sequences samples; the number of steps is ceil(tokens / tokens_per_step())
  int batch = 16;  ///< sequences or samples per step
  std::int64_t eval_tokens = 65536;  ///< held-out tokens or samples that the final loss is the mean over; at most all
  std::uint64_t seed = 0;            ///< of initialisation, batches and stochastic rounding
  LossScaleConfig loss_scale;
  std::int64_t curve_every = 0;                ///< steps between two points of the curve; 0: about 500 points in all
  std::int64_t validate_every = 0;             ///< steps between two evaluations on held-out data; 0: at the end only
  std::vector<std::int64_t> keep_checkpoints;  ///< numbers of steps after which a checkpoint is kept
  std::string start_from;                      ///< checkpoint to start from; empty: none
  std::string start_fingerprint;               ///< of its content, by which run ids know it; the run does without
  StartWith start_with = StartWith::State;
  StatisticsConfig statistics;
  StopConfig stop;

  std::int64_t tokens_per_step() const {
    return static_cast<std::int64_t>(batch) * (task == TaskKind::LanguageModel ? model.context : 1);
  }
  std::int64_t steps() const { return (tokens + tokens_per_step() - 1) / tokens_per_step(); }
};

}  // namespace bitlaw
