#include "experiments/sweep/run_id.h"

#include <fmt/format.h>

#include "core/base/fingerprint.h"
#include "experiments/sweep/config_keys.h"
#include "experiments/sweep/recipe_yaml.h"
#include "experiments/sweep/slot_yaml.h"

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
  return values;
}

std::string run_id(const std::map<std::string, ConfigValue>& resolved) {
  std::string text = fmt::format("numerics={}\n", kNumericalEpoch);
  for (const auto& [key, value] : resolved) {
    if (key != "precision" && !key.ends_with("files")) text += fmt::format("{}={}\n", key, to_text(value));
  }
  return fingerprint(text);
}

}  // namespace bitlaw
