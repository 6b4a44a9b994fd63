#pragma once

#include <cstdint>

#include "simulators/model/model_config.h"
#include "simulators/optim/adamw.h"
#include "simulators/optim/schedule.h"
#include "simulators/quantized/recipe.h"
#include "simulators/task/corpus.h"

namespace bitlaw {

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

}  // namespace bitlaw
