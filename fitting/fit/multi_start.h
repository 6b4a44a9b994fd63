#pragma once

#include <cstddef>
#include <vector>

#include "fitting/fit/minimize.h"

namespace bitlaw {

/// Where a multi-start looks for starting points.
enum class Search {
  Automatic,   ///< Projection where the law is affine in a free parameter; else Grid, or Sobol if that is too large
  Grid,        ///< every point of the law's start grid
  Projection,  ///< every point of the grid of the other parameters, the affine ones solved for by least squares
  Sobol,       ///< quasi-random points of the box around the law's starts, affine parameters solved for
};

struct SearchOptions {
  Search search = Search::Automatic;
  int keep = 24;            ///< points that are minimized from
  int sobol_points = 1024;  ///< a power of two is best
  bool halving = false;  ///< minimize from all kept points for a few steps, then go on with the better half, and again
  int threads = 1;       ///< the result does not depend on it
};

/// The best of many local minima. Where the objective is finite at no starting point there is none: `refined` is 0 and
/// `best` has an infinite cost and no coordinates.
struct MultiStart {
  Minimum best;
  std::size_t screened = 0;  ///< points where the objective was evaluated
  int refined = 0;           ///< of these, minimized from to the end
  int agreeing = 0;          ///< of these, ended within 1e-6 relative of the best cost
};

/// Minimizes from the most promising starting points; the best is refined again to the last digit.
///
/// Of the points of a full Grid, only the best coefficients stay for each combination of exponents (parameters with the
/// identity transform), so that those kept lie in different valleys. Solving for the affine parameters is variable
/// projection (Golub & Pereyra 1973) at the grid's points only: relative residuals where the objective has log ones.
/// fixed [p]: parameters held at `values` [p], fitted coordinates.
MultiStart multi_start(const Objective& objective, const std::vector<bool>& fixed, const std::vector<double>& values,
                       const SearchOptions& options = {});

/// The scale s and the parameters that together minimize an objective that has_scale(), from `start` (fitted
/// coordinates): a line search in log s, the parameters minimized at each.
struct ScaledMinimum {
  Minimum minimum;
  double scale = 1;
};
ScaledMinimum minimize_with_scale(const Objective& objective, const std::vector<double>& start,
                                  const std::vector<bool>& fixed);

}  // namespace bitlaw
