#pragma once

#include <cstddef>
#include <vector>

#include "fitting/fit/minimize.h"

namespace bitlaw {

/// The best of many local minima.
struct MultiStart {
  Minimum best;
  std::size_t screened = 0;  ///< grid points where the objective was evaluated
  int refined = 0;           ///< of these, minimized from
  int agreeing = 0;          ///< of these, ended within 1e-6 relative of the best cost
};

/// Minimizes from the most promising points of the law's start grid.
///
/// Every grid point is evaluated. For each combination of exponents (parameters with the identity transform) only the
/// best coefficients stay, so that the `keep` points refined lie in different valleys; the best is refined again to the
/// last digit. fixed [p]: parameters held at `values` [p], fitted coordinates. The result does not depend on `threads`.
MultiStart multi_start(const HuberObjective& objective, const std::vector<bool>& fixed,
                       const std::vector<double>& values, int keep, int threads);

}  // namespace bitlaw
