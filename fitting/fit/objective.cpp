#include "fitting/fit/objective.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "core/base/check.h"
#include "fitting/uncertainty/covariance.h"

namespace bitlaw {
namespace {

/// log of the integral of exp(-rho), which makes it a density; 0 for losses that are none.
double log_normalizer(const ObjectiveSpec& spec) {
  using std::numbers::pi;
  if (spec.loss == Loss::HuberLikelihood) {
    const double inner = std::sqrt(2 * pi) * std::erf(spec.delta / std::numbers::sqrt2);  // 1 - 2 Q(delta) = erf
    return std::log(inner + 2 * std::exp(-spec.delta * spec.delta / 2) / spec.delta) + std::log(spec.scale);
  }
  if (spec.loss == Loss::StudentT) {
    const double nu = spec.freedom;
    return std::log(spec.scale) + 0.5 * std::log(nu * pi) + std::lgamma(nu / 2) - std::lgamma((nu + 1) / 2);
  }
  return 0;
}

}  // namespace

double huber(double residual, double delta) {
  const double magnitude = std::abs(residual);
  return magnitude <= delta ? residual * residual / 2 : delta * (magnitude - delta / 2);
}

double huber_slope(double residual, double delta) { return std::clamp(residual, -delta, delta); }

bool has_scale(Loss loss) { return loss == Loss::HuberLikelihood || loss == Loss::StudentT; }

std::string describe(const ObjectiveSpec& spec) {
  std::string loss;
  switch (spec.loss) {
    case Loss::Huber:
      loss = fmt::format("Huber(delta = {})", spec.delta);
      break;
    case Loss::LeastSquares:
      loss = "half the squares";
      break;
    case Loss::HuberLikelihood:
      loss = fmt::format("-log Huber density(delta = {}, scale = {:.6g})", spec.delta, spec.scale);
      break;
    case Loss::StudentT:
      loss = fmt::format("-log Student density(freedom = {}, scale = {:.6g})", spec.freedom, spec.scale);
      break;
  }
  std::string text = fmt::format("sum of {} on {}loss", loss, spec.residual == Residual::Log ? "log " : "");
  if (spec.over_factor != 1) text += fmt::format(", {} times where predicted > observed", spec.over_factor);
  return text;
}

Objective::Objective(const Law& law, const Observations& observations, const ObjectiveSpec& spec)
    : law_(&law), spec_(spec), constant_(log_normalizer(spec)), weights_(observations.weights) {
  const std::size_t n = observations.loss.size();
  BITLAW_CHECK(observations.inputs.size() == n && (weights_.empty() || weights_.size() == n),
               "{} rows of inputs, {} losses, {} weights", observations.inputs.size(), n, weights_.size());
  weights_.resize(n, 1);
  for (std::size_t i = 0; i < n; ++i) {
    const std::vector<double> row = law.features(observations.inputs[i]);
    features_.insert(features_.end(), row.begin(), row.end());
    observed_.push_back(spec.residual == Residual::Log ? std::log(observations.loss[i]) : observations.loss[i]);
  }
}

Objective Objective::reweighted(std::span<const double> weights) const {
  BITLAW_CHECK(weights.size() == size(), "{} weights for {} observations", weights.size(), size());
  Objective result(*this);
  result.features_.clear();
  result.observed_.clear();
  result.weights_.clear();
  const std::size_t stride = features_.size() / size();
  for (std::size_t i = 0; i < size(); ++i) {
    if (weights[i] == 0) continue;
    const auto row = std::span(features_).subspan(i * stride, stride);
    result.features_.insert(result.features_.end(), row.begin(), row.end());
    result.observed_.push_back(observed_[i]);
    result.weights_.push_back(weights_[i] * weights[i]);
  }
  return result;
}

Objective Objective::with_observed(std::span<const double> observed) const {
  BITLAW_CHECK(observed.size() == size(), "{} values for {} observations", observed.size(), size());
  Objective result(*this);
  result.observed_.assign(observed.begin(), observed.end());
  return result;
}

Objective Objective::with_scale(double scale) const {
  Objective result(*this);
  result.spec_.scale = scale;
  result.constant_ = log_normalizer(result.spec_);
  return result;
}

Objective Objective::with_delta(double delta) const {
  Objective result(*this);
  result.spec_.delta = delta;
  result.constant_ = log_normalizer(result.spec_);
  return result;
}

void Objective::residuals(std::span<const double> fitted, std::span<double> residual,
                          std::span<double> jacobian) const {
  if (spec_.residual == Residual::Log) {
    law_->log_predictions(fitted, features_, residual, jacobian);
  } else {
    law_->predictions(fitted, features_, residual, jacobian);
  }
  for (std::size_t i = 0; i < size(); ++i) residual[i] -= observed_[i];
}

double Objective::varying_part(double residual) const {
  const double z = residual / spec_.scale;
  switch (spec_.loss) {
    case Loss::Huber:
      return huber(residual, spec_.delta);
    case Loss::LeastSquares:
      return residual * residual / 2;
    case Loss::HuberLikelihood:
      return huber(z, spec_.delta);
    case Loss::StudentT:
      return (spec_.freedom + 1) / 2 * std::log1p(z * z / spec_.freedom);
  }
  return 0;
}

double Objective::rho(double residual) const {
  return (residual > 0 ? spec_.over_factor : 1) * varying_part(residual) + constant_;
}

double Objective::slope(double residual) const {
  const double factor = residual > 0 ? spec_.over_factor : 1, z = residual / spec_.scale;
  switch (spec_.loss) {
    case Loss::Huber:
      return factor * huber_slope(residual, spec_.delta);
    case Loss::LeastSquares:
      return factor * residual;
    case Loss::HuberLikelihood:
      return factor * huber_slope(z, spec_.delta) / spec_.scale;
    case Loss::StudentT:
      return factor * (spec_.freedom + 1) * z / (spec_.freedom + z * z) / spec_.scale;
  }
  return 0;
}

double Objective::root(double residual, double& derivative) const {
  const double factor = residual > 0 ? spec_.over_factor : 1, root_factor = std::sqrt(factor);
  // rho'' at zero: the root is linear there.
  const double middle = (spec_.loss == Loss::StudentT ? std::sqrt((spec_.freedom + 1) / spec_.freedom) : 1.0) /
                        (has_scale(spec_.loss) ? spec_.scale : 1.0);
  const double size = std::abs(residual);
  const bool linear = spec_.loss == Loss::StudentT ? size < 1e-7 * spec_.scale : size <= threshold();
  if (linear) {
    derivative = root_factor * middle;
    return derivative * residual;
  }
  const double value = std::copysign(std::sqrt(2 * factor * varying_part(residual)), residual);
  derivative = slope(residual) / value;
  return value;
}

std::vector<double> Objective::curvature(std::span<const double> residuals, std::size_t q) const {
  const double at_zero = has_scale(spec_.loss) ? 1 / (spec_.scale * spec_.scale) : 1;
  std::vector<double> result;
  if (spec_.loss == Loss::StudentT) {
    double sum = 0, weights = 0;
    const double nu = spec_.freedom;
    for (std::size_t i = 0; i < residuals.size(); ++i) {
      const double z2 = residuals[i] * residuals[i] * at_zero;
      sum += weights_[i] * (nu + 1) * (nu - z2) / ((nu + z2) * (nu + z2)) * at_zero;
      weights += weights_[i];
    }
    result.assign(residuals.size(), sum / weights);
  } else if (spec_.loss == Loss::LeastSquares) {
    result.assign(residuals.size(), 1);
  } else {
    result = huber_curvature(residuals, weights_, threshold(), q);
    for (double& value : result) value *= at_zero;
  }
  for (std::size_t i = 0; i < result.size(); ++i) {
    if (residuals[i] > 0) result[i] *= spec_.over_factor;
  }
  return result;
}

double Objective::threshold() const {
  if (spec_.loss == Loss::Huber) return spec_.delta;
  if (spec_.loss == Loss::HuberLikelihood) return spec_.delta * spec_.scale;
  return std::numeric_limits<double>::infinity();
}

double Objective::cost(std::span<const double> fitted) const {
  std::vector<double> residual(size());
  residuals(fitted, residual, {});
  double sum = 0;
  for (std::size_t i = 0; i < size(); ++i) sum += weights_[i] * rho(residual[i]);
  return sum;
}

std::vector<double> Objective::gradient(std::span<const double> fitted) const {
  std::vector<double> residual(size()), jacobian(size() * parameters()), gradient(parameters());
  residuals(fitted, residual, jacobian);
  for (std::size_t i = 0; i < size(); ++i) {
    const double weighted = weights_[i] * slope(residual[i]);
    for (std::size_t j = 0; j < parameters(); ++j) gradient[j] += weighted * jacobian[i * parameters() + j];
  }
  return gradient;
}

}  // namespace bitlaw
