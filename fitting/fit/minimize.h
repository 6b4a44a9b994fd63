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

/// `minimum` after undamped Gauss-Newton steps over the parameters that are neither fixed nor on a bound, for as long
/// as each at least halves what the linear model still promises.
///
/// minimize() ends when the objective no longer falls. In a flat valley that is early: the sum is known to some 1e-12
/// of itself, its slope much better, and the first, damped steps of a trust region are too short to show. Here the
/// measure is Bates and Watts' (1981, doi 10.1080/00401706.1981.10486269): the residuals' part in the tangent plane,
/// which does not depend on coordinates. Where residuals bend more than the model, as under a small Huber threshold,
/// the first step does not halve it, and nothing changes.
Minimum polish(const Objective& objective, Minimum minimum, std::vector<bool> fixed);

}  // namespace bitlaw
