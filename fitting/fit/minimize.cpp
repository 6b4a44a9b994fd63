#include "fitting/fit/minimize.h"

#include <ceres/ceres.h>

#include <algorithm>
#include <cmath>

namespace bitlaw {
namespace {

// Coordinates beyond this are not tried: e^200 and its square are finite, so values and derivatives are, too. Trial
// points get there when the data do not show a term.
constexpr double kFarAway = 200;
// Log residual that stands for such a point, or for a prediction without a logarithm: the step is rejected for its
// cost. (A failed evaluation would be an error to Ceres, which it also logs.)
constexpr double kRejected = 1e30;

/// The Huber sum as a plain sum of squares: s_i = sign(r_i) sqrt(2 w_i H(r_i)) / delta, so that sum s_i^2 / 2 is the
/// objective over delta^2.
///
/// Ceres' own HuberLoss would give an outlier the curvature delta/|r|, where the true one is zero. Gauss-Newton on s_i
/// sees (ds/dr)^2 = delta / (2|r| - delta), about half of that, so its steps are nearer to Newton's when delta is far
/// below the residuals. Dividing by delta keeps costs and gradients of order one for the stopping tests.
class RootHuber final : public ceres::CostFunction {
 public:
  explicit RootHuber(const HuberObjective& objective) : objective_(objective) {
    set_num_residuals(static_cast<int>(objective.size()));
    mutable_parameter_block_sizes()->assign(objective.parameters(), 1);
  }

  bool Evaluate(double const* const* parameters, double* residuals, double** jacobians) const override {
    const std::size_t n = objective_.size(), p = objective_.parameters();
    std::vector<double> fitted(p), r(n), jacobian(jacobians != nullptr ? n * p : 0);
    for (std::size_t j = 0; j < p; ++j) fitted[j] = *parameters[j];
    const auto far_away = [](double coordinate) { return !(std::abs(coordinate) <= kFarAway); };
    if (std::any_of(fitted.begin(), fitted.end(), far_away)) {
      std::fill(r.begin(), r.end(), kRejected);
    } else {
      objective_.residuals(fitted, r, jacobian);
    }
    for (std::size_t i = 0; i < n; ++i) {
      if (!std::isfinite(r[i])) r[i] = kRejected;
      const double delta = objective_.delta(), root_weight = std::sqrt(objective_.weights()[i]) / delta;
      const bool inlier = std::abs(r[i]) <= delta;
      const double root = inlier ? r[i] : std::copysign(std::sqrt(2 * huber(r[i], delta)), r[i]);
      residuals[i] = root_weight * root;
      if (jacobians == nullptr) continue;
      const double slope = root_weight * (inlier ? 1 : huber_slope(r[i], delta) / root);
      for (std::size_t j = 0; j < p; ++j) {
        if (jacobians[j] != nullptr) jacobians[j][i] = slope * jacobian[i * p + j];
      }
    }
    return true;
  }

 private:
  const HuberObjective& objective_;
};

ceres::Solver::Options solver_options(const Stopping& stopping) {
  ceres::Solver::Options options;
  options.logging_type = ceres::SILENT;
  options.linear_solver_type = ceres::DENSE_QR;  // not the normal equations: laws are ill-conditioned
  options.max_num_iterations = stopping.iterations;
  options.function_tolerance = stopping.relative_decrease;
  options.gradient_tolerance = 1e-14;
  options.parameter_tolerance = 1e-13;
  options.max_num_consecutive_invalid_steps = 200;  // at an exact fit steps are rounding noise; end by their size
  options.num_threads = 1;
  return options;
}

double lower_bound(const LawParameter& parameter) { return to_fitted(parameter, parameter.lower); }
double upper_bound(const LawParameter& parameter) { return to_fitted(parameter, parameter.upper); }

enum class Bounds {
  Ignored,
  Enforced
};

Minimum solve(const HuberObjective& objective, std::vector<double> point, const std::vector<bool>& fixed, Bounds bounds,
              const Stopping& stopping) {
  ceres::Problem problem;
  std::vector<double*> blocks;
  for (double& value : point) blocks.push_back(&value);
  problem.AddResidualBlock(new RootHuber(objective), nullptr, blocks);
  for (std::size_t j = 0; j < point.size(); ++j) {
    if (fixed[j]) {
      problem.SetParameterBlockConstant(blocks[j]);
    } else if (bounds == Bounds::Enforced) {
      const LawParameter& parameter = objective.law().parameters()[j];
      point[j] = std::clamp(point[j], lower_bound(parameter), upper_bound(parameter));
      problem.SetParameterLowerBound(blocks[j], 0, lower_bound(parameter));
      problem.SetParameterUpperBound(blocks[j], 0, upper_bound(parameter));
    }
  }
  ceres::Solver::Summary summary;
  ceres::Solve(solver_options(stopping), &problem, &summary);
  const double cost = objective.cost(point);
  return {.fitted = std::move(point),
          .cost = cost,
          .converged = summary.termination_type == ceres::CONVERGENCE,
          .status = summary.message};
}

bool within_bounds(const Law& law, const std::vector<double>& fitted, const std::vector<bool>& fixed) {
  for (std::size_t j = 0; j < fitted.size(); ++j) {
    const LawParameter& parameter = law.parameters()[j];
    if (!fixed[j] && !(fitted[j] >= lower_bound(parameter) && fitted[j] <= upper_bound(parameter))) return false;
  }
  return true;
}

}  // namespace

Minimum minimize(const HuberObjective& objective, std::vector<double> start, const std::vector<bool>& fixed,
                 const Stopping& stopping) {
  // Ceres pays for bounds in every iteration, so they are enforced only when they matter.
  Minimum minimum = solve(objective, start, fixed, Bounds::Ignored, stopping);
  if (within_bounds(objective.law(), minimum.fitted, fixed)) return minimum;
  return solve(objective, std::move(start), fixed, Bounds::Enforced, stopping);
}

}  // namespace bitlaw
