#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "experiments/sweep/experiment.h"

namespace CLI {
class App;
}

namespace bitlaw {

/// The experiment that a verb is about, and where its results are.
struct ExperimentArguments {
  std::string file;
  std::optional<std::string> out;
  std::vector<std::string> overrides;

  Experiment plan() const { return plan_experiment(file, overrides); }
  std::filesystem::path results(const Experiment& experiment) const;
};

/// Adds the file, --out and --set. `file` says what files are taken.
void add_experiment_flags(CLI::App& verb, ExperimentArguments& arguments,
                          const std::string& file = "Experiment, a YAML file");

/// With what a verb trains many runs.
struct TrainingArguments {
  int workers = 0;  ///< 0: as many as the cores allow with `threads` each
  int threads = 1;
  double checkpoint_seconds = 30;

  int worker_count() const;
};

/// Adds --workers, --threads and --checkpoint-seconds.
void add_training_flags(CLI::App& verb, TrainingArguments& arguments);

}  // namespace bitlaw
