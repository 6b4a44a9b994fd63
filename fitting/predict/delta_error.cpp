#include "fitting/predict/delta_error.h"

#include <cmath>
#include <vector>

#include "core/base/distributions.h"
#include "fitting/uncertainty/variance_freedom.h"

namespace bitlaw {

double DeltaError::quantile(double level) const { return student_quantile(freedom, (1 + level) / 2); }

DeltaError delta_error(const Law& law, const FitRecord& fit, std::span<const double> slopes) {
  const std::size_t p = slopes.size();
  if (fit.covariance.size() != p * p || !(fit.degrees_of_freedom > 0)) return {};
  std::vector<double> slope(slopes.begin(), slopes.end());  // d quantity / d natural, as the record's covariance is
  for (std::size_t j = 0; j < p; ++j) {
    if (law.parameters()[j].transform == Transform::Log) slope[j] /= fit.parameters[j].estimate;
  }
  double variance = 0;
  for (std::size_t j = 0; j < p; ++j) {
    for (std::size_t k = 0; k < p; ++k) {
      if (slope[j] == 0 || slope[k] == 0) continue;  // the covariance may have NaNs there
      variance += slope[j] * fit.covariance[j * p + k] * slope[k];
    }
  }
  if (!std::isfinite(variance)) return {};
  const double own = variance_freedom(fit.variance_form, slopes);
  return {.standard_error = std::sqrt(variance), .freedom = own > 0 ? own : fit.degrees_of_freedom};
}

}  // namespace bitlaw
