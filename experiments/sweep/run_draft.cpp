#include "experiments/sweep/run_draft.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "experiments/sweep/config_keys.h"
#include "experiments/sweep/recipe_yaml.h"

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

}  // namespace

RunDraft::RunDraft(std::string file, const std::map<std::string, Recipe>& recipes)
    : config_(default_config()), file_(std::move(file)), recipes_(&recipes) {}

RunDraft::RunDraft(const RunDraft* base)
    : base_(base), config_(base->config_), file_(base->file_), recipes_(base->recipes_) {}

const RunDraft::Origin* RunDraft::origin(const std::string& key) const {
  if (const auto found = origins_.find(key); found != origins_.end()) return &found->second;
  return base_ == nullptr ? nullptr : base_->origin(key);
}

void RunDraft::note_origin(const std::string& key, const YamlNode& node, Stage stage) {
  if (const Origin* found = origin(key)) {
    const auto& [place, earlier] = *found;
    const bool fixed = place.file.starts_with("--set");  // what was typed must not be ignored
    if (earlier != Stage::File || stage == Stage::File || fixed) {
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
    if (stage != Stage::File && node.kind == YamlNode::Kind::Map) {
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

void check_derivable(const YamlNode& node) {
  const ConfigKey* key = find_config_key(node.key);
  if (key == nullptr) refuse_key(node, "sweep.derive", known_below("", /*whole=*/true));
  if (key->type == ConfigKey::Type::Text) {
    throw InputError(node.key_place, fmt::format("{} is a word, so no formula can give it; put its values under "
                                                 "sweep.grid or sweep.zip",
                                                 node.key));
  }
}

void RunDraft::derive(const YamlNode& node, const Formula& formula) {
  double value = formula.value(resolved());
  if (find_config_key(node.key)->type == ConfigKey::Type::Integer) value = std::round(value);
  YamlNode result = node;
  result.text = std::isfinite(value) ? fmt::format("{}", value) : fmt::format("{} ({})", value, formula.text());
  assign(result, Stage::Derived);
}

TrainConfig RunDraft::resolved() const {
  TrainConfig config = config_;
  resolve_defaults(config);
  return config;
}

SourceLocation RunDraft::place(const std::string& key) const {
  if (const Origin* found = origin(key)) return found->place;
  for (auto dot = key.rfind('.'); dot != std::string::npos && dot > 0; dot = key.rfind('.', dot - 1)) {
    if (const auto group = groups_.find(key.substr(0, dot)); group != groups_.end()) return group->second;
  }
  return base_ == nullptr ? SourceLocation{.file = file_} : base_->place(key);
}

}  // namespace bitlaw
