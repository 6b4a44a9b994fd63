#include "experiments/sweep/run_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "experiments/sweep/recipe_yaml.h"

namespace bitlaw {
namespace {

const std::vector<std::string> kSections{"extends",        "experiment", "title", "task",     "corpus",    "regression",
                                         "classification", "diffusion",  "model", "training", "precision", "statistics",
                                         "stop",           "precisions", "sweep", "fits"};
const std::vector<std::string> kAboutNoRun{"experiment", "title", "precisions", "sweep", "fits"};

bool is_one_of(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Whether a section gives runs their configuration. InputError for one that has no meaning at all.
bool describes_runs(const YamlNode& section) {
  const std::string first = section.key.substr(0, section.key.find('.'));
  if (!is_one_of(kSections, first)) refuse_key(section, "the file", kSections);
  const bool about_runs = !is_one_of(kAboutNoRun, first);
  if (!about_runs && section.key != first) {
    throw InputError(section.key_place, fmt::format("key '{}' is not one of a run's, which alone may be written with "
                                                    "dots, so its value would be ignored; write it inside of '{}'",
                                                    section.key, first));
  }
  return about_runs;
}

std::map<std::string, Recipe> recipes_of(const YamlNode& root) {
  const YamlNode* precisions = root.find("precisions");
  return precisions == nullptr ? std::map<std::string, Recipe>{} : recipes_in(*precisions);
}

RunDraft base_of(const std::string& file, const YamlNode& root, const std::map<std::string, Recipe>& recipes) {
  RunDraft base(file, recipes);
  for (const YamlNode& section : root.children) {
    if (describes_runs(section)) base.assign(section, RunDraft::Stage::File);
  }
  return base;
}

}  // namespace

RunSource::RunSource(const std::filesystem::path& file, YamlNode root, const std::string& name)
    : root_(std::move(root)),
      recipes_(recipes_of(root_)),
      base_(base_of(file.string(), root_, recipes_)),
      sweep_(root_.find("sweep"), name, recipes_) {}

std::optional<RunDraft> RunSource::draft(std::size_t point) const {
  const SweepPoint& chosen = sweep_.points()[point];
  RunDraft draft(&base_);
  for (const YamlNode* value : chosen.values) draft.assign(*value, RunDraft::Stage::Sweep);
  if (chosen.rules.empty()) return draft;
  const std::lock_guard lock(mutex_);
  for (const SweepRules* rules : chosen.rules) rules->set_conditional(draft);
  for (const SweepRules* rules : chosen.rules) rules->derive(draft);
  const TrainConfig config = draft.resolved();
  const auto keeps = [&](const SweepRules* rules) { return rules->keeps(config); };
  if (!std::all_of(chosen.rules.begin(), chosen.rules.end(), keeps)) return std::nullopt;
  return draft;
}

std::shared_ptr<const TaskData> RunSource::data(const RunDraft& draft, const TrainConfig& config) const {
  const std::lock_guard lock(mutex_);
  return shelf_.get(draft, config);
}

}  // namespace bitlaw
