#include "fitting/uncertainty/profile.h"

#include <algorithm>
#include <boost/math/tools/toms748_solve.hpp>
#include <cmath>

#include "core/base/limits.h"
#include "fitting/fit/multi_start.h"

namespace bitlaw {
namespace {

constexpr int kMaxDoublings = 6;  // from t standard errors: an end beyond 64 times that distance counts as open
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

double end_of(Rise rise, double at_optimum, double optimum, double step, double bound) {
  double inside = optimum, at_inside = at_optimum;
  if (step > 0 ? optimum >= bound : optimum <= bound) return step > 0 ? kInfinity : -kInfinity;
  for (int doubling = 0; doubling <= kMaxDoublings; ++doubling) {
    double outside = optimum + std::ldexp(step, doubling);
    const bool on_bound = step > 0 ? outside >= bound : outside <= bound;
    if (on_bound) outside = bound;
    double at_outside = rise(outside);
    if (at_outside >= 0) at_outside = rise.anywhere(outside, at_outside);
    if (at_outside >= 0) {
      boost::uintmax_t evaluations = 20;
      const auto near_enough = [&](double a, double b) {
        return std::abs(b - a) <= kEndTolerance * std::abs(a - optimum);
      };
      const bool ascending = inside < outside;
      const auto [a, b] = boost::math::tools::toms748_solve(
          rise, ascending ? inside : outside, ascending ? outside : inside, ascending ? at_inside : at_outside,
          ascending ? at_outside : at_inside, near_enough, evaluations);
      return (a + b) / 2;
    }
    if (on_bound) break;
    inside = outside;
    at_inside = at_outside;
  }
  return step > 0 ? kInfinity : -kInfinity;
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
  return {end_of(profile, -rise, optimum[j], -step, to_fitted(parameter, parameter.lower)),
          end_of(profile, -rise, optimum[j], step, to_fitted(parameter, parameter.upper))};
}

}  // namespace bitlaw
