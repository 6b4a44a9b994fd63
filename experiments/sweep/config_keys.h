#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/record/run_record.h"
#include "experiments/sweep/yaml_node.h"
#include "simulators/train/train_config.h"

namespace bitlaw {

/// One key that decides a run's bits: a row of the table that YAML, run ids, derived values and result files share.
struct ConfigKey {
  enum class Type {
    Integer,
    Real,
    Text
  };
  std::string name;  ///< with dots, e.g. "model.width"
  Type type = Type::Integer;
  std::function<ConfigValue(const TrainConfig&)> get;
  /// InputError at the node when it is of another type or out of range.
  std::function<void(TrainConfig&, const YamlNode&)> set;
  /// Whether the value means something beside the others: corpus.order does for a synthetic corpus only.
  std::function<bool(const TrainConfig&)> used;
  bool takes_list = false;  ///< whether its value may be a list, which for other keys is an axis of a sweep
};

/// All keys but `precision`, whose recipes have a language of their own (recipe_yaml.h).
const std::vector<ConfigKey>& config_keys();

/// The key of this name, or null.
const ConfigKey* find_config_key(std::string_view name);

/// The values that a file starts from: TrainConfig's own, and as many key and value heads as heads.
TrainConfig default_config();

/// Values that stand for others made explicit: kv_heads 0 and ffn 0 become what they mean.
void resolve_defaults(TrainConfig& config);

/// Shortest text that reads back as the same value; the form in run ids and plans.
std::string to_text(const ConfigValue& value);

}  // namespace bitlaw
