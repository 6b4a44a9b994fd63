#include "fitting/uncertainty/profile.h"

#include <algorithm>
#include <boost/math/tools/toms748_solve.hpp>
#include <cmath>

#include "core/base/limits.h"
#include "fitting/fit/multi_start.h"

namespace bitlaw {
namespace {

constexpr int kDoublings = 6;  // of the first step, t standard errors, then leaps that reach the bound
constexpr int kLeaps = 6;
constexpr double kSteepest = 10;  // in units of the rise: more does not tell where the end is
constexpr double kEndTolerance = 1e-3;
constexpr double kHugeError = 100;   // fitted coordinates: a standard error beyond says that the parameter is undecided
constexpr double kFirstStep = 0.25;  // for those
constexpr int kElsewhere = 64;       // points from which other valleys are looked for beyond an end

/// The objective minimized with parameter j held, less its minimum and the rise: negative inside the interval.
class Rise {
 public:
  Rise(const Objective& objective, const std::vector<double>& optimum, std::vector<bool> fixed, std::size_t j,
       double rise)
      : objective_(objective), nearest_(optimum), fixed_(std::move(fixed)), j_(j) {
    fixed_[j] = true;
    allowed_ = objective.cost(optimum) + rise;
  }

  double operator()(double x) {
    std::vector<double> start = nearest_;
    start[j_] = x;
    const Minimum minimum =
        minimize(objective_, std::move(start), fixed_, {.relative_decrease = 1e-7, .iterations = 300});
    if (!std::isfinite(minimum.cost)) return kInfinity;  // the law has no value there
    nearest_ = minimum.fitted;
    return minimum.cost - allowed_;
  }

  /// The same where the others start all over their box: in another valley the objective may not have risen. Stays
  /// there when it is lower.
  double anywhere(double x, double known) {
    std::vector<double> values = nearest_;
    values[j_] = x;
    const MultiStart starts =
        multi_start(objective_, fixed_, values, {.search = Search::Sobol, .keep = 3, .sobol_points = kElsewhere});
    const double rise = starts.best.cost - allowed_;
    if (!(rise < known)) return known;
    nearest_ = starts.best.fitted;
    return rise;
  }

 private:
  const Objective& objective_;
  std::vector<double> nearest_;  ///< where the last minimization ended: the next one begins there
  std::vector<bool> fixed_;
  std::size_t j_;
  double allowed_;
};

/// Where the profile, `-risen` at the optimum, is zero between `inside` and `outside`, where it is negative and not.
double crossing(Rise& rise, double risen, double optimum, double inside, double at_inside, double outside,
                double at_outside) {
  const auto limited = [&](double value) { return std::min(value, kSteepest * risen); };
  const auto near_enough = [&](double a, double b) { return std::abs(b - a) <= kEndTolerance * std::abs(a - optimum); };
  const bool ascending = inside < outside;
  boost::uintmax_t evaluations = 40;
  const auto [a, b] =
      boost::math::tools::toms748_solve([&](double x) { return limited(rise(x)); }, ascending ? inside : outside,
                                        ascending ? outside : inside, limited(ascending ? at_inside : at_outside),
                                        limited(ascending ? at_outside : at_inside), near_enough, evaluations);
  return (a + b) / 2;
}

/// The end on the side of `bound`, looked for from `step` on; infinite when the profile has not risen at the bound.
double end_of(Rise rise, double risen, double optimum, double step, double bound) {
  const double room = std::abs(bound - optimum), sign = step > 0 ? 1 : -1;
  const double leap = std::max(2.0, std::pow(room / std::abs(std::ldexp(step, kDoublings)), 1.0 / kLeaps));
  double inside = optimum, at_inside = -risen, distance = std::abs(step);
  for (int steps = 0; sign * (bound - inside) > 0; ++steps) {
    const double outside = distance < room ? optimum + sign * distance : bound;
    double at_outside = rise(outside);
    if (at_outside >= 0) at_outside = rise.anywhere(outside, at_outside);
    if (at_outside >= 0) return crossing(rise, risen, optimum, inside, at_inside, outside, at_outside);
    inside = outside;
    at_inside = at_outside;
    distance *= steps < kDoublings ? 2 : leap;
  }
  return sign * kInfinity;
}

/// V_kk / (H^-1)_kk: the parameter's own, or where its variance says nothing the median of the others'; NaN if none
/// has.
double noise_of(const Covariance& covariance, std::size_t p, std::size_t j) {
  std::vector<double> ratios;
  for (std::size_t k = 0; k < p; ++k) {
    const double variance = covariance.matrix[k * p + k], curvature = covariance.inverse_curvature[k * p + k];
    if (!(variance > 0) || !(curvature > 0) || !(variance < kHugeError * kHugeError)) continue;
    if (k == j) return variance / curvature;
    ratios.push_back(variance / curvature);
  }
  if (ratios.empty()) return kNan;
  std::sort(ratios.begin(), ratios.end());
  return ratios[ratios.size() / 2];
}

}  // namespace

ProfileInterval profile_interval(const Objective& objective, const std::vector<double>& optimum,
                                 const std::vector<bool>& fixed, const Covariance& covariance, std::size_t j,
                                 double t) {
  const std::size_t p = optimum.size();
  const double noise = noise_of(covariance, p, j), error = std::sqrt(covariance.matrix[j * p + j]);
  if (!std::isfinite(noise * t)) return {kNan, kNan};
  const double rise = t * t * noise / 2;
  const double step = error > 0 && error < kHugeError ? t * error : kFirstStep;
  const LawParameter& parameter = objective.law().parameters()[j];
  const Rise profile(objective, optimum, fixed, j, rise);
  return {end_of(profile, rise, optimum[j], -step, to_fitted(parameter, parameter.lower)),
          end_of(profile, rise, optimum[j], step, to_fitted(parameter, parameter.upper))};
}

}  // namespace bitlaw
