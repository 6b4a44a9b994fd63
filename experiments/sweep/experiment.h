#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/record/run_record.h"
#include "experiments/sweep/fit_spec.h"
#include "experiments/sweep/run_id.h"
#include "experiments/sweep/run_source.h"
#include "simulators/train/run_work.h"
#include "simulators/train/task_factory.h"

namespace bitlaw {

/// One training run of an experiment: what plans show. The rest is made anew whenever it is asked for.
struct PlannedRun {
  std::string id;                   ///< RunIds: equal configurations have equal ids in every file
  std::string label;                ///< the keys that differ within the experiment, "width=32, precision=fp8"
  std::vector<std::string> values;  ///< of Experiment::differing; "-" where a key means nothing beside the others
  std::int64_t tokens = 0;          ///< D
  TaskCounts counts;                ///< N and FLOPs
  RunWork work{};                   ///< what it costs, before a machine is known
  std::shared_ptr<const TaskData> data;
  std::shared_ptr<const RunSource> source;
  std::size_t point = 0;  ///< of the source

  /// What it is trained with. InputError when a file that it is made from is not what it was when the run was planned.
  TrainConfig config() const;
  /// Every key, defaults included.
  std::map<std::string, ConfigValue> resolved() const { return resolved_values(config(), *data); }
  /// Where values that are not defaults were given, by key: "x.yaml:3:20".
  std::map<std::string, std::string> places() const;
};

/// A YAML file made ready to run: all that could be wrong with it has been checked.
struct Experiment {
  std::string name;
  std::string title;
  std::string yaml;  ///< text of the file, followed by a comment line for each override
  std::vector<PlannedRun> runs;
  std::size_t left_out = 0;            ///< points of the sweep that include and exclude leave out
  std::vector<std::string> differing;  ///< keys that the file varies between runs, in alphabetical order
  std::vector<FitSpec> fits;
  std::vector<std::string> warnings;  ///< what is most likely not meant, "x.yaml:7:3: ..."
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
