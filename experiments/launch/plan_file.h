#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "experiments/sweep/experiment.h"

namespace bitlaw {

/// A plan as it is kept in the results folder when it is launched, plan.json, so that the next one can be compared.
struct SavedPlan {
  struct Run {
    std::string id;
    std::vector<std::string> values;  ///< of `differing`
  };
  int numerical_epoch = 0;
  std::map<std::string, std::string> common;  ///< common_values(), and what recipes do
  std::vector<std::string> differing;
  std::vector<Run> runs;
};

/// The values that all runs have. Looked at are runs among which every value of each key that differs occurs: a key
/// that follows two others, but neither alone, would be missed. On seeds nothing depends.
std::map<std::string, ConfigValue> common_values(const Experiment& experiment);

/// SavedPlan::common of the experiment.
std::map<std::string, std::string> saved_values(const Experiment& experiment);

SavedPlan saved_plan(const Experiment& experiment);

/// Replaces the file in one step, unless it says the same. WriteError when that fails.
void write_plan(const std::filesystem::path& file, const SavedPlan& plan);

/// Nothing where there is no file. InputError when it is damaged.
std::optional<SavedPlan> read_plan(const std::filesystem::path& file);

/// What has become of a plan.
struct PlanChanges {
  struct Key {
    std::string name, before, after;  ///< all values, "16, 32"; "-" where there was none
  };
  std::size_t kept = 0, gone = 0, added = 0;  ///< runs, by id
  std::vector<Key> keys;                      ///< whose values are others, so that ids are
};
PlanChanges changes(const SavedPlan& before, const SavedPlan& after);

/// A line with the counts and one for each key; "" when nothing has changed.
std::string changes_text(const PlanChanges& changes);

}  // namespace bitlaw
