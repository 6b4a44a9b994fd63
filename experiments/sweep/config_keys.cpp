#include "experiments/sweep/config_keys.h"

#include <fmt/format.h>

#include <type_traits>
#include <unordered_map>

#include "experiments/sweep/key_rows.h"

namespace bitlaw {
namespace {

std::vector<ConfigKey> make_keys() {
  std::vector<ConfigKey> keys;
  for (std::vector<ConfigKey> rows : {task_keys(), corpus_keys(), model_keys(), training_keys()}) {
    keys.insert(keys.end(), rows.begin(), rows.end());
  }
  return keys;
}

}  // namespace

const std::vector<ConfigKey>& config_keys() {
  static const std::vector<ConfigKey> keys = make_keys();
  return keys;
}

const ConfigKey* find_config_key(std::string_view name) {
  static const std::unordered_map<std::string_view, const ConfigKey*> by_name = [] {
    std::unordered_map<std::string_view, const ConfigKey*> rows;
    for (const ConfigKey& key : config_keys()) rows.emplace(key.name, &key);
    return rows;
  }();
  const auto found = by_name.find(name);
  return found == by_name.end() ? nullptr : found->second;
}

TrainConfig default_config() {
  TrainConfig config;
  config.model.kv_heads = 0;
  return config;
}

void resolve_defaults(TrainConfig& config) {
  if (config.model.kv_heads == 0) config.model.kv_heads = config.model.heads;
  config.model.ffn = config.model.ffn_width();
}

std::string to_text(const ConfigValue& value) {
  return std::visit(
      [](const auto& v) {
        if constexpr (std::is_same_v<std::decay_t<decltype(v)>, std::string>) return v;
        return fmt::format("{}", v);
      },
      value);
}

}  // namespace bitlaw
