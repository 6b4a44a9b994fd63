#include "experiments/sweep/experiment.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_map>
#include <utility>

#include "core/record/run_groups.h"
#include "experiments/sweep/config_keys.h"
#include "experiments/sweep/experiment_file.h"
#include "experiments/sweep/planner.h"
#include "fitting/fit/observations.h"
#include "fitting/laws/law.h"
#include "simulators/train/trainer.h"

namespace bitlaw {
namespace {

/// The name becomes a folder's.
std::string name_in(const YamlNode& root) {
  const YamlNode* node = root.find("experiment");
  if (node == nullptr) {
    throw InputError(root.place,
                     "the file has no key 'experiment', so its results have no name; add experiment: "
                     "with a short name as the first line");
  }
  const std::string name = text_in(*node, "experiment");
  const bool plain = !name.empty() && name.find_first_not_of(
                                          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                          "0123456789_-") == std::string::npos;
  if (!plain) {
    throw InputError(node->place, fmt::format("experiment is '{}', which cannot name a folder everywhere; use letters, "
                                              "digits, '_' and '-'",
                                              shortened(name)));
  }
  return name;
}

void check_distinct(const Experiment& experiment, const SourceLocation& place) {
  std::unordered_map<std::string_view, std::size_t> seen;
  for (std::size_t i = 0; i < experiment.runs.size(); ++i) {
    const auto [first, added] = seen.emplace(experiment.runs[i].id, i);
    if (added) continue;
    const std::string& label = experiment.runs[i].label;
    throw InputError(place, fmt::format("runs {} and {} of sweep '{}' are the same{}, so one would be trained for "
                                        "nothing; delete the repeated value",
                                        first->second + 1, i + 1, experiment.name,
                                        label.empty() ? "" : fmt::format(" ({})", label)));
  }
}

/// The keys that fits ask runs for; the task, which all ask for.
std::set<std::string> keys_of(const std::vector<FitSpec>& fits) {
  std::set<std::string> keys{kTaskKey};
  for (const FitSpec& fit : fits) {
    for (const auto& [key, condition] : fit.where) keys.insert(key);
    if (!fit.per.empty()) keys.insert(fit.per);
  }
  return keys;
}

/// Of resolved_values(), at least those of `keys`: all of them where one is no row of a table, or misspelt.
std::map<std::string, ConfigValue> values_of(const std::set<std::string>& keys, const TrainConfig& config,
                                             const TaskData& data) {
  std::map<std::string, ConfigValue> values;
  for (const std::string& key : keys) {
    const ConfigKey* row = find_config_key(key);
    if (key == "precision") {
      values.emplace(key, config.recipe.name);
    } else if (row == nullptr) {
      return resolved_values(config, data);
    } else if (row->used(config)) {
      values.emplace(key, row->get(config));
    }
  }
  return values;
}

/// Everything that a fit could refuse after hours of training, tried on what is known of the runs before.
void check_fits(const std::vector<FitSpec>& fits, const std::vector<RunRecord>& records) {
  std::set<std::string> names;
  for (const FitSpec& spec : fits) {
    for (const FitGroup& group : fit_groups(spec, records)) {
      if (!names.insert(group.name).second) {
        throw InputError(spec.place, fmt::format("two fits are called '{}', so one would overwrite the other; give one "
                                                 "a name",
                                                 group.name));
      }
      at_place(spec.place, [&] {
        for (const std::size_t i : group.runs) law_inputs(law_of(spec), records[i]);
      });
    }
  }
}

/// `fits`, checked against the runs.
void add_fits(Experiment& experiment, const YamlNode& fits) {
  experiment.fits = fit_specs_in(fits);
  const std::set<std::string> keys = keys_of(experiment.fits);
  std::vector<RunRecord> records;  // with the keys that fits ask for
  for (const PlannedRun& run : experiment.runs) {
    const TrainConfig config = run.source->draft(run.point)->resolved();
    RunRecord& record = records.emplace_back(untrained_record(config, *run.data));
    record.run_id = run.id;
    record.config = values_of(keys, config, *run.data);
  }
  check_fits(experiment.fits, records);
}

}  // namespace

Experiment plan_experiment(const std::filesystem::path& file, const std::vector<std::string>& overrides) {
  ExperimentFile read = read_experiment_file(file, overrides);
  Experiment experiment;
  experiment.yaml = read.text;
  experiment.name = name_in(read.root);
  if (const YamlNode* title = read.root.find("title")) experiment.title = text_in(*title, "title");

  const auto source = std::make_shared<const RunSource>(file, std::move(read.root), experiment.name);
  const YamlNode& root = source->root();
  const YamlNode* sweep = root.find("sweep");
  PlannedPoints planned = plan_points(source);
  experiment.runs = std::move(planned.runs);
  experiment.differing = std::move(planned.differing);
  experiment.warnings = source->warnings();
  experiment.warnings.insert(experiment.warnings.end(), planned.warnings.begin(), planned.warnings.end());
  experiment.left_out = source->points() - experiment.runs.size();
  if (experiment.runs.empty()) {
    throw InputError(sweep->key_place, fmt::format("include and exclude leave none of the {} points of sweep '{}', so "
                                                   "it would run nothing; loosen a condition",
                                                   experiment.left_out, experiment.name));
  }
  check_distinct(experiment, sweep == nullptr ? root.place : sweep->key_place);
  if (const YamlNode* fits = root.find("fits")) add_fits(experiment, *fits);
  return experiment;
}

std::string short_name(const std::string& key, const std::vector<std::string>& keys) {
  const auto last_word = [](const std::string& k) { return k.substr(k.rfind('.') + 1); };
  const std::string name = last_word(key);
  const bool shared = std::any_of(keys.begin(), keys.end(),
                                  [&](const std::string& other) { return other != key && last_word(other) == name; });
  return shared ? key : name;
}

TrainConfig PlannedRun::config() const {
  TrainConfig config = source->draft(point)->resolved();
  if (run_id(config, *data) != id) {
    throw InputError(
        fmt::format("run {} ({}) is not what it was when it was planned: a file that it names, a schedule "
                    "or a checkpoint, has changed since; start again",
                    id.substr(0, 8), label));
  }
  return config;
}

std::map<std::string, std::string> PlannedRun::places() const {
  std::map<std::string, std::string> places;
  source->draft(point)->for_each_given(
      [&](const std::string& key, const SourceLocation& place) { places.emplace(key, place.to_string()); });
  return places;
}

RunRecord planned_record(const PlannedRun& run) {
  const TrainConfig config = run.config();
  RunRecord record = untrained_record(config, *run.data);
  record.run_id = run.id;
  record.config = resolved_values(config, *run.data);
  return record;
}

}  // namespace bitlaw
