#pragma once

#include <string>
#include <vector>

#include "fitting/fit/objective.h"

namespace bitlaw {

/// Where a local minimization ended.
struct Minimum {
  std::vector<double> fitted;  ///< [p]
  double cost = 0;             ///< the objective there
  bool converged = false;
  std::string status;  ///< the solver's words
};

/// When to stop.
struct Stopping {
  double relative_decrease = 1e-15;  ///< of the objective in one iteration
  int iterations = 1000;
};

/// The local minimum reached from `start` (fitted coordinates) within the law's bounds; `fixed` [p] parameters stay.
Minimum minimize(const Objective& objective, std::vector<double> start, const std::vector<bool>& fixed,
                 const Stopping& stopping = {});

}  // namespace bitlaw
