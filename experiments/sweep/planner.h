#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "experiments/sweep/experiment.h"

namespace bitlaw {

/// The runs of a sweep, in its order, each checked by itself, and the keys in which they differ.
struct PlannedPoints {
  std::vector<PlannedRun> runs;
  std::set<std::string> warnings;      ///< of single runs
  std::vector<std::string> differing;  ///< as of Experiment
};

/// Plans every point of the source that its rules keep, on all cores. InputError for what is wrong with a run: the
/// first in the sweep's order.
PlannedPoints plan_points(const std::shared_ptr<const RunSource>& source);

}  // namespace bitlaw
