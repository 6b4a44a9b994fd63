#include "experiments/sweep/sweep_rules.h"

#include <fmt/format.h>

#include <algorithm>

namespace bitlaw {
namespace {

/// One formula or a list of them.
void read_conditions(const YamlNode* node, const std::string& name, const std::map<std::string, Recipe>& recipes,
                     std::deque<Formula>& conditions) {
  if (node == nullptr) return;
  if (node->kind == YamlNode::Kind::Scalar) {
    conditions.emplace_back(*node, name, recipes);
    return;
  }
  for (const YamlNode& condition : list_in(*node, name)) conditions.emplace_back(condition, name, recipes);
}

bool one_holds(const std::deque<Formula>& conditions, const TrainConfig& config) {
  return std::any_of(conditions.begin(), conditions.end(),
                     [&](const Formula& condition) { return condition.holds(config); });
}

}  // namespace

SweepRules::SweepRules(const YamlNode& sweep, const std::map<std::string, Recipe>& recipes) {
  if (const YamlNode* when = sweep.find("when")) {
    for (const YamlNode& node : list_in(*when, "sweep.when")) {
      map_in(node, "a case of sweep.when");
      const YamlNode* condition = node.find("if");
      if (condition == nullptr) {
        throw InputError(node.place,
                         "this case of sweep.when has no 'if', so it would always hold; add if: with a condition, or "
                         "write its values into the file itself");
      }
      cases_.emplace_back(node, *condition, recipes);
    }
  }
  if (const YamlNode* derive = sweep.find("derive")) {
    for (const YamlNode& node : map_in(*derive, "sweep.derive")) {
      check_derivable(node);
      derived_.emplace_back(node, recipes);
    }
  }
  read_conditions(sweep.find("include"), "sweep.include", recipes, include_);
  read_conditions(sweep.find("exclude"), "sweep.exclude", recipes, exclude_);
}

void SweepRules::set_conditional(RunDraft& draft) const {
  for (const Case& rule : cases_) {
    if (!rule.formula.holds(draft.resolved())) continue;
    for (const YamlNode& value : rule.values->children) {
      if (value.key != "if") draft.assign(value, RunDraft::Stage::When);
    }
  }
}

void SweepRules::derive(RunDraft& draft) const {
  for (const Derived& rule : derived_) draft.derive(*rule.key, rule.formula);
}

std::vector<std::string> SweepRules::warnings() const {
  std::vector<std::string> warnings;
  const auto warn = [&](const Formula& condition, const char* part, const char* effect) {
    if (condition.has_held()) return;
    warnings.push_back(fmt::format("{}: sweep.{}: '{}' {}; correct it or delete it", condition.place().to_string(),
                                   part, condition.text(), effect));
  };
  for (const Case& rule : cases_) warn(rule.formula, "when", "holds for no point, so its values reach no run");
  for (const Formula& condition : include_) {
    warn(condition, "include", "takes in no point beyond those of the conditions before it");
  }
  for (const Formula& condition : exclude_) {
    warn(condition, "exclude", "leaves out no point beyond those of the conditions before it");
  }
  return warnings;
}

bool SweepRules::keeps(const TrainConfig& config) const {
  return (include_.empty() || one_holds(include_, config)) && !one_holds(exclude_, config);
}

}  // namespace bitlaw
