#include "fitting/predict/quantity.h"

#include <doctest/doctest.h>

#include <cmath>
#include <utility>

#include "core/base/limits.h"
#include "tests/fitting/relative.h"

namespace bitlaw {
namespace {

TEST_CASE("quantity: its t is of the least degrees of freedom among the parameters that it depends on") {
  const Law& law = find_law("chinchilla");
  FitRecord fit;
  fit.law = "chinchilla";
  for (const double value : {400.0, 0.34, 410.0, 0.28, 1.7}) {
    fit.parameters.push_back({.name = "", .units = "", .estimate = value});
  }
  fit.degrees_of_freedom = 100;
  fit.covariance.assign(25, 0);
  for (std::size_t j = 0; j < 5; ++j) fit.covariance[6 * j] = std::pow(0.1 * fit.parameters[j].estimate, 2);
  // Intervals of A and B with Student's quantiles of 97.5 % as tables print them, for 3 and 10 degrees of freedom.
  for (const auto& [j, t] : {std::pair{0, 3.182446}, {2, 2.228139}}) {
    FittedParameter& parameter = fit.parameters[static_cast<std::size_t>(j)];
    parameter.standard_error = 0.1 * parameter.estimate;
    parameter.ci_low = parameter.estimate * std::exp(-0.1 * t);
    parameter.ci_high = parameter.estimate * std::exp(0.1 * t);
  }
  const auto t_of = [&](const auto& value) {  // ln A and ln B have standard errors of 0.1
    const Quantity quantity = quantity_of(law, fit, value);
    return std::log(quantity.interval.high / quantity.value) / 0.1;
  };
  CHECK(t_of([](auto p) { return p[0]; }) == relative(3.182446, 1e-6));
  CHECK(t_of([](auto p) { return p[2]; }) == relative(2.228139, 1e-6));
  CHECK(t_of([](auto p) { return p[0] * p[2]; }) == relative(3.182446 * std::sqrt(2), 1e-6));
  CHECK(t_of([](auto p) { return std::exp(p[4]); }) == relative(1.983972 * 1.7, 1e-6));  // none of its own: 100
  // One that the quantity hardly depends on, as derivatives of a search pretend, decides nothing.
  CHECK(t_of([](auto p) { return p[2] * std::pow(p[0], 1e-4); }) == relative(2.228139, 1e-6));
  // A fit that knows only all runs' degrees of freedom.
  for (FittedParameter& parameter : fit.parameters) parameter.standard_error = kNan;
  CHECK(t_of([](auto p) { return p[0]; }) == relative(1.983972, 1e-6));
}

}  // namespace
}  // namespace bitlaw
