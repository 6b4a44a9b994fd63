#include "experiments/sweep/run_id.h"

#include <fmt/format.h>

#include "core/base/fingerprint.h"
#include "experiments/sweep/config_keys.h"
#include "experiments/sweep/recipe_yaml.h"
#include "experiments/sweep/slot_yaml.h"

namespace bitlaw {

std::map<std::string, ConfigValue> resolved_values(const TrainConfig& config, const TaskData& data) {
  std::map<std::string, ConfigValue> values;
  for (const ConfigKey& key : config_keys()) {
    if (key.used(config)) values.emplace(key.name, key.get(config));
  }
  values.emplace("precision", config.recipe.name);
  for (std::size_t i = 0; i < config.recipe.base.slots.size(); ++i) {
    values.emplace(fmt::format("precision.{}", kSlotNames[i]), to_text(config.recipe.base.slots[i]));
  }
  for (std::size_t i = 0; i < config.recipe.rules.size(); ++i) {
    values.emplace(fmt::format("precision.rule{}", i + 1), to_text(config.recipe.rules[i]));
  }
  values.emplace("corpus.fingerprint", data.fingerprint);
  return values;
}

std::string run_id(const std::map<std::string, ConfigValue>& resolved) {
  std::string text = fmt::format("numerics={}\n", kNumericalEpoch);
  for (const auto& [key, value] : resolved) {
    if (key != "precision" && key != "corpus.files") text += fmt::format("{}={}\n", key, to_text(value));
  }
  return fingerprint(text);
}

}  // namespace bitlaw
