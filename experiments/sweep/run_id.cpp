#include "experiments/sweep/run_id.h"

#include <fmt/format.h>

#include "core/base/fingerprint.h"
#include "experiments/sweep/config_keys.h"
#include "experiments/sweep/recipe_yaml.h"
#include "experiments/sweep/slot_yaml.h"
#include "experiments/sweep/training_values.h"

namespace bitlaw {

namespace {

/// What a recipe does, under keys that begin with `prefix`.
void add_recipe(std::map<std::string, ConfigValue>& values, const std::string& prefix, const Recipe& recipe) {
  values.emplace(prefix, recipe.name);
  for (std::size_t i = 0; i < recipe.base.slots.size(); ++i) {
    values.emplace(fmt::format("{}.{}", prefix, kSlotNames[i]), to_text(recipe.base.slots[i]));
  }
  for (std::size_t i = 0; i < recipe.rules.size(); ++i) {
    values.emplace(fmt::format("{}.rule{}", prefix, i + 1), to_text(recipe.rules[i]));
  }
}

/// Whether a key's value is a name, whose content has a key of its own.
bool is_name(std::string_view key) {
  return key == "precision" || key == "training.start_from" || key == "training.schedule.file" ||
         key.ends_with("files");
}

}  // namespace

std::map<std::string, ConfigValue> resolved_values(const TrainConfig& config, const TaskData& data) {
  std::map<std::string, ConfigValue> values;
  for (const ConfigKey& key : config_keys()) {
    if (key.used(config)) values.emplace(key.name, key.get(config));
  }
  add_recipe(values, "precision", config.recipe);
  for (std::size_t i = 0; i < config.statistics.shadows.size(); ++i) {
    add_recipe(values, fmt::format("statistics.shadow{}", i + 1), config.statistics.shadows[i]);
  }
  values.emplace("corpus.fingerprint", data.fingerprint);
  if (!config.start_from.empty()) values.emplace("training.start_from.fingerprint", config.start_fingerprint);
  if (config.schedule.kind == ScheduleKind::File) {
    values.emplace("training.schedule.file.fingerprint", schedule_fingerprint(config.schedule));
  }
  return values;
}

std::string run_id(const std::map<std::string, ConfigValue>& resolved) {
  std::string text = fmt::format("numerics={}\n", kNumericalEpoch);
  for (const auto& [key, value] : resolved) {
    if (!is_name(key)) text += fmt::format("{}={}\n", key, to_text(value));
  }
  return fingerprint(text);
}

}  // namespace bitlaw
