#include "fitting/predict/bands.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <vector>

#include "core/base/check.h"
#include "core/base/distributions.h"
#include "core/base/limits.h"
#include "fitting/uncertainty/bootstrap.h"

namespace bitlaw {
namespace {

constexpr double kLevel = 0.95;
constexpr std::size_t kResidualsPerDraw = 101;

std::vector<double> estimates_of(const FitRecord& fit) {
  std::vector<double> natural;
  for (const FittedParameter& parameter : fit.parameters) natural.push_back(parameter.estimate);
  return natural;
}

/// The variance of log L, or of L, by the delta method.
double variance_of(const Law& law, const FitRecord& fit, const std::vector<double>& natural,
                   std::span<const double> inputs, Residual residual) {
  const std::size_t p = natural.size();
  if (fit.covariance.size() != p * p) return kNan;
  const std::vector<double> fitted = law.to_fitted(natural), features = law.features(inputs);
  std::vector<double> value(1), slope(p);
  if (residual == Residual::Log) {
    law.log_predictions(fitted, features, value, slope);
  } else {
    law.predictions(fitted, features, value, slope);
  }
  for (std::size_t j = 0; j < p; ++j) {  // d/d natural, in which the record has its covariance
    if (law.parameters()[j].transform == Transform::Log) slope[j] /= natural[j];
  }
  double variance = 0;
  for (std::size_t j = 0; j < p; ++j) {
    for (std::size_t k = 0; k < p; ++k) variance += slope[j] * fit.covariance[j * p + k] * slope[k];
  }
  return variance;
}

Band around(double value, double half_width, Residual residual) {
  if (residual == Residual::Log) return {value * std::exp(-half_width), value * std::exp(half_width)};
  return {value - half_width, value + half_width};
}

Band middle_of(std::vector<double> values) {
  Band band{kNan, kNan};
  std::tie(band.low, band.high) = percentile_interval(std::move(values), kLevel);
  return band;
}

/// At most kResidualsPerDraw of the fit's residuals, evenly from the sorted ones.
std::vector<double> residuals_of(const FitRecord& fit, Residual residual) {
  std::vector<double> all, some;
  for (std::size_t i = 0; i < fit.observed.size(); ++i) {
    all.push_back(residual == Residual::Log ? std::log(fit.observed[i] / fit.predicted[i])
                                            : fit.observed[i] - fit.predicted[i]);
  }
  std::sort(all.begin(), all.end());
  const std::size_t count = std::min(all.size(), kResidualsPerDraw);
  for (std::size_t k = 0; k < count; ++k) some.push_back(all[(2 * k + 1) * all.size() / (2 * count)]);
  return some;
}

}  // namespace

Prediction predict_with_bands(const Law& law, const FitRecord& fit, std::span<const double> inputs, Residual residual) {
  const std::vector<double> natural = estimates_of(fit);
  BITLAW_CHECK(natural.size() == law.parameters().size(), "law {}: {} estimates", law.name(), natural.size());
  Prediction result{law.predict(natural, inputs), kNan, {kNan, kNan}, {kNan, kNan}, {kNan, kNan}, {kNan, kNan}};
  const double variance = variance_of(law, fit, natural, inputs, residual);
  if (fit.degrees_of_freedom > 0 && std::isfinite(variance)) {
    const double t = student_quantile(fit.degrees_of_freedom, (1 + kLevel) / 2);
    result.standard_error = std::sqrt(variance) * (residual == Residual::Log ? result.value : 1);
    result.confidence = around(result.value, t * std::sqrt(variance), residual);
    result.prediction = around(result.value, t * std::sqrt(variance + fit.noise * fit.noise), residual);
  }
  const std::size_t p = natural.size();
  const std::vector<double> residuals = residuals_of(fit, residual);
  std::vector<double> values, runs;
  for (std::size_t at = 0; at + p <= fit.draws.size(); at += p) {
    values.push_back(law.predict(std::span(fit.draws).subspan(at, p), inputs));
    for (const double r : residuals) {
      runs.push_back(residual == Residual::Log ? values.back() * std::exp(r) : values.back() + r);
    }
  }
  if (!values.empty()) {
    result.confidence_draws = middle_of(std::move(values));
    result.prediction_draws = middle_of(std::move(runs));
  }
  return result;
}

}  // namespace bitlaw
