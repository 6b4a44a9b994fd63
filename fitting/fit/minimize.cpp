#include "fitting/fit/minimize.h"

#include <ceres/ceres.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <optional>

namespace bitlaw {
namespace {

// Logarithms beyond this are not tried: e^200 and its square are finite, so values and derivatives are, too. Nor are
// other coordinates beyond this or ten times their bounds. Trial points get there when the data do not show a term.
constexpr double kFarAway = 200;
// Log residual that stands for such a point, or for a prediction without a logarithm: the step is rejected for its
// cost. (A failed evaluation would be an error to Ceres, which it also logs.)
constexpr double kRejected = 1e30;

/// The objective as a plain sum of squares: s_i = sqrt(w_i) root(r_i) / unit, so that sum s_i^2 / 2 is what varies of
/// the objective, over unit^2.
///
/// Ceres' own HuberLoss would give an outlier the curvature delta/|r|, where the true one is zero. Gauss-Newton on s_i
/// sees (ds/dr)^2 = delta / (2|r| - delta), about half of that, so its steps are nearer to Newton's when delta is far
/// below the residuals. Dividing by delta keeps costs and gradients of order one for the stopping tests.
class RootObjective final : public ceres::CostFunction {
 public:
  /// Of the parameters in `free`, the only block; the others stay as they are in `point` [p].
  RootObjective(const Objective& objective, std::vector<double> point, std::vector<std::size_t> free)
      : objective_(objective), unit_(unit_of(objective)), free_(std::move(free)), fitted_(std::move(point)) {
    set_num_residuals(static_cast<int>(objective.size()));
    mutable_parameter_block_sizes()->push_back(static_cast<int>(free_.size()));
    residual_.resize(objective.size());
    jacobian_.resize(objective.size() * objective.parameters());
  }

  bool Evaluate(double const* const* parameters, double* residuals, double** jacobians) const override {
    const std::size_t n = objective_.size(), p = objective_.parameters(), q = free_.size();
    double* const derivatives = jacobians != nullptr ? jacobians[0] : nullptr;  // [n, q]
    evaluate_at(parameters[0], derivatives != nullptr);
    for (std::size_t i = 0; i < n; ++i) {
      const double factor = std::sqrt(objective_.weights()[i]) / unit_;
      double derivative = 0;
      residuals[i] = factor * objective_.root(residual_[i], derivative);
      if (derivatives == nullptr) continue;
      for (std::size_t k = 0; k < q; ++k) derivatives[i * q + k] = factor * derivative * jacobian_[i * p + free_[k]];
    }
    return true;
  }

 private:
  /// Residuals and, if asked for, derivatives at values of the free parameters. Ceres asks for the residuals of a trial
  /// step and, where it takes the step, as most times, for both: a law that forms sums has them cheaper together.
  void evaluate_at(const double* free_values, bool derivatives) const {
    bool is_known = known_;
    for (std::size_t k = 0; k < free_.size(); ++k) {
      is_known = is_known && fitted_[free_[k]] == free_values[k];
      fitted_[free_[k]] = free_values[k];
    }
    if (is_known) return;
    known_ = derivatives || objective_.law().has_cheap_derivatives();
    if (far_away()) {
      std::fill(residual_.begin(), residual_.end(), kRejected);
      std::fill(jacobian_.begin(), jacobian_.end(), 0.0);
      return;
    }
    objective_.residuals(fitted_, residual_, known_ ? std::span(jacobian_) : std::span<double>());
    const std::size_t p = objective_.parameters();
    for (std::size_t i = 0; i < residual_.size(); ++i) {
      const std::span row = std::span(jacobian_).subspan(i * p, p);
      const auto finite = [](double value) { return std::isfinite(value); };
      if (finite(residual_[i]) && (!known_ || std::all_of(row.begin(), row.end(), finite))) continue;
      residual_[i] = kRejected;
      std::fill(row.begin(), row.end(), 0.0);
    }
  }

  bool far_away() const {
    for (std::size_t j = 0; j < fitted_.size(); ++j) {
      const LawParameter& parameter = objective_.law().parameters()[j];
      const double bound = std::max(std::abs(parameter.lower), std::abs(parameter.upper));
      const double limit = parameter.transform == Transform::Log ? kFarAway : std::max(kFarAway, 10 * bound);
      if (!(std::abs(fitted_[j]) <= limit)) return true;
    }
    return false;
  }
  static double unit_of(const Objective& objective) {
    if (objective.spec().loss == Loss::Huber) return std::min(1.0, objective.spec().delta);
    return objective.spec().loss == Loss::HuberLikelihood ? objective.spec().delta : 1;
  }

  const Objective& objective_;
  double unit_;
  std::vector<std::size_t> free_;
  // Written by each evaluation, of which there is one at a time.
  mutable std::vector<double> fitted_, residual_, jacobian_;
  mutable bool known_ = false;  ///< residuals and derivatives belong to `fitted_`
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

/// The coordinates of `point` that are not fixed.
std::vector<std::size_t> free_of(const std::vector<bool>& fixed) {
  std::vector<std::size_t> free;
  for (std::size_t j = 0; j < fixed.size(); ++j) {
    if (!fixed[j]) free.push_back(j);
  }
  return free;
}

enum class Bounds {
  Ignored,
  Enforced
};

Minimum solve(const Objective& objective, std::vector<double> point, const std::vector<bool>& fixed, Bounds bounds,
              const Stopping& stopping) {
  const std::vector<std::size_t> free = free_of(fixed);
  std::vector<double> block;
  for (const std::size_t j : free) {
    const LawParameter& parameter = objective.law().parameters()[j];
    if (bounds == Bounds::Enforced) point[j] = std::clamp(point[j], lower_bound(parameter), upper_bound(parameter));
    block.push_back(point[j]);
  }
  if (free.empty()) {
    const double cost = objective.cost(point);
    return {.fitted = std::move(point), .cost = cost, .converged = true, .status = "no free parameter"};
  }
  ceres::Problem problem;
  problem.AddResidualBlock(new RootObjective(objective, point, free), nullptr, block.data());
  for (std::size_t k = 0; k < free.size() && bounds == Bounds::Enforced; ++k) {
    const LawParameter& parameter = objective.law().parameters()[free[k]];
    problem.SetParameterLowerBound(block.data(), static_cast<int>(k), lower_bound(parameter));
    problem.SetParameterUpperBound(block.data(), static_cast<int>(k), upper_bound(parameter));
  }
  ceres::Solver::Summary summary;
  ceres::Solve(solver_options(stopping), &problem, &summary);
  for (std::size_t k = 0; k < free.size(); ++k) point[free[k]] = block[k];
  const double cost = objective.cost(point);
  return {.fitted = std::move(point),
          .cost = cost,
          .converged = summary.termination_type == ceres::CONVERGENCE,
          .status = summary.message};
}

/// Where a free parameter lies; fixed ones count as inside.
enum class Side {
  Inside,
  Lower,  ///< on the lower bound or beyond
  Upper
};

std::vector<Side> sides_of(const Law& law, const std::vector<double>& fitted, const std::vector<bool>& fixed) {
  std::vector<Side> sides(fitted.size(), Side::Inside);
  for (std::size_t j = 0; j < fitted.size(); ++j) {
    if (fixed[j]) continue;
    if (!(fitted[j] > lower_bound(law.parameters()[j]))) sides[j] = Side::Lower;
    if (fitted[j] >= upper_bound(law.parameters()[j])) sides[j] = Side::Upper;
  }
  return sides;
}

bool all_inside(const std::vector<Side>& sides) {
  return std::all_of(sides.begin(), sides.end(), [](Side side) { return side == Side::Inside; });
}

/// Whether the objective does not rise towards the outside of any bound that a parameter is held on: then the minimum
/// over the others is one within the bounds (Nocedal & Wright 2006, Theorem 12.1).
bool pressed_outwards(const std::vector<double>& gradient, const std::vector<Side>& sides) {
  for (std::size_t j = 0; j < sides.size(); ++j) {
    if (sides[j] == Side::Lower && gradient[j] < 0) return false;
    if (sides[j] == Side::Upper && gradient[j] > 0) return false;
  }
  return true;
}

/// The minimum reached from `point` with the parameters that are on their bounds or beyond held there; nothing when
/// others leave their bounds, or one that is held would rather come back.
std::optional<Minimum> solve_on_bounds(const Objective& objective, std::vector<double> point, std::vector<bool> fixed,
                                       const Stopping& stopping) {
  const std::vector<Side> sides = sides_of(objective.law(), point, fixed);
  for (std::size_t j = 0; j < point.size(); ++j) {
    if (sides[j] == Side::Inside) continue;
    const LawParameter& parameter = objective.law().parameters()[j];
    point[j] = sides[j] == Side::Lower ? lower_bound(parameter) : upper_bound(parameter);
    fixed[j] = true;
  }
  Minimum minimum = solve(objective, std::move(point), fixed, Bounds::Ignored, stopping);
  const bool inside = all_inside(sides_of(objective.law(), minimum.fitted, fixed));
  if (!inside || !pressed_outwards(objective.gradient(minimum.fitted), sides)) return std::nullopt;
  return minimum;
}

/// What Gauss and Newton say at a point.
struct GaussNewton {
  Eigen::VectorXd step;  ///< [q] to the minimum of the linear model
  double decrease = 0;   ///< of half the sum of squares there: zero at a minimum, in whatever coordinates
};

/// Columns are scaled to norm 1, so that the rank does not depend on the parameters' units.
GaussNewton gauss_newton(const RootObjective& squares, const Eigen::VectorXd& block) {
  using Eigen::MatrixXd, Eigen::VectorXd;
  Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> jacobian(squares.num_residuals(),
                                                                                  block.size());
  VectorXd residuals(squares.num_residuals());
  const double* const blocks[] = {block.data()};
  double* jacobians[] = {jacobian.data()};
  squares.Evaluate(blocks, residuals.data(), jacobians);
  VectorXd norms = jacobian.colwise().norm();
  for (double& norm : norms) norm = norm > 0 ? norm : 1;
  const MatrixXd scaled = jacobian * norms.cwiseInverse().asDiagonal();
  const VectorXd step = scaled.colPivHouseholderQr().solve(-residuals);
  return {step.cwiseQuotient(norms), 0.5 * (scaled * step).squaredNorm()};
}

}  // namespace

Minimum polish(const Objective& objective, Minimum minimum, std::vector<bool> fixed) {
  constexpr int kSteps = 30;
  constexpr double kRounding = 1e-12;  // by which a cost may seem to rise, relative
  const std::vector<Side> sides = sides_of(objective.law(), minimum.fitted, fixed);
  for (std::size_t j = 0; j < fixed.size(); ++j) fixed[j] = fixed[j] || sides[j] != Side::Inside;
  const std::vector<std::size_t> free = free_of(fixed);
  if (free.empty()) return minimum;
  const RootObjective squares(objective, minimum.fitted, free);
  Eigen::VectorXd block(static_cast<Eigen::Index>(free.size()));
  for (std::size_t k = 0; k < free.size(); ++k) block(static_cast<Eigen::Index>(k)) = minimum.fitted[free[k]];
  GaussNewton here = gauss_newton(squares, block);
  for (int step = 0; step < kSteps && here.decrease > 0; ++step) {
    block += here.step;
    std::vector<double> point = minimum.fitted;
    for (std::size_t k = 0; k < free.size(); ++k) point[free[k]] = block(static_cast<Eigen::Index>(k));
    if (!block.allFinite() || !all_inside(sides_of(objective.law(), point, fixed))) break;
    const GaussNewton there = gauss_newton(squares, block);
    const double cost = objective.cost(point);
    const bool nearer = there.decrease < here.decrease / 2;
    if (!nearer || !(cost <= minimum.cost + kRounding * std::abs(minimum.cost))) break;
    here = there;
    minimum.fitted = std::move(point);
    minimum.cost = cost;
  }
  return minimum;
}

Minimum minimize(const Objective& objective, std::vector<double> start, const std::vector<bool>& fixed,
                 const Stopping& stopping) {
  const Minimum free = solve(objective, start, fixed, Bounds::Ignored, stopping);
  if (all_inside(sides_of(objective.law(), free.fitted, fixed))) return free;
  // A term that the data do not show carries its coordinate away. Held on its bound the rest converges as usual, while
  // under Ceres' own bounds it would creep: steps are computed as if the coordinate could still move.
  if (auto held = solve_on_bounds(objective, free.fitted, fixed, stopping)) return *held;
  const Minimum bounded = solve(objective, std::move(start), fixed, Bounds::Enforced, stopping);
  if (auto held = solve_on_bounds(objective, bounded.fitted, fixed, stopping); held && held->cost <= bounded.cost) {
    return *held;
  }
  return bounded;
}

}  // namespace bitlaw
