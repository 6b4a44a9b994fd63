#include "fitting/predict/quantity.h"

#include <doctest/doctest.h>

#include <boost/math/distributions/students_t.hpp>
#include <cmath>

#include "tests/fitting/relative.h"

namespace bitlaw {
namespace {

TEST_CASE("quantity: its t is of the degrees of freedom of its own variance, Welch's for independent estimates") {
  // ln A and ln B have errors of 0.1 with 3 and 10 degrees of freedom, E has one of 0.1 with 100.
  const Law& law = find_law("chinchilla");
  FitRecord fit;
  fit.law = "chinchilla";
  for (const double value : {400.0, 0.34, 410.0, 0.28, 1.7}) {
    fit.parameters.push_back({.name = "", .units = "", .estimate = value});
  }
  fit.degrees_of_freedom = 100;
  fit.covariance.assign(25, 0);
  for (std::size_t j = 0; j < 5; ++j) fit.covariance[6 * j] = std::pow(0.1 * fit.parameters[j].estimate, 2);
  fit.variance_form = {.axes = {0.1, 0, 0, 0, 0, 0, 0, 0.1, 0, 0}, .mean = {1, 0, 1}};
  fit.variance_form.spread = {1 / 3.0, 0, 0, 0, 1 / 10.0};  // z1^4 / 3 + z2^4 / 10
  const auto t_of = [&](const auto& value) {
    const Quantity quantity = quantity_of(law, fit, value);
    return std::log(quantity.interval.high / quantity.value) / 0.1;
  };
  // Student's quantiles of 97.5 % as tables print them for 3, 10 and 100, and for 4 / (1 / 3 + 1 / 10) = 9.230769.
  const boost::math::students_t welch(9.230769);
  CHECK(t_of([](auto p) { return p[0]; }) == relative(3.182446, 1e-6));
  CHECK(t_of([](auto p) { return p[2]; }) == relative(2.228139, 1e-6));
  CHECK(t_of([](auto p) { return p[0] * p[2]; }) == relative(quantile(welch, 0.975) * std::sqrt(2), 1e-6));
  CHECK(t_of([](auto p) { return std::exp(p[4]); }) == relative(1.983972 * 1.7, 1e-6));  // none of its own: all runs'
  fit.variance_form = {};  // a file from before it was written
  CHECK(t_of([](auto p) { return p[0]; }) == relative(1.983972, 1e-6));
}

}  // namespace
}  // namespace bitlaw
