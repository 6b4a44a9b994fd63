#include "experiments/sweep/experiment.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "experiments/sweep/axes.h"
#include "experiments/sweep/config_keys.h"
#include "experiments/sweep/experiment_file.h"
#include "experiments/sweep/recipe_yaml.h"
#include "experiments/sweep/run_draft.h"
#include "experiments/sweep/run_id.h"
#include "experiments/sweep/validate.h"
#include "fitting/fit/observations.h"
#include "fitting/laws/law.h"
#include "simulators/train/trainer.h"

namespace bitlaw {
namespace {

const std::vector<std::string> kSections{"extends",    "experiment",     "title",      "task",  "corpus",
                                         "regression", "classification", "diffusion",  "model", "training",
                                         "precision",  "statistics",     "precisions", "sweep", "fits"};
const std::vector<std::string> kAboutNoRun{"experiment", "title", "precisions", "sweep", "fits"};

bool is_one_of(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Whether a section gives runs their configuration. InputError for one that has no meaning at all.
bool describes_runs(const YamlNode& section) {
  const std::string first = section.key.substr(0, section.key.find('.'));
  if (!is_one_of(kSections, first)) refuse_key(section, "the file", kSections);
  return !is_one_of(kAboutNoRun, first);
}

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

/// Loads each run's data once.
class DataShelf {
 public:
  TaskData get(const RunDraft& draft) {
    const TrainConfig config = draft.resolved();
    const std::string key = key_of(config);
    if (const auto found = shelf_.find(key); found != shelf_.end()) return found->second;
    try {
      return shelf_.emplace(key, load_task_data(config)).first->second;
    } catch (const InputError& error) {
      throw InputError(draft.place(data_key(config)), error.what());
    }
  }

 private:
  static std::string key_of(const TrainConfig& config) {
    std::string key;
    for (const ConfigKey& row : config_keys()) {
      const bool data = row.name.starts_with("corpus.") || row.name.starts_with("classification.");
      if (data && row.used(config)) key += to_text(row.get(config)) + "\n";
    }
    return key;
  }

  /// The key that the blame falls on when data cannot be had.
  static std::string data_key(const TrainConfig& config) {
    if (config.task == TaskKind::Classification) {
      return config.classification.data == ClassificationConfig::Data::Gaussian ? "classification.data"
                                                                                : "classification.train_files";
    }
    return config.corpus.kind == CorpusSpec::Kind::Synthetic ? "corpus.kind" : "corpus.files";
  }

  std::map<std::string, TaskData> shelf_;
};

/// The run of a point, none where a rule leaves it out. Adds the keys that its values were given for to `given`.
std::optional<PlannedRun> plan_run(RunDraft draft, const SweepPoint& point, DataShelf& shelf,
                                   std::set<std::string>& given, Places places) {
  for (const YamlNode* value : point.values) draft.assign(*value, RunDraft::Stage::Sweep);
  for (const SweepRules* rules : point.rules) rules->set_conditional(draft);
  for (const SweepRules* rules : point.rules) rules->derive(draft);
  const TrainConfig config = draft.resolved();
  const auto keeps = [&](const SweepRules* rules) { return rules->keeps(config); };
  if (!std::all_of(point.rules.begin(), point.rules.end(), keeps)) return std::nullopt;
  PlannedRun run;
  for (const std::string& key : draft.given()) {
    given.insert(key);
    if (places == Places::Keep) run.places.emplace(key, draft.place(key).to_string());
  }
  run.data = shelf.get(draft);
  check_run(draft, run.data);
  run.config = draft.resolved();
  run.id = run_id(run.resolved());
  return run;
}

/// Keys among `given` of which two runs have different values, or one run has none.
std::vector<std::string> differing_keys(const std::vector<PlannedRun>& runs, const std::set<std::string>& given) {
  std::vector<std::string> differing;
  for (const std::string& key : given) {
    const std::string first = value_text(runs.front(), key);
    const auto differs = [&](const PlannedRun& run) { return value_text(run, key) != first; };
    if (std::any_of(runs.begin(), runs.end(), differs)) differing.push_back(key);
  }
  return differing;
}

std::string label_of(const PlannedRun& run, const std::vector<std::string>& differing) {
  std::vector<std::string> parts;
  for (const std::string& key : differing) {
    const std::string value = value_text(run, key);
    if (value != "-") parts.push_back(fmt::format("{}={}", short_name(key, differing), value));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

void check_distinct(const Experiment& experiment, const SourceLocation& place) {
  std::map<std::string, std::size_t> seen;
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

/// Everything that a fit could refuse after hours of training, tried on what is known before.
void check_fits(const Experiment& experiment) {
  std::vector<RunRecord> records;
  for (const PlannedRun& run : experiment.runs) records.push_back(planned_record(run));
  std::set<std::string> names;
  for (const FitSpec& spec : experiment.fits) {
    for (const FitGroup& group : fit_groups(spec, records)) {
      if (!names.insert(group.name).second) {
        throw InputError(spec.place, fmt::format("two fits are called '{}', so one would overwrite the other; give one "
                                                 "a name",
                                                 group.name));
      }
      try {
        for (const std::size_t i : group.runs) law_inputs(law_of(spec), records[i]);
      } catch (const InputError& error) {
        throw InputError(spec.place, error.what());
      }
    }
  }
}

}  // namespace

Experiment plan_experiment(const std::filesystem::path& file, const std::vector<std::string>& overrides,
                           Places places) {
  const auto [root, text] = read_experiment_file(file, overrides);
  Experiment experiment;
  experiment.yaml = text;
  experiment.name = name_in(root);
  if (const YamlNode* title = root.find("title")) experiment.title = text_in(*title, "title");

  const YamlNode* precisions = root.find("precisions");
  const auto recipes = precisions == nullptr ? std::map<std::string, Recipe>{} : recipes_in(*precisions);
  RunDraft base(file.string(), recipes);
  for (const YamlNode& section : root.children) {
    if (describes_runs(section)) base.assign(section, RunDraft::Stage::File);
  }

  const YamlNode* sweep = root.find("sweep");
  DataShelf shelf;
  std::set<std::string> given;
  const Sweep points(sweep, experiment.name, recipes);
  for (const SweepPoint& point : points.points()) {
    if (auto run = plan_run(base, point, shelf, given, places)) experiment.runs.push_back(std::move(*run));
  }
  experiment.left_out = points.points().size() - experiment.runs.size();
  if (experiment.runs.empty()) {
    throw InputError(sweep->key_place, fmt::format("include and exclude leave none of the {} points of sweep '{}', so "
                                                   "it would run nothing; loosen a condition",
                                                   experiment.left_out, experiment.name));
  }
  experiment.differing = differing_keys(experiment.runs, given);
  for (PlannedRun& run : experiment.runs) run.label = label_of(run, experiment.differing);
  check_distinct(experiment, sweep == nullptr ? root.place : sweep->key_place);
  if (const YamlNode* fits = root.find("fits")) experiment.fits = fit_specs_in(*fits);
  check_fits(experiment);
  return experiment;
}

std::string short_name(const std::string& key, const std::vector<std::string>& keys) {
  const auto last_word = [](const std::string& k) { return k.substr(k.rfind('.') + 1); };
  const std::string name = last_word(key);
  const bool shared = std::any_of(keys.begin(), keys.end(),
                                  [&](const std::string& other) { return other != key && last_word(other) == name; });
  return shared ? key : name;
}

std::string value_text(const PlannedRun& run, const std::string& key) {
  if (key == "precision") return run.config.recipe.name;
  const ConfigKey* row = find_config_key(key);
  return row != nullptr && row->used(run.config) ? to_text(row->get(run.config)) : "-";
}

RunRecord planned_record(const PlannedRun& run) {
  RunRecord record = untrained_record(run.config, run.data);
  record.run_id = run.id;
  record.config = run.resolved();
  return record;
}

}  // namespace bitlaw
