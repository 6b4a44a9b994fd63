#pragma once

#include <atomic>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "experiments/launch/local.h"
#include "tests/experiments/sweep/plan_text.h"

namespace bitlaw {

/// Four runs whose operations grow with training.tokens.
inline Experiment four_runs() {
  return plan_text(small("sweep: {grid: {training.tokens: [512, 2048, 1024, 4096]}}\n"));
}

/// Stands for training: the loss is a formula of the configuration, so that a mix-up of runs shows.
struct ToyTrainer {
  std::mutex mutex;
  std::vector<std::int64_t> trained;        ///< tokens of the runs in the order of their start
  std::vector<TrainOptions> options;        ///< what they were given
  std::int64_t fails_at = 0, stops_at = 0;  ///< tokens of the run that throws, or is stopped

  std::optional<RunRecord> operator()(const TrainConfig& config, const TaskData&, const TrainOptions& given) {
    const std::lock_guard lock(mutex);
    trained.push_back(config.tokens);
    options.push_back(given);
    if (config.tokens == fails_at) throw InputError("disk: no space left on device");
    if (config.tokens == stops_at) return std::nullopt;
    RunRecord record;
    record.tokens = config.tokens;
    record.params = parameter_count(config.model);
    record.precision = config.recipe.name;
    record.loss = 2.0 + 100.0 / static_cast<double>(config.tokens);
    record.state_hash = std::to_string(config.tokens);
    return record;
  }
};

/// Launches without a word.
inline LaunchOptions quiet(ToyTrainer& trainer, int workers = 1) {
  static const std::unique_ptr<std::FILE, int (*)(std::FILE*)> nowhere(std::fopen("/dev/null", "w"), std::fclose);
  LaunchOptions options;
  options.workers = workers;
  options.log = nowhere.get();
  options.runner = std::ref(trainer);
  return options;
}

}  // namespace bitlaw
