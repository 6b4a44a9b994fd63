#include "fitting/predict/quantity.h"

#include <cmath>
#include <tuple>
#include <vector>

#include "core/base/check.h"
#include "core/base/limits.h"
#include "fitting/predict/delta_error.h"
#include "fitting/uncertainty/bootstrap.h"
#include "fitting/uncertainty/derived.h"

namespace bitlaw {
namespace {

constexpr double kEndless = 1e308;

}  // namespace

Quantity quantity_of(const Law& law, const FitRecord& fit,
                     const std::function<double(std::span<const double> natural)>& value_of) {
  const std::vector<double> natural = fit.estimates();
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
  if (fit.covariance.empty() || !(fit.degrees_of_freedom > 0)) return quantity;  // derivatives may be many searches
  const Derived log_value{.name = "", .units = "", .value = [&](auto at) { return std::log(value_of(at)); }};
  const DeltaError error = delta_error(law, fit, gradient_of(law, log_value, law.to_fitted(natural)));
  if (std::isnan(error.standard_error)) return quantity;
  const double half = error.quantile(fit.level) * error.standard_error;
  quantity.interval = {quantity.value * std::exp(-half), quantity.value * std::exp(half)};
  return quantity;
}

}  // namespace bitlaw
