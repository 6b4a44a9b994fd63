#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "fitting/fit/observations.h"
#include "fitting/laws/law.h"

namespace bitlaw {

/// H(r) = r^2 / 2 for |r| <= delta, else delta (|r| - delta / 2).  Huber 1964, doi 10.1214/aoms/1177703732.
double huber(double residual, double delta);

/// H'(r): the residual clipped to [-delta, delta].
double huber_slope(double residual, double delta);

/// C(theta) = sum over observations i of w_i H(r_i), r_i = log predicted_i - log observed_i.
///
/// A sum, never a mean: solvers' stopping tests would otherwise end n times too early, which is how the published
/// Chinchilla fit went wrong (Besiroglu et al. 2024, arXiv:2404.10102). theta: fitted coordinates [p].
class HuberObjective {
 public:
  /// Every observation with weight 1.
  HuberObjective(const Law& law, const Observations& observations, double delta);

  /// The same with multiplicities [n]; observations of weight 0 are dropped.
  HuberObjective reweighted(std::span<const double> weights) const;

  const Law& law() const { return *law_; }
  double delta() const { return delta_; }
  std::size_t size() const { return log_loss_.size(); }
  std::size_t parameters() const { return law_->parameters().size(); }
  std::span<const double> weights() const { return weights_; }

  /// r [n] and, unless it is empty, its Jacobian [n, p], row-major; weights are not applied.
  void residuals(std::span<const double> fitted, std::span<double> residual, std::span<double> jacobian) const;

  double cost(std::span<const double> fitted) const;
  std::vector<double> gradient(std::span<const double> fitted) const;

 private:
  HuberObjective(const Law& law, double delta) : law_(&law), delta_(delta) {}

  const Law* law_;
  double delta_;
  std::vector<double> features_;  ///< [n, features]
  std::vector<double> log_loss_;  ///< [n]
  std::vector<double> weights_;   ///< [n]
};

}  // namespace bitlaw
