#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "experiments/sweep/sweep_rules.h"
#include "experiments/sweep/yaml_node.h"

namespace bitlaw {

/// What a sweep gives one run.
struct SweepPoint {
  std::vector<const YamlNode*> values;   ///< with their keys
  std::vector<const SweepRules*> rules;  ///< that hold for it, those of the innermost group first
};

/// The points of a file's `sweep`, expanded.
///
///     sweep  = {zip?, list?, grid?, groups?, seeds?, when?, derive?, include?, exclude?}
///     points = rows of zip x rows of list x product of grid's axes x (group 1 + group 2 + ...) x seeds
///
/// The last of these varies fastest. zip: axes of equal length that are walked together. list: maps of values. grid:
/// axes that are crossed. groups: sweeps, nested to any depth, whose points follow each other. seeds: a count n for
/// 0 .. n - 1, or a list, for the key training.seed. The rest is SweepRules. A sweep of none has one point.
class Sweep {
 public:
  /// `node` may be null and outlives the sweep; `name` is the experiment's, for messages. InputError for an axis
  /// without values, zip axes of unequal length, more than a million points.
  Sweep(const YamlNode* node, const std::string& name, const std::map<std::string, Recipe>& recipes);
  Sweep(const Sweep&) = delete;  // points refer to it
  Sweep& operator=(const Sweep&) = delete;

  const std::vector<SweepPoint>& points() const { return points_; }

  /// SweepRules::warnings() of all its rules.
  std::vector<std::string> warnings() const;

 private:
  std::vector<SweepPoint> expand(const YamlNode& sweep);
  std::vector<SweepPoint> axis(const YamlNode& axis);
  std::vector<SweepPoint> zipped(const YamlNode& zip);
  std::vector<SweepPoint> listed(const YamlNode& list);
  std::vector<SweepPoint> joined(const YamlNode& groups);
  std::vector<SweepPoint> seeds(const YamlNode& seeds, std::size_t times);  ///< `times` runs for each of them

  std::string name_;
  const std::map<std::string, Recipe>& recipes_;
  std::deque<YamlNode> values_;  ///< of axes, each with its axis's key
  std::deque<SweepRules> rules_;
  std::vector<SweepPoint> points_;
};

}  // namespace bitlaw
