#include "fitting/fit/huber_objective.h"

#include <algorithm>
#include <cmath>

#include "core/base/check.h"

namespace bitlaw {

double huber(double residual, double delta) {
  const double magnitude = std::abs(residual);
  return magnitude <= delta ? residual * residual / 2 : delta * (magnitude - delta / 2);
}

double huber_slope(double residual, double delta) { return std::clamp(residual, -delta, delta); }

HuberObjective::HuberObjective(const Law& law, const Observations& observations, double delta)
    : HuberObjective(law, delta) {
  BITLAW_CHECK(observations.inputs.size() == observations.loss.size(), "{} rows of inputs, {} losses",
               observations.inputs.size(), observations.loss.size());
  for (std::size_t i = 0; i < observations.loss.size(); ++i) {
    const std::vector<double> row = law.features(observations.inputs[i]);
    features_.insert(features_.end(), row.begin(), row.end());
    log_loss_.push_back(std::log(observations.loss[i]));
    weights_.push_back(1);
  }
}

HuberObjective HuberObjective::reweighted(std::span<const double> weights) const {
  BITLAW_CHECK(weights.size() == size(), "{} weights for {} observations", weights.size(), size());
  HuberObjective result(*law_, delta_);
  const std::size_t stride = features_.size() / size();
  for (std::size_t i = 0; i < size(); ++i) {
    if (weights[i] == 0) continue;
    const auto row = std::span(features_).subspan(i * stride, stride);
    result.features_.insert(result.features_.end(), row.begin(), row.end());
    result.log_loss_.push_back(log_loss_[i]);
    result.weights_.push_back(weights_[i] * weights[i]);
  }
  return result;
}

void HuberObjective::residuals(std::span<const double> fitted, std::span<double> residual,
                               std::span<double> jacobian) const {
  law_->log_predictions(fitted, features_, residual, jacobian);
  for (std::size_t i = 0; i < size(); ++i) residual[i] -= log_loss_[i];
}

double HuberObjective::cost(std::span<const double> fitted) const {
  std::vector<double> residual(size());
  residuals(fitted, residual, {});
  double sum = 0;
  for (std::size_t i = 0; i < size(); ++i) sum += weights_[i] * huber(residual[i], delta_);
  return sum;
}

std::vector<double> HuberObjective::gradient(std::span<const double> fitted) const {
  std::vector<double> residual(size()), jacobian(size() * parameters()), gradient(parameters());
  residuals(fitted, residual, jacobian);
  for (std::size_t i = 0; i < size(); ++i) {
    const double slope = weights_[i] * huber_slope(residual[i], delta_);
    for (std::size_t j = 0; j < parameters(); ++j) gradient[j] += slope * jacobian[i * parameters() + j];
  }
  return gradient;
}

}  // namespace bitlaw
