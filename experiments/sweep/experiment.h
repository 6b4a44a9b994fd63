#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/record/run_record.h"
#include "experiments/sweep/fit_spec.h"
#include "simulators/train/task_factory.h"

namespace bitlaw {

/// One training run of an experiment.
struct PlannedRun {
  std::string id;     ///< fingerprint of `resolved`: equal configurations have equal ids in every file
  std::string label;  ///< the keys that differ within the experiment, "width=32, precision=fp8"
  TrainConfig config;
  TaskData data;
  std::map<std::string, ConfigValue> resolved;  ///< every key, defaults included

  double flops() const { return task_counts(config, data).training_flops; }
};

/// A YAML file made ready to run: all that could be wrong with it has been checked.
struct Experiment {
  std::string name;
  std::string title;
  std::string yaml;  ///< text of the file, followed by a comment line for each override
  std::vector<PlannedRun> runs;
  std::vector<std::string> differing;  ///< keys that the file varies between runs, in alphabetical order
  std::vector<FitSpec> fits;
};

/// Reads, expands and checks an experiment; corpora are loaded, since their content is part of the run ids.
///
/// `overrides` are assignments "key=value" as of --set. InputError, "file:line:column: what, why; remedy", for
/// anything that would fail later: nothing has been written then.
Experiment plan_experiment(const std::filesystem::path& file, const std::vector<std::string>& overrides = {});

/// The key's last word, or the whole key when another of `keys` ends in the same: what people read.
std::string short_name(const std::string& key, const std::vector<std::string>& keys);

/// The record that the run will have, as far as it is known before it is trained: all but losses and timing.
RunRecord planned_record(const PlannedRun& run);

}  // namespace bitlaw
