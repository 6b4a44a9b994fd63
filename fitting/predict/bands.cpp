#include "fitting/predict/bands.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <vector>

#include "core/base/check.h"
#include "core/base/limits.h"
#include "fitting/predict/delta_error.h"
#include "fitting/uncertainty/bootstrap.h"

namespace bitlaw {
namespace {

constexpr std::size_t kResidualsPerDraw = 101;

/// Of log L, or of L, by the delta method.
DeltaError error_of(const Law& law, const FitRecord& fit, const std::vector<double>& natural,
                    std::span<const double> inputs, Residual residual) {
  const std::vector<double> fitted = law.to_fitted(natural), features = law.features(inputs);
  std::vector<double> value(1), slopes(natural.size());
  if (residual == Residual::Log) {
    law.log_predictions(fitted, features, value, slopes);
  } else {
    law.predictions(fitted, features, value, slopes);
  }
  return delta_error(law, fit, slopes);
}

Band around(double value, double half_width, Residual residual) {
  if (residual == Residual::Log) return {value * std::exp(-half_width), value * std::exp(half_width)};
  return {value - half_width, value + half_width};
}

Band middle_of(std::vector<double> values, double level) {
  Band band{kNan, kNan};
  std::tie(band.low, band.high) = percentile_interval(std::move(values), level);
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

Prediction predict_with_bands(const Law& law, const FitRecord& fit, std::span<const double> inputs, Residual residual,
                              double level) {
  const std::vector<double> natural = fit.estimates();
  BITLAW_CHECK(natural.size() == law.parameters().size(), "law {}: {} estimates", law.name(), natural.size());
  Prediction result{law.predict(natural, inputs), kNan, {kNan, kNan}, {kNan, kNan}, {kNan, kNan}, {kNan, kNan}};
  const DeltaError error = error_of(law, fit, natural, inputs, residual);
  if (std::isfinite(error.standard_error)) {
    const double t = error.quantile(level), own = error.standard_error;
    result.standard_error = own * (residual == Residual::Log ? result.value : 1);
    result.confidence = around(result.value, t * own, residual);
    result.prediction = around(result.value, t * std::hypot(own, fit.noise), residual);
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
    result.confidence_draws = middle_of(std::move(values), level);
    result.prediction_draws = middle_of(std::move(runs), level);
  }
  return result;
}

}  // namespace bitlaw
