#pragma once

#include <string>
#include <vector>

#include "experiments/sweep/yaml_node.h"

namespace bitlaw {

/// What a sweep gives one run: values with their keys.
using SweepPoint = std::vector<YamlNode>;

/// The points of a file's `sweep`: (zip rows) x (product of the grid's axes) x (seeds), the last varying fastest.
///
/// zip: axes of equal length that are walked together. grid: axes that are crossed. seeds: a count n for 0 .. n - 1, or
/// a list, for the key training.seed. Without a sweep there is one point without values. `sweep` may be null;
/// `name` is the experiment's, for messages. InputError for an axis without values, zip axes of unequal length.
std::vector<SweepPoint> sweep_points(const YamlNode* sweep, const std::string& name);

}  // namespace bitlaw
