#pragma once

#include <array>
#include <span>
#include <vector>

namespace bitlaw {

/// The curve through points (x_i, y_i): a cubic between neighbours, whose slopes at the points are means of the chords
/// beside them, each weighted by how much the chords on the other side bend. Akima 1970, doi:10.1145/321607.321609;
/// beyond the ends two chords are added as there. Where nothing bends on either side, the slope is the plain mean.
///
/// Follows a dip without the oscillations of a spline, and a point moves it only within three intervals.
class AkimaCurve {
 public:
  /// x [n] ascending, y [n], n >= 3.
  AkimaCurve(std::vector<double> x, std::vector<double> y);

  /// At any x; beyond the ends, the last cubic goes on.
  double operator()(double x) const;
  /// Where in [x_0, x_(n-1)] it is least: exactly, from the roots of the cubics' derivatives.
  double argmin() const;

 private:
  /// (c0, c1, c2, c3) of y = c0 + c1 h + c2 h^2 + c3 h^3, h = x - x_i.
  std::array<double, 4> cubic(std::size_t i) const;

  std::vector<double> x_, y_, slope_;
};

/// The best size of one compute budget.
struct IsoflopOptimum {
  double params = 0;    ///< N that minimizes the loss
  double loss = 0;      ///< there
  bool inside = false;  ///< false: the smallest or the largest N is the best, so the minimum was not reached
};

/// Of runs of one budget: log loss as an Akima curve of log N, and its minimum. Of runs of equal N the best counts.
/// Porian et al. 2024, arXiv:2406.19146, App. B, who look for it on a grid. At least three different N.
IsoflopOptimum isoflop_optimum(std::span<const double> params, std::span<const double> loss);

}  // namespace bitlaw
