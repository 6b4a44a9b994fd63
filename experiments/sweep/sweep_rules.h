#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "experiments/sweep/formula.h"
#include "experiments/sweep/run_draft.h"

namespace bitlaw {

/// What a sweep, or one of its groups, says of all its points:
///
///     when:    [{if: "model_width >= 64", training.batch: 32}]   # values under a condition
///     derive:  {training.tokens: 20 * params}                    # values by formula
///     include: ["model_width == 32 or precision == 'mxfp4'"]     # only points for which one of these holds
///     exclude: ["model_width * model_layers > 512"]              # no points for which one of these holds
class SweepRules {
 public:
  /// `sweep` outlives the rules. InputError for a wrong form or formula.
  SweepRules(const YamlNode& sweep, const std::map<std::string, Recipe>& recipes);

  bool empty() const { return cases_.empty() && derived_.empty() && include_.empty() && exclude_.empty(); }

  /// `when`, in the file's order, each seeing what the ones before have set.
  void set_conditional(RunDraft& draft) const;
  /// `derive`, likewise.
  void derive(RunDraft& draft) const;
  /// `include` and `exclude`, of a resolved configuration.
  bool keeps(const TrainConfig& config) const;

  /// Once all points have been asked for: a warning for each rule that has had no effect.
  std::vector<std::string> warnings() const;

 private:
  struct Case {
    Case(const YamlNode& node, const YamlNode& condition, const std::map<std::string, Recipe>& recipes)
        : values(&node), formula(condition, "sweep.when", recipes) {}
    const YamlNode* values;  ///< a map of which `if` is the formula
    Formula formula;
  };
  struct Derived {
    Derived(const YamlNode& node, const std::map<std::string, Recipe>& recipes)
        : key(&node), formula(node, node.key, recipes) {}
    const YamlNode* key;
    Formula formula;
  };
  std::deque<Case> cases_;
  std::deque<Derived> derived_;
  std::deque<Formula> include_, exclude_;
};

}  // namespace bitlaw
