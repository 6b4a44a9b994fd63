#include "experiments/launch/plan_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_set>

#include "core/base/error.h"
#include "core/base/file.h"
#include "experiments/sweep/config_keys.h"
#include "experiments/sweep/run_id.h"

namespace bitlaw {
namespace {

/// Of each key that differs, seeds apart, the first run with each value, the first of all runs aside.
std::vector<const PlannedRun*> others_by_value(const Experiment& experiment) {
  std::vector<const PlannedRun*> others;
  for (std::size_t k = 0; k < experiment.differing.size(); ++k) {
    if (experiment.differing[k] == "training.seed") continue;
    std::unordered_set<std::string_view> seen{experiment.runs.front().values[k]};
    for (const PlannedRun& run : experiment.runs) {
      if (seen.insert(run.values[k]).second) others.push_back(&run);
    }
  }
  return others;
}

/// What the recipe of each name does, by "precision <name> <slot>": names alone do not tell.
void add_recipes(const Experiment& experiment, std::map<std::string, std::string>& common) {
  const auto column = std::find(experiment.differing.begin(), experiment.differing.end(), "precision");
  std::set<std::string> seen;
  for (const PlannedRun& run : experiment.runs) {
    const std::string name = column == experiment.differing.end()
                                 ? ""
                                 : run.values[static_cast<std::size_t>(column - experiment.differing.begin())];
    if (!seen.insert(name).second) continue;
    for (const auto& [key, value] : run.resolved()) {
      if (!key.starts_with("precision.")) continue;
      common.emplace(fmt::format("{}{}{}", key, name.empty() ? "" : " of ", name), to_text(value));
    }
    if (name.empty()) return;
  }
}

/// The values of each key, in the order of the runs, without repetition.
std::map<std::string, std::vector<std::string>> values_of(const SavedPlan& plan) {
  std::map<std::string, std::vector<std::string>> values;
  for (const auto& [key, value] : plan.common) values[key] = {value};
  for (std::size_t k = 0; k < plan.differing.size(); ++k) {
    std::vector<std::string>& all = values[plan.differing[k]];
    std::unordered_set<std::string> seen;
    for (const SavedPlan::Run& run : plan.runs) {
      if (seen.insert(run.values[k]).second) all.push_back(run.values[k]);
    }
  }
  return values;
}

/// In whatever order.
bool same_values(const std::map<std::string, std::vector<std::string>>& a,
                 const std::map<std::string, std::vector<std::string>>& b, const std::string& key) {
  const auto in_a = a.find(key), in_b = b.find(key);
  if (in_a == a.end() || in_b == b.end()) return false;
  return std::set(in_a->second.begin(), in_a->second.end()) == std::set(in_b->second.begin(), in_b->second.end());
}

std::string text_of(const std::map<std::string, std::vector<std::string>>& values, const std::string& key) {
  const auto found = values.find(key);
  return found == values.end() ? "-" : fmt::format("{}", fmt::join(found->second, ", "));
}

}  // namespace

std::map<std::string, ConfigValue> common_values(const Experiment& experiment) {
  std::map<std::string, ConfigValue> common = experiment.runs.front().resolved();
  for (const std::string& key : experiment.differing) common.erase(key);
  for (const PlannedRun* run : others_by_value(experiment)) {
    const std::map<std::string, ConfigValue> values = run->resolved();
    std::erase_if(common, [&](const auto& entry) {
      const auto found = values.find(entry.first);
      return found == values.end() || found->second != entry.second;
    });
  }
  return common;
}

std::map<std::string, std::string> saved_values(const Experiment& experiment) {
  std::map<std::string, std::string> common;
  for (const auto& [key, value] : common_values(experiment)) {
    if (!key.starts_with("precision.")) common.emplace(key, to_text(value));
  }
  add_recipes(experiment, common);
  return common;
}

SavedPlan saved_plan(const Experiment& experiment) {
  SavedPlan plan{.numerical_epoch = kNumericalEpoch,
                 .common = saved_values(experiment),
                 .differing = experiment.differing,
                 .runs = {}};
  for (const PlannedRun& run : experiment.runs) plan.runs.push_back({run.id, run.values});
  return plan;
}

void write_plan(const std::filesystem::path& file, const SavedPlan& plan) {
  nlohmann::json runs = nlohmann::json::array();
  for (const SavedPlan::Run& run : plan.runs) runs.push_back({run.id, run.values});
  const nlohmann::json document{{"numerical_epoch", plan.numerical_epoch},
                                {"common", plan.common},
                                {"differing", plan.differing},
                                {"runs", std::move(runs)}};
  const std::string text = document.dump() + "\n";
  if (file_exists(file) && read_file(file) == text) return;
  write_file_atomically(file, text);
}

std::optional<SavedPlan> read_plan(const std::filesystem::path& file) {
  if (!file_exists(file)) return std::nullopt;
  try {
    const nlohmann::json plan = nlohmann::json::parse(read_file(file));
    SavedPlan saved{.numerical_epoch = plan.at("numerical_epoch"),
                    .common = plan.at("common"),
                    .differing = plan.at("differing"),
                    .runs = {}};
    for (const nlohmann::json& run : plan.at("runs")) saved.runs.push_back({run.at(0), run.at(1)});
    for (const SavedPlan::Run& run : saved.runs) {
      if (run.values.size() != saved.differing.size()) throw std::out_of_range("values");
    }
    return saved;
  } catch (const std::logic_error&) {
  } catch (const nlohmann::json::exception&) {
  }
  throw InputError(
      fmt::format("{}: is damaged, so it is not known what was launched before; delete it, which loses "
                  "nothing else",
                  file.string()));
}

PlanChanges changes(const SavedPlan& before, const SavedPlan& after) {
  std::unordered_set<std::string_view> ids;
  for (const SavedPlan::Run& run : before.runs) ids.insert(run.id);
  PlanChanges changes;
  for (const SavedPlan::Run& run : after.runs) changes.kept += ids.count(run.id);
  changes.gone = before.runs.size() - changes.kept;
  changes.added = after.runs.size() - changes.kept;
  if (changes.gone + changes.added == 0) return changes;
  if (before.numerical_epoch != after.numerical_epoch) {
    changes.keys.push_back(
        {"the program's numerics", std::to_string(before.numerical_epoch), std::to_string(after.numerical_epoch)});
  }
  const auto old_values = values_of(before), new_values = values_of(after);
  auto all = old_values;
  all.insert(new_values.begin(), new_values.end());
  for (const auto& [key, ignored] : all) {
    if (!same_values(old_values, new_values, key)) {
      changes.keys.push_back({key, text_of(old_values, key), text_of(new_values, key)});
    }
  }
  return changes;
}

std::string changes_text(const PlanChanges& changes) {
  if (changes.gone + changes.added == 0) return "";
  std::string text = fmt::format("against the last launch: {} runs kept, {} new, {} gone\n", changes.kept,
                                 changes.added, changes.gone);
  for (const PlanChanges::Key& key : changes.keys) {
    text += fmt::format("  {}: {} -> {}\n", key.name, key.before, key.after);
  }
  if (changes.keys.empty()) text += "  the same values in other combinations\n";
  return text;
}

}  // namespace bitlaw
