#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "fitting/fit/observations.h"
#include "fitting/laws/law.h"

namespace bitlaw {

/// H(r) = r^2 / 2 for |r| <= delta, else delta (|r| - delta / 2).  Huber 1964, doi 10.1214/aoms/1177703732.
double huber(double residual, double delta);

/// H'(r): the residual clipped to [-delta, delta].
double huber_slope(double residual, double delta);

/// What one residual r costs.
enum class Loss {
  Huber,            ///< H(r), see huber()
  LeastSquares,     ///< r^2 / 2
  HuberLikelihood,  ///< -log of the density exp(-H(r/s)) / (s Z), Z = sqrt(2 pi) (1 - 2 Q(delta)) + 2
                    ///< e^(-delta^2/2)/delta
  StudentT,         ///< -log of Student's density of r/s, over s
};

/// What a residual is.
enum class Residual {
  Log,    ///< log predicted - log observed
  Plain,  ///< predicted - observed
};

/// The objective by choices.
struct ObjectiveSpec {
  Loss loss = Loss::Huber;
  Residual residual = Residual::Log;
  double delta = 1e-3;     ///< of H: in units of r for Huber, of r/s for HuberLikelihood
  double freedom = 4;      ///< degrees of freedom of StudentT
  double scale = 1;        ///< s of HuberLikelihood and StudentT
  double over_factor = 1;  ///< on the cost of predictions above the observation: above 1, a lower envelope is fitted
};

/// Whether the loss has a scale s, which is then fitted with the parameters.
bool has_scale(Loss loss);

/// In words, for records: "sum of Huber(delta = 0.001) on log loss".
std::string describe(const ObjectiveSpec& spec);

/// C(theta) = sum over observations i of w_i rho(r_i).
///
/// A sum, never a mean: solvers' stopping tests would otherwise end n times too early, which is how the published
/// Chinchilla fit went wrong (Besiroglu et al. 2024, arXiv:2404.10102). theta: fitted coordinates [p].
class Objective {
 public:
  /// Observations with their weights, 1 where they have none.
  Objective(const Law& law, const Observations& observations, const ObjectiveSpec& spec);

  /// The same with multiplicities [n]; observations of weight 0 are dropped.
  Objective reweighted(std::span<const double> weights) const;
  /// The same with other observed values [n].
  Objective with_observed(std::span<const double> observed) const;
  /// The same with another scale s.
  Objective with_scale(double scale) const;
  /// The same with another threshold delta.
  Objective with_delta(double delta) const;

  const Law& law() const { return *law_; }
  const ObjectiveSpec& spec() const { return spec_; }
  std::size_t size() const { return observed_.size(); }
  std::size_t parameters() const { return law_->parameters().size(); }
  std::span<const double> weights() const { return weights_; }
  std::span<const double> features() const { return features_; }  ///< [n, features]
  std::span<const double> observed() const { return observed_; }  ///< log loss or loss, as the residual is

  /// r [n] and, unless it is empty, its Jacobian [n, p], row-major; weights are not applied.
  void residuals(std::span<const double> fitted, std::span<double> residual, std::span<double> jacobian) const;

  double rho(double residual) const;
  /// rho'(r)
  double slope(double residual) const;
  /// sign(r) sqrt(2 rho(r)) without the terms of rho that do not depend on r, and its derivative: a plain sum of their
  /// squares has the same minima.
  double root(double residual, double& derivative) const;
  /// What stands for E[rho''] at each of the residuals [n] of a fit of q parameters: for Huber's losses
  /// huber_curvature() of covariance.h, otherwise the mean of rho'', weighted.
  std::vector<double> curvature(std::span<const double> residuals, std::size_t q) const;
  /// delta in units of r; infinity for losses without one.
  double threshold() const;

  double cost(std::span<const double> fitted) const;
  std::vector<double> gradient(std::span<const double> fitted) const;

 private:
  double varying_part(double residual) const;

  const Law* law_;
  ObjectiveSpec spec_;
  double constant_ = 0;           ///< of rho
  std::vector<double> features_;  ///< [n, features]
  std::vector<double> observed_;  ///< [n] log loss or loss
  std::vector<double> weights_;   ///< [n]
};

}  // namespace bitlaw
