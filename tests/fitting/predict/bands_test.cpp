#include "fitting/predict/bands.h"

#include <doctest/doctest.h>

#include <boost/math/distributions/students_t.hpp>
#include <cmath>

#include "core/record/fit_json.h"
#include "fitting/fit/fit.h"
#include "fitting/laws/text_law.h"
#include "tests/fitting/planted.h"
#include "tests/fitting/relative.h"

namespace bitlaw {
namespace {

double variance_of(const std::vector<double>& values, double mean) {
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return sum / static_cast<double>(values.size() - 1);
}

TEST_CASE("bands: of two groups of runs they are Welch's, at, between and beyond them, from a file as well") {
  // L = a + b x with runs at x = 0 and 1: (1 - x) m_0 + x m_1, with t of Welch's degrees of freedom for noise of one
  // size.
  const std::vector<double> at_0{2.1, 2.4, 1.9, 2.0}, at_1{3.3, 3.1, 3.0, 3.6, 3.2, 2.9, 3.5, 3.4, 3.1};
  const double mean_0 = 8.4 / 4, mean_1 = 29.1 / 9;
  const double square_0 = variance_of(at_0, mean_0) / 4, square_1 = variance_of(at_1, mean_1) / 9;
  Observations observations;
  for (const auto& [x, values] : {std::pair{0.0, at_0}, {1.0, at_1}}) {
    for (const double value : values) {
      observations.inputs.push_back({x});
      observations.loss.push_back(value);
      observations.ids.push_back(std::to_string(observations.ids.size()));
    }
  }
  observations.cluster = observations.ids;
  const auto law = text_law({.name = "two means", .formula = "a + b*x", .inputs = {"x"}});
  const FitOptions options{.objective = {.loss = Loss::LeastSquares, .residual = Residual::Plain}, .bootstrap = 0};
  const FitRecord fitted = fit_law(*law, observations, options, "fit");
  for (const FitRecord& fit : {fitted, fit_from_json(fit_to_json(fitted), "fit.json")}) {
    for (const double x : {0.0, 0.4, 1.0, 30.0}) {
      for (const double level : {0.95, 0.6}) {
        CAPTURE(x);
        const double one = (1 - x) * (1 - x) / 4, other = x * x / 9;
        const boost::math::students_t welch((one + other) * (one + other) / (one * one / 3 + other * other / 8));
        const double error = std::sqrt((1 - x) * (1 - x) * square_0 + x * x * square_1);
        const Prediction p = predict_with_bands(*law, fit, std::vector{x}, Residual::Plain, level);
        CHECK(p.value == relative(mean_0 + x * (mean_1 - mean_0), 1e-7));
        CHECK(p.standard_error == relative(error, 1e-6));
        const double t = quantile(welch, (1 + level) / 2);
        CHECK(p.confidence.high - p.value == relative(t * error, 1e-6));
        CHECK(p.value - p.confidence.low == relative(t * error, 1e-6));
        CHECK(p.prediction.high - p.value == relative(t * std::hypot(error, fit.noise), 1e-6));
      }
    }
  }
}

TEST_CASE("bands: of a mean of logarithms they have the runs less one, at any inputs") {
  Observations observations;
  for (int i = 0; i < 7; ++i) {
    observations.inputs.push_back({1e8 * (i + 1), 1e10});
    observations.loss.push_back(std::exp(0.01 * ((i * 5) % 7)));  // logarithms 0, 0.01, ... 0.06 in some order
    observations.ids.push_back(std::to_string(i));
  }
  observations.cluster = observations.ids;
  FitOptions options{.objective = {.loss = Loss::LeastSquares}, .bootstrap = 0};
  options.fixed = {{"A", 1e-6}, {"alpha", 5}, {"B", 1e-6}, {"beta", 5}};  // terms below 1e-40
  const Law& law = find_law("chinchilla");
  const FitRecord fit = fit_law(law, observations, options, "fit");
  const double t = 2.446912,
               error = 0.01 * std::sqrt(28.0 / 6 / 7);  // 97.5 %, 6 degrees of freedom, as tables print it
  for (const double tokens : {1e9, 1e15}) {
    const Prediction p = predict_with_bands(law, fit, std::vector{1e12, tokens}, Residual::Log);
    CHECK(std::log(p.confidence.high) == relative(0.03 + t * error, 1e-6));
    CHECK(std::log(p.confidence.low) == relative(0.03 - t * error, 1e-6));
  }
}

TEST_CASE("bands: a record without a form for its degrees of freedom has runs less parameters") {
  const Law& law = find_law("chinchilla");
  FitRecord fit = fit_law(law, planted(law, kChinchillaTruth, chinchilla_design(), 0.005, 3), {.bootstrap = 0}, "fit");
  const auto t_of = [&] {
    const Prediction p = predict_with_bands(law, fit, std::vector{1.5e10, 3e11}, Residual::Log);
    return std::log(p.confidence.high / p.value) / (p.standard_error / p.value);
  };
  // At the largest run: 7.3 degrees of freedom by the matrices of an equal-noise fit, so t = 2.34 and not 2.04 of 31.
  CHECK(t_of() == relative(2.34, 0.01));
  fit.variance_form = {};
  CHECK(t_of() == relative(2.039513, 1e-6));
}

}  // namespace
}  // namespace bitlaw
