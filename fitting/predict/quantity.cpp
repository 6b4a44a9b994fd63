#include "fitting/predict/quantity.h"

#include <cmath>
#include <tuple>
#include <vector>

#include "core/base/check.h"
#include "core/base/distributions.h"
#include "core/base/limits.h"
#include "fitting/uncertainty/bootstrap.h"
#include "fitting/uncertainty/derived.h"

namespace bitlaw {
namespace {

constexpr double kEndless = 1e308;

/// The fit's covariance in fitted coordinates; empty where it has none.
std::vector<double> fitted_covariance(const Law& law, const FitRecord& fit) {
  const std::size_t p = fit.parameters.size();
  if (fit.covariance.size() != p * p) return {};
  std::vector<double> covariance = fit.covariance;
  const auto slope = [&](std::size_t j) {  // d fitted / d natural
    return law.parameters()[j].transform == Transform::Log ? 1 / fit.parameters[j].estimate : 1.0;
  };
  for (std::size_t j = 0; j < p; ++j) {
    for (std::size_t k = 0; k < p; ++k) covariance[j * p + k] *= slope(j) * slope(k);
  }
  return covariance;
}

/// Student's t of parameter j's own interval, NaN where the fit has none: half its width over the standard error.
double own_quantile(const Law& law, const FitRecord& fit, std::size_t j) {
  const FittedParameter& p = fit.parameters[j];
  if (law.parameters()[j].transform != Transform::Log) return (p.ci_high - p.ci_low) / 2 / p.standard_error;
  return std::log(p.ci_high / p.ci_low) / 2 / (p.standard_error / p.estimate);
}

/// Student's t of a quantity: that of the least degrees of freedom, so the largest t, among the parameters that it
/// depends on, as for derived quantities of a fit; that of all runs where the fit has no intervals of parameters.
/// Derivatives by differences of a search are never zero, so a parameter counts from a hundredth of the largest share
/// of the error on, 1e-4 of the variance. slopes [p] and covariance [p, p]: fitted coordinates.
double quantile_of(const Law& law, const FitRecord& fit, const std::vector<double>& slopes,
                   const std::vector<double>& covariance) {
  const std::size_t p = slopes.size();
  std::vector<double> shares;
  for (std::size_t j = 0; j < p; ++j) shares.push_back(std::abs(slopes[j]) * std::sqrt(covariance[j * p + j]));
  double largest = 0, t = student_quantile(fit.degrees_of_freedom, (1 + fit.level) / 2);
  for (const double share : shares) largest = std::fmax(largest, share);
  for (std::size_t j = 0; j < p; ++j) {
    if (shares[j] > 0.01 * largest) t = std::fmax(t, own_quantile(law, fit, j));  // which leaves out NaN
  }
  return t;
}

}  // namespace

Quantity quantity_of(const Law& law, const FitRecord& fit,
                     const std::function<double(std::span<const double> natural)>& value_of) {
  std::vector<double> natural;
  for (const FittedParameter& parameter : fit.parameters) natural.push_back(parameter.estimate);
  BITLAW_CHECK(natural.size() == law.parameters().size(), "law {}: {} estimates", law.name(), natural.size());
  const std::size_t p = natural.size();
  Quantity quantity{.value = value_of(natural), .interval = {kNan, kNan}};
  if (!fit.draws.empty()) {
    std::vector<double> values;
    for (std::size_t at = 0; at + p <= fit.draws.size(); at += p) {
      const double value = value_of(std::span(fit.draws).subspan(at, p));
      values.push_back(std::isfinite(value) ? value : kEndless);  // percentiles leave out what is not finite
    }
    std::tie(quantity.interval.low, quantity.interval.high) = percentile_interval(std::move(values), fit.level);
    for (double* end : {&quantity.interval.low, &quantity.interval.high}) {
      if (*end > 1e300) *end = kInfinity;
    }
    quantity.from_draws = true;
    return quantity;
  }
  const std::vector<double> covariance = fitted_covariance(law, fit);
  if (covariance.empty() || !(fit.degrees_of_freedom > 0)) return quantity;
  const Derived log_value{.name = "", .units = "", .value = [&](auto at) { return std::log(value_of(at)); }};
  const std::vector<double> fitted = law.to_fitted(natural);
  const double error = delta_method_error(law, log_value, fitted, covariance);
  const double t = quantile_of(law, fit, gradient_of(law, log_value, fitted), covariance);
  quantity.interval = {quantity.value * std::exp(-t * error), quantity.value * std::exp(t * error)};
  return quantity;
}

}  // namespace bitlaw
