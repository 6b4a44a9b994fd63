#include "fitting/design/information.h"

#include "core/base/check.h"

namespace bitlaw {

std::vector<double> DesignPoint::slope(std::span<const double> inputs) const {
  BITLAW_CHECK(noise > 0, "noise {}", noise);
  const std::vector<double> fitted = law.to_fitted(natural), features = law.features(inputs);
  std::vector<double> value(1), all(fitted.size()), slope;
  if (residual == Residual::Log) {
    law.log_predictions(fitted, features, value, all);
  } else {
    law.predictions(fitted, features, value, all);
  }
  for (std::size_t j = 0; j < all.size(); ++j) {
    if (free[j]) slope.push_back(all[j] / noise);
  }
  return slope;
}

std::vector<double> DesignPoint::coordinate(std::size_t parameter) const {
  BITLAW_CHECK(free[parameter], "parameter {} is held", parameter);
  std::vector<double> unit;
  for (std::size_t j = 0; j < free.size(); ++j) {
    if (free[j]) unit.push_back(j == parameter ? 1 : 0);
  }
  return unit;
}

std::vector<double> information_of(const DesignPoint& point, const std::vector<std::vector<double>>& runs) {
  std::vector<double> widths;
  for (std::size_t j = 0; j < point.free.size(); ++j) {
    const LawParameter& parameter = point.law.parameters()[j];
    if (point.free[j]) widths.push_back(to_fitted(parameter, parameter.upper) - to_fitted(parameter, parameter.lower));
  }
  const std::size_t q = widths.size();
  std::vector<double> information(q * q);
  for (std::size_t j = 0; j < q; ++j) information[j * q + j] = 12 / (widths[j] * widths[j]);
  for (const std::vector<double>& inputs : runs) {
    const std::vector<double> slope = point.slope(inputs);
    for (std::size_t j = 0; j < q; ++j) {
      for (std::size_t k = 0; k < q; ++k) information[j * q + k] += slope[j] * slope[k];
    }
  }
  return information;
}

}  // namespace bitlaw
