#include "fitting/fit/projection.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

namespace bitlaw {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kInside = 1e-9;  // a parameter at zero has no logarithm; it starts this far above its bound, relative

/// min |columns x - target| with x >= 0 where `positive`: least squares, the most negative coordinate set to zero and
/// left out until none is. Not always the optimum of that problem, but near; it only makes starting points.
VectorXd solve_positive(const MatrixXd& columns, const VectorXd& target, const std::vector<bool>& positive) {
  std::vector<Index> active(static_cast<std::size_t>(columns.cols()));
  for (std::size_t k = 0; k < active.size(); ++k) active[k] = static_cast<Index>(k);
  VectorXd solution = VectorXd::Zero(columns.cols());
  while (!active.empty()) {
    const VectorXd x = MatrixXd(columns(Eigen::all, active)).colPivHouseholderQr().solve(target);
    std::size_t worst = active.size();
    for (std::size_t k = 0; k < active.size(); ++k) {
      const bool negative = positive[static_cast<std::size_t>(active[k])] && !(x(static_cast<Index>(k)) > 0);
      if (negative && (worst == active.size() || x(static_cast<Index>(k)) < x(static_cast<Index>(worst)))) worst = k;
    }
    if (worst == active.size()) {
      for (std::size_t k = 0; k < active.size(); ++k) solution(active[k]) = x(static_cast<Index>(k));
      break;
    }
    active.erase(active.begin() + static_cast<std::ptrdiff_t>(worst));
  }
  return solution;
}

}  // namespace

std::vector<std::size_t> affine_parameters(const Law& law, const std::vector<bool>& fixed) {
  std::vector<std::size_t> affine;
  for (std::size_t j = 0; j < fixed.size(); ++j) {
    if (law.parameters()[j].linear && !fixed[j]) affine.push_back(j);
  }
  return affine;
}

std::vector<double> solve_affine(const Objective& objective, std::vector<double> fitted,
                                 const std::vector<std::size_t>& affine) {
  const Law& law = objective.law();
  const std::size_t n = objective.size(), p = fitted.size();
  std::vector<double> loss(n), jacobian(n * p);
  law.predictions(fitted, objective.features(), loss, jacobian);
  const bool log = objective.spec().residual == Residual::Log;
  MatrixXd columns(static_cast<Index>(n), static_cast<Index>(affine.size()));
  VectorXd target(static_cast<Index>(n));
  std::vector<bool> positive;
  for (const std::size_t j : affine) positive.push_back(law.parameters()[j].transform == Transform::Log);
  for (std::size_t i = 0; i < n; ++i) {
    const double observed = log ? std::exp(objective.observed()[i]) : objective.observed()[i];
    const double weight = std::sqrt(objective.weights()[i]) / (log ? observed : 1);
    double rest = observed - loss[i];
    for (std::size_t k = 0; k < affine.size(); ++k) {
      const std::size_t j = affine[k];
      const double natural = to_natural(law.parameters()[j], fitted[j]);
      const double column = jacobian[i * p + j] / (positive[k] ? natural : 1);
      columns(static_cast<Index>(i), static_cast<Index>(k)) = weight * column;
      rest += column * natural;
    }
    target(static_cast<Index>(i)) = weight * rest;
  }
  if (!columns.allFinite() || !target.allFinite()) return fitted;
  const VectorXd solution = solve_positive(columns, target, positive);
  for (std::size_t k = 0; k < affine.size(); ++k) {
    const LawParameter& parameter = law.parameters()[affine[k]];
    const double inside = positive[k] ? parameter.lower * (1 + kInside) : parameter.lower;
    fitted[affine[k]] = to_fitted(parameter, std::clamp(solution(static_cast<Index>(k)), inside, parameter.upper));
  }
  return fitted;
}

}  // namespace bitlaw
