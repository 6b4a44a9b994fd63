#pragma once

#include <cstdint>
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

  /// InputError where --set or --out is given: they belong to an experiment, and this file is a sweep file.
  void expect_file_alone() const;

  Experiment plan() const { return plan_experiment(file, overrides); }
  std::filesystem::path results(const Experiment& experiment) const;
};

/// Prints the experiment's warnings on standard error, a line each.
void tell_warnings(const Experiment& experiment);

/// Adds the file, --out and --set. `file` says what files are taken.
void add_experiment_flags(CLI::App& verb, ExperimentArguments& arguments,
                          const std::string& file = "Experiment, a YAML file");

/// With what a verb trains many runs.
struct TrainingArguments {
  int workers = 0;  ///< 0: as many as the cores allow with `threads` each
  int threads = 1;
  double checkpoint_seconds = 30;
  std::uint64_t memory = 0;  ///< for all runs together [bytes]; 0: what the system has available

  int worker_count() const;
  std::int64_t memory_limit() const;
};

/// Adds --workers, --threads, --checkpoint-seconds and --memory.
void add_training_flags(CLI::App& verb, TrainingArguments& arguments);

}  // namespace bitlaw
