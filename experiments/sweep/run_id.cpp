#include "experiments/sweep/run_id.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <iterator>
#include <utility>

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

/// Whether a key's value is the name of a file, whose content counts in its stead.
bool is_file(std::string_view key) {
  return key == "training.start_from" || key == "training.schedule.file" || key.ends_with("files");
}

bool may_need_more_bits(const StorageFormat& format) {
  return !format.is_float32() && Rounding(format.rounding).may_need_more_bits();
}

bool may_need_more_bits(const SlotSpec& slot) { return slot.block && slot.rounding.may_need_more_bits(); }

bool may_need_more_bits(const Recipe& recipe) {
  const auto does = [](const std::optional<SlotSpec>& slot) { return slot && may_need_more_bits(*slot); };
  const auto rule_does = [&](const RecipeRule& rule) {
    return std::any_of(rule.slots.begin(), rule.slots.end(), does);
  };
  return std::any_of(recipe.base.slots.begin(), recipe.base.slots.end(), does) ||
         std::any_of(recipe.rules.begin(), recipe.rules.end(), rule_does);
}

/// Whether two values are written alike, zeros of either sign and NaN included.
bool is_same(const std::optional<ConfigValue>& a, const std::optional<ConfigValue>& b) {
  const auto bits = [](const std::optional<ConfigValue>& value) {
    return std::bit_cast<std::uint64_t>(std::get<double>(*value));
  };
  const auto is_real = [](const std::optional<ConfigValue>& value) {
    return value && std::holds_alternative<double>(*value);
  };
  return is_real(a) && is_real(b) ? bits(a) == bits(b) : a == b;
}

}  // namespace

int numerical_epoch(const TrainConfig& config) {
  const OptimizerConfig& kept = config.optimizer;
  const auto& shadows = config.statistics.shadows;
  const bool may =
      may_need_more_bits(config.recipe) || may_need_more_bits(kept.weights) || may_need_more_bits(kept.moment1) ||
      may_need_more_bits(kept.moment2) ||
      std::any_of(shadows.begin(), shadows.end(), [](const Recipe& shadow) { return may_need_more_bits(shadow); });
  return may ? kEpochOfManyRandomBits : kEpochOfAllRuns;
}

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

RunIds::RunIds() {
  for (const ConfigKey& key : config_keys()) {
    const auto dot = key.name.rfind('.');
    const std::string section = dot == std::string::npos ? "" : key.name.substr(0, dot);
    const auto found = std::find(names_.begin(), names_.end(), section);
    section_of_key_.push_back(static_cast<std::size_t>(found - names_.begin()));
    if (found == names_.end()) names_.push_back(section);
    counts_.push_back(!is_file(key.name));
  }
  names_.insert(names_.end(), {"precision", "statistics.shadows", "training.files"});
  values_.resize(config_keys().size());
  texts_.resize(names_.size());
  digests_.resize(names_.size());
}

const std::string& RunIds::text_of(const Recipe& recipe) {
  const auto same = [&](const auto& known) {
    return known.first.name == recipe.name && known.first.base == recipe.base && known.first.rules == recipe.rules;
  };
  if (const auto found = std::find_if(recipes_.begin(), recipes_.end(), same); found != recipes_.end()) {
    return found->second;
  }
  std::map<std::string, ConfigValue> values;
  add_recipe(values, "", recipe);
  std::string text;
  for (const auto& [key, value] : values) {
    if (!key.empty()) text += fmt::format("{}={}\n", key, to_text(value));
  }
  return recipes_.emplace_back(recipe, text).second;
}

void RunIds::read_section(std::size_t section, std::string&& text) {
  if (text == texts_[section]) return;
  digests_[section] = text.empty() ? "" : fingerprint(text);
  texts_[section] = std::move(text);
}

std::vector<bool> RunIds::changed_sections(const TrainConfig& config) {
  std::vector<bool> changed(names_.size());
  for (std::size_t k = 0; k < config_keys().size(); ++k) {
    const ConfigKey& key = config_keys()[k];
    std::optional<ConfigValue> value;
    if (counts_[k] && key.used(config)) value = key.get(config);
    if (is_same(value, values_[k])) continue;
    values_[k] = std::move(value);
    changed[section_of_key_[k]] = true;
  }
  return changed;
}

void RunIds::read(const TrainConfig& config) {
  const std::vector<bool> changed = changed_sections(config);
  std::vector<std::string> texts(names_.size());
  for (std::size_t k = 0; k < config_keys().size(); ++k) {
    if (!changed[section_of_key_[k]] || !values_[k]) continue;
    fmt::format_to(std::back_inserter(texts[section_of_key_[k]]), "{}={}\n", config_keys()[k].name,
                   to_text(*values_[k]));
  }
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (changed[i]) read_section(i, std::move(texts[i]));
  }

  epoch_ = numerical_epoch(config);
  const std::size_t recipe = names_.size() - 3;  // the first of the sections that are no keys of a table
  std::string shadows, files;
  for (const Recipe& shadow : config.statistics.shadows) shadows += "shadow\n" + text_of(shadow);
  if (!config.start_from.empty()) files += fmt::format("start_from={}\n", config.start_fingerprint);
  if (config.schedule.kind == ScheduleKind::File) {
    files += fmt::format("schedule={}\n", schedule_fingerprint(config.schedule));
  }
  read_section(recipe, std::string(text_of(config.recipe)));
  read_section(recipe + 1, std::move(shadows));
  read_section(recipe + 2, std::move(files));
}

std::string RunIds::id(const std::string& data_fingerprint) const {
  std::string text = fmt::format("numerics={}\ndata={}\n", epoch_, data_fingerprint);
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (!digests_[i].empty()) text.append(names_[i]).append("=").append(digests_[i]).append("\n");
  }
  return fingerprint(text);
}

std::string run_id(const TrainConfig& config, const TaskData& data) {
  RunIds ids;
  ids.read(config);
  return ids.id(data.fingerprint);
}

}  // namespace bitlaw
