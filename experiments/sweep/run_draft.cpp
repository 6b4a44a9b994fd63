#include "experiments/sweep/run_draft.h"

#include <fmt/format.h>
#include <muParser.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/closest.h"
#include "experiments/sweep/config_keys.h"
#include "experiments/sweep/recipe_yaml.h"
#include "simulators/train/task_factory.h"

namespace bitlaw {
namespace {

bool is_group(const std::string& name) {
  return std::any_of(config_keys().begin(), config_keys().end(),
                     [&](const ConfigKey& key) { return key.name.starts_with(name + "."); });
}

/// What may stand below `group`: the next word of every key, or all whole keys where they are spelt with dots.
std::vector<std::string> known_below(const std::string& group, bool whole) {
  const std::string prefix = group.empty() ? "" : group + ".";
  std::vector<std::string> names;
  for (const ConfigKey& key : config_keys()) {
    if (!key.name.starts_with(prefix)) continue;
    const std::string rest = key.name.substr(prefix.size());
    const std::string name = whole ? rest : rest.substr(0, rest.find('.'));
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  if (group.empty()) names.emplace_back("precision");
  if (group == "statistics") names.emplace_back("shadows");
  return names;
}

std::string variable_name(std::string key) {
  std::replace(key.begin(), key.end(), '.', '_');
  return key;
}

std::map<std::string, double> variables(const TrainConfig& config) {
  std::map<std::string, double> values;
  if (const auto params = params_without_data(config)) values.emplace("params", static_cast<double>(*params));
  for (const ConfigKey& key : config_keys()) {
    const ConfigValue value = key.get(config);
    if (const auto* whole = std::get_if<std::int64_t>(&value)) {
      values.emplace(variable_name(key.name), static_cast<double>(*whole));
    } else if (const auto* real = std::get_if<double>(&value)) {
      values.emplace(variable_name(key.name), *real);
    }
  }
  return values;
}

double evaluate(const YamlNode& node, const std::string& formula, const std::map<std::string, double>& values) {
  std::vector<std::string> names;
  try {
    mu::Parser parser;
    for (const auto& [name, value] : values) {
      parser.DefineConst(name, value);
      names.push_back(name);
    }
    parser.SetExpr(formula);
    return parser.Eval();
  } catch (const mu::Parser::exception_type& error) {
    std::string reason = error.GetMsg();
    while (!reason.empty() && (reason.back() == '.' || reason.back() == ' ')) reason.pop_back();
    throw InputError(node.place, fmt::format("formula '{}' for {} cannot be evaluated ({}); {}", formula, node.key,
                                             reason, remedy(error.GetToken(), names, "it may use numbers and")));
  }
}

}  // namespace

RunDraft::RunDraft(std::string file, const std::map<std::string, Recipe>& recipes)
    : config_(default_config()), file_(std::move(file)), recipes_(&recipes) {}

void RunDraft::note_origin(const std::string& key, const YamlNode& node, Stage stage) {
  const auto found = origins_.find(key);
  if (found != origins_.end()) {
    const auto& [place, earlier] = found->second;
    const bool fixed = place.file.starts_with("--set");  // what was typed must not be ignored
    if (earlier == stage || (earlier == Stage::Sweep && stage == Stage::Derived) || fixed) {
      throw InputError(node.place, fmt::format("{} is given a second value here (the first: {}), so one of the two "
                                               "would be ignored; keep one",
                                               key, place.to_string()));
    }
  }
  origins_.insert_or_assign(key, Origin{node.place, stage});
}

void RunDraft::assign(const YamlNode& node, Stage stage, const std::string& group) {
  const std::string name = group.empty() ? node.key : group + "." + node.key;
  if (name == "precision") {
    note_origin(name, node, stage);
    if (stage == Stage::Sweep && node.kind == YamlNode::Kind::Map) {
      throw InputError(node.place,
                       "this precision has no name, so results could not tell it from others; describe it "
                       "under 'precisions' and list its name here");
    }
    config_.recipe = recipe_in(node, *recipes_);
  } else if (name == "statistics.shadows") {
    note_origin(name, node, stage);
    config_.statistics.shadows.clear();
    for (const YamlNode& shadow : list_in(node, name)) {
      config_.statistics.shadows.push_back(recipe_in(shadow, *recipes_));
    }
  } else if (const ConfigKey* key = find_config_key(name)) {
    note_origin(name, node, stage);
    key->set(config_, node);
  } else if (is_group(name)) {
    groups_.insert_or_assign(name, node.key_place);
    for (const YamlNode& child : map_in(node, name)) assign(child, stage, name);
  } else {
    const bool whole = stage != Stage::File || node.key.find('.') != std::string::npos;
    const std::string where = !group.empty() ? group : stage == Stage::File ? "the file" : "the sweep";
    refuse_key(node, where, known_below(group, whole && group.empty()));
  }
}

void RunDraft::derive(const YamlNode& node) {
  const ConfigKey* key = find_config_key(node.key);
  if (key == nullptr) refuse_key(node, "sweep.derive", known_below("", /*whole=*/true));
  if (key->type == ConfigKey::Type::Text) {
    throw InputError(node.key_place, fmt::format("{} is a word, so no formula can give it; put its values under "
                                                 "sweep.grid or sweep.zip",
                                                 node.key));
  }
  const std::string formula = text_in(node, node.key);
  double value = evaluate(node, formula, variables(resolved()));
  if (key->type == ConfigKey::Type::Integer) value = std::round(value);
  YamlNode result = node;
  result.text = std::isfinite(value) ? fmt::format("{}", value) : fmt::format("{} ({})", value, formula);
  assign(result, Stage::Derived);
}

TrainConfig RunDraft::resolved() const {
  TrainConfig config = config_;
  resolve_defaults(config);
  return config;
}

SourceLocation RunDraft::place(const std::string& key) const {
  if (const auto found = origins_.find(key); found != origins_.end()) return found->second.place;
  for (auto dot = key.rfind('.'); dot != std::string::npos && dot > 0; dot = key.rfind('.', dot - 1)) {
    if (const auto group = groups_.find(key.substr(0, dot)); group != groups_.end()) return group->second;
  }
  return {.file = file_};
}

std::vector<std::string> RunDraft::given() const {
  std::vector<std::string> keys;
  for (const auto& [key, origin] : origins_) keys.push_back(key);
  return keys;
}

}  // namespace bitlaw
