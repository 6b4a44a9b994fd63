#include "experiments/sweep/experiment.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "experiments/sweep/config_keys.h"
#include "experiments/sweep/experiment_file.h"
#include "experiments/sweep/validate.h"
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
                                              name));
  }
  return name;
}

/// What a key, of this row unless it is "precision", is in a run; "-" where it means nothing beside the others.
std::string value_text(const TrainConfig& config, const ConfigKey* row, const std::string& key) {
  if (key == "precision") return config.recipe.name;
  return row != nullptr && row->used(config) ? to_text(row->get(config)) : "-";
}
std::string value_text(const TrainConfig& config, const std::string& key) {
  return value_text(config, find_config_key(key), key);
}

/// Keys, among those that runs were given, of which two runs have different values, or one run has none.
class DifferingKeys {
 public:
  /// Another run, which `config` is the resolved configuration of.
  void add(const RunDraft& draft, const TrainConfig& config) {
    const auto note = [&](const std::string& key, const SourceLocation&) {
      if (differing_.contains(key) || !same_.insert(key).second) return;
      if (!first_) return;
      late_.insert(key);
    };
    if (first_) {
      draft.visit_own(note);
    } else {
      draft.for_each_given(note);
      first_ = config;
    }
    std::erase_if(same_, [&](const std::string& key) {
      if (value_text(config, key) == value_text(*first_, key)) return false;
      differing_.insert(key);
      return true;
    });
  }

  /// In alphabetical order. Looks at the runs again for keys that the first of them was not given.
  std::vector<std::string> names(const std::vector<PlannedRun>& runs) const {
    std::vector<std::string> names(differing_.begin(), differing_.end());
    for (const std::string& key : late_) {
      if (differing_.contains(key)) continue;
      const std::string first = value_text(*first_, key);
      const auto differs = [&](const PlannedRun& run) {
        return value_text(run.source->draft(run.point)->resolved(), key) != first;
      };
      if (std::any_of(runs.begin(), runs.end(), differs)) names.push_back(key);
    }
    std::sort(names.begin(), names.end());
    return names;
  }

 private:
  std::optional<TrainConfig> first_;
  std::set<std::string> same_;  ///< so far
  std::set<std::string> late_;  ///< given to a later run, so that runs before it have not been compared
  std::set<std::string> differing_;
};

/// Reads the points of a source as runs.
class Planner {
 public:
  explicit Planner(std::shared_ptr<const RunSource> source) : source_(std::move(source)) {}

  /// The run of a point, none where a rule leaves it out; without label and values. InputError for what is wrong in it.
  std::optional<PlannedRun> plan(std::size_t point) {
    const std::optional<RunDraft> draft = source_->draft(point);
    if (!draft) return std::nullopt;
    const TrainConfig config = draft->resolved();
    std::shared_ptr<const TaskData> data = source_->data(*draft, config);
    check_run(*draft, config, *data);
    ids_.read(config);
    differing_.add(*draft, config);
    const Size& size = this->size(*draft, config, *data);
    return PlannedRun{.id = ids_.id(data->fingerprint),
                      .label = {},
                      .values = {},
                      .tokens = config.steps() * config.tokens_per_step(),
                      .counts = size.counts,
                      .work = size.work,
                      .data = std::move(data),
                      .source = source_,
                      .point = point};
  }

  const DifferingKeys& differing() const { return differing_; }

 private:
  struct Size {
    TaskCounts counts;
    RunWork work{};
  };
  /// Size, and the check of recipes, once for all runs that differ in nothing that they depend on.
  const Size& size(const RunDraft& draft, const TrainConfig& config, const TaskData& data) {
    std::string key = fmt::format("{} {} {} {} {}\n", config.batch, config.steps(), config.eval_tokens,
                                  config.validate_every, data.fingerprint);
    for (std::size_t i = 0; i < ids_.names().size(); ++i) {
      const bool matters = !ids_.names()[i].starts_with("training") || !config.start_from.empty();
      if (matters) key += ids_.digests()[i] + "\n";
    }
    const auto [found, added] = sizes_.try_emplace(std::move(key));
    if (added) {
      check_recipes(draft, config, data);
      found->second = {task_counts(config, data), run_work(config, data)};
    }
    return found->second;
  }

  std::shared_ptr<const RunSource> source_;
  RunIds ids_;
  DifferingKeys differing_;
  std::unordered_map<std::string, Size> sizes_;
};

/// Tells what each run is beside the others, once it is known in what they differ.
class RunNames {
 public:
  explicit RunNames(const std::vector<std::string>& differing) {
    for (const std::string& key : differing) {
      keys_.push_back({find_config_key(key), key, short_name(key, differing) + "="});
    }
  }

  void name(PlannedRun& run, const TrainConfig& config) const {
    for (const Key& key : keys_) {
      const std::string& value = run.values.emplace_back(value_text(config, key.row, key.name));
      if (value == "-") continue;
      if (!run.label.empty()) run.label += ", ";
      run.label += key.short_name + value;
    }
  }

 private:
  struct Key {
    const ConfigKey* row;
    std::string name, short_name;
  };
  std::vector<Key> keys_;
};

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

/// The keys that fits ask runs for.
std::set<std::string> keys_of(const std::vector<FitSpec>& fits) {
  std::set<std::string> keys;
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

/// Labels of the runs, which are checked to be different, and `fits`.
void complete(Experiment& experiment, const YamlNode& root) {
  if (const YamlNode* fits = root.find("fits")) experiment.fits = fit_specs_in(*fits);
  const std::set<std::string> keys = keys_of(experiment.fits);
  const RunNames names(experiment.differing);
  std::vector<RunRecord> records;  // with the keys that fits ask for
  for (PlannedRun& run : experiment.runs) {
    const TrainConfig config = run.source->draft(run.point)->resolved();
    names.name(run, config);
    if (experiment.fits.empty()) continue;
    RunRecord& record = records.emplace_back(untrained_record(config, *run.data));
    record.run_id = run.id;
    record.config = values_of(keys, config, *run.data);
  }
  const YamlNode* sweep = root.find("sweep");
  check_distinct(experiment, sweep == nullptr ? root.place : sweep->key_place);
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
  Planner planner(source);
  for (std::size_t point = 0; point < source->points(); ++point) {
    if (auto run = planner.plan(point)) experiment.runs.push_back(std::move(*run));
  }
  experiment.left_out = source->points() - experiment.runs.size();
  if (experiment.runs.empty()) {
    throw InputError(sweep->key_place, fmt::format("include and exclude leave none of the {} points of sweep '{}', so "
                                                   "it would run nothing; loosen a condition",
                                                   experiment.left_out, experiment.name));
  }
  experiment.differing = planner.differing().names(experiment.runs);
  complete(experiment, root);
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
