#pragma once

#include <span>
#include <string>
#include <vector>

namespace bitlaw {

/// The losses of one run; x [point] ascending, the part of training that is done, 1 at its end.
struct LossCurve {
  std::vector<double> x, loss;

  /// Interpolated linearly; before the first point and after the last, theirs.
  double at(double x) const;
};

/// The runs of one size, or of whatever else differs, that differ in their seeds alone.
struct CurveGroup {
  std::string name;
  std::vector<LossCurve> seeds;
};

/// How far normalized curves are from one curve, at one x.
struct CollapsePoint {
  double x = 0;
  double spread = 0;  ///< Delta: standard deviation over groups of l(x), one run of each, over its mean
  double noise = 0;   ///< sigma: standard deviation of L(x) over seeds over L(x) - L_0, root mean square over groups
};

/// Qiu et al. 2025, arXiv:2507.02119, Section 3: l(x) = (L(x) - L_0) / (L(1) - L_0), each run by its own last loss.
/// Curves collapse where the spread is small; below the noise that is supercollapse.
struct Collapse {
  std::vector<CollapsePoint> points;
  double mean_spread = 0, mean_noise = 0;  ///< over points; the noise is NaN where no group has two seeds
  double below_noise = 0;                  ///< share of the points; NaN likewise
};

/// At `count` places from x = `from` on, evenly, without x = 1, where all are 1. At least two groups; each run's last
/// loss above `irreducible`, L_0.
Collapse collapse_of(std::span<const CurveGroup> groups, double irreducible, double from, int count);

}  // namespace bitlaw
