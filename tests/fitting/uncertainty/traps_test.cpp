// Published traps of fitting scaling laws: each reproduced, then shown not to catch our fit.
#include <doctest/doctest.h>

#include <Eigen/Dense>
#include <cmath>

#include "fitting/fit/fit.h"
#include "fitting/fit/minimize.h"
#include "fitting/uncertainty/derived.h"
#include "tests/fitting/planted.h"
#include "tests/fitting/relative.h"

using namespace bitlaw;

namespace {

constexpr int kPoints = 9;  // on each curve of constant compute
const std::vector<double> kUnequal{500, 0.5, 900, 0.3, 1.7};
const std::vector<double> kEqual{500, 0.4, 900, 0.4, 1.7};
const std::vector<double> kBudgets{1e18, 1e19, 1e20, 1e21, 1e22};  // [FLOP]

/// Where alpha A N^-alpha = beta B D^-beta at C = 6 N D.
double true_optimum(const std::vector<double>& t, double compute) {
  return std::pow(t[1] * t[0] / (t[3] * t[2]) * std::pow(compute / 6, t[3]), 1 / (t[1] + t[3]));
}

/// log N at `compute`: kPoints evenly spaced within -+ `width` of the true optimum.
double log_params(const std::vector<double>& truth, double compute, double width, int i) {
  return std::log(true_optimum(truth, compute)) + width * (2.0 * i / (kPoints - 1) - 1);
}

/// Approach 2: log of the lowest N of the parabola in log N through exact losses, less that of the true optimum.
double parabola_bias(const std::vector<double>& truth, double compute, double width) {
  Eigen::MatrixXd powers(kPoints, 3);
  Eigen::VectorXd loss(kPoints);
  const double center = std::log(true_optimum(truth, compute));
  for (int i = 0; i < kPoints; ++i) {
    const double x = log_params(truth, compute, width, i), n = std::exp(x);
    powers.row(i) << 1, x - center, (x - center) * (x - center);
    loss(i) = find_law("chinchilla").predict(truth, std::vector<double>{n, compute / (6 * n)});
  }
  const Eigen::VectorXd c = powers.colPivHouseholderQr().solve(loss);
  return -c(1) / (2 * c(2));
}

}  // namespace

TEST_CASE("traps: parabolas at constant compute (Approach 2) are biased without any noise, unless alpha = beta") {
  // About the optimum L - E ~ exp(-alpha x) / alpha + exp(beta x) / beta. Its cubic term, projected on the line, moves
  // the minimum by (alpha - beta) / 6 * m4 / m2, m2 and m4 the mean of x^2 and x^4 over the points.
  const double width = std::log(2.0);
  double m2 = 0, m4 = 0;
  for (int i = 0; i < kPoints; ++i) {
    const double x = width * (2.0 * i / (kPoints - 1) - 1);
    m2 += x * x / kPoints;
    m4 += x * x * x * x / kPoints;
  }
  for (const double compute : kBudgets) {
    CHECK(parabola_bias(kUnequal, compute, width) == doctest::Approx(0.2 / 6 * m4 / m2).epsilon(0.03));
    CHECK(parabola_bias(kUnequal, compute, std::log(16.0)) > 0.1);  // N too large by more than 10 %
    CHECK(std::abs(parabola_bias(kEqual, compute, std::log(16.0))) < 1e-9);
  }
}

TEST_CASE("traps: our fit of the losses that bias Approach 2 finds the true optimum") {
  std::vector<std::vector<double>> points;
  for (const double compute : kBudgets) {
    for (int i = 0; i < kPoints; ++i) {
      const double n = std::exp(log_params(kUnequal, compute, std::log(16.0), i));
      points.push_back({n, compute / (6 * n)});
    }
  }
  const Law& law = find_law("chinchilla");
  const FitRecord fit = fit_law(law, planted(law, kUnequal, points), {.bootstrap = 0}, "constant compute");
  const std::vector<double> found = fit.estimates();
  for (const double compute : kBudgets) {
    CHECK(std::abs(std::log(true_optimum(found, compute) / true_optimum(kUnequal, compute))) < 1e-4);
  }
}

TEST_CASE("traps: the gradient of a mean is below a usual tolerance far from the optimum, where ours goes on") {
  // Besiroglu et al. 2024: the mean of the Huber terms let L-BFGS-B (projected gradient below 1e-5) stop early.
  const Law& law = find_law("chinchilla");
  Observations data = planted(law, kChinchillaTruth, chinchilla_design(), 0.01, 3);
  const auto n = static_cast<double>(data.loss.size());
  const FitRecord fit = fit_law(law, data, {.bootstrap = 0}, "sum");
  const std::vector<double> natural = fit.estimates();

  const Objective objective(law, data, {.delta = 1e-3});
  std::vector<double> stopped = law.to_fitted(natural);
  stopped[1] += 0.5 * fit.parameters[1].standard_error;  // alpha half a standard error away, the others at their best
  const double there = minimize(objective, stopped, {false, true, false, false, false}).cost;
  stopped = minimize(objective, stopped, {false, true, false, false, false}).fitted;
  double largest = 0;
  for (const double slope : objective.gradient(stopped)) largest = std::max(largest, std::abs(slope) / n);
  CHECK(largest < 1e-5);
  CHECK(there > fit.cost * (1 + 1e-4));

  // Our objective is the sum, term by term, and dividing it by n changes no estimate.
  double sum = 0;
  for (std::size_t i = 0; i < fit.observed.size(); ++i) {
    const double r = std::abs(std::log(fit.predicted[i] / fit.observed[i]));
    sum += r <= 1e-3 ? r * r / 2 : 1e-3 * (r - 5e-4);
  }
  CHECK(fit.cost == relative(sum, 1e-12));
  data.weights.assign(data.loss.size(), 1 / n);
  const FitRecord mean = fit_law(law, data, {.bootstrap = 0}, "mean");
  CHECK(mean.cost == relative(fit.cost / n, 1e-9));
  for (std::size_t j = 0; j < natural.size(); ++j) {
    const double off = mean.parameters[j].estimate - fit.parameters[j].estimate;
    CHECK(std::abs(off) < 1e-4 * fit.parameters[j].standard_error);
  }
}

TEST_CASE("traps: on one ray D = 20 N the fit warns and leaves the intervals of A and B open") {
  std::vector<std::vector<double>> ray;
  for (double n = 1e7; n < 2e10; n *= 2) ray.push_back({n, 20 * n});
  const Law& law = find_law("chinchilla");
  const FitRecord fit =
      fit_law(law, planted(law, kChinchillaTruth, ray, 0.005, 1), {.bootstrap = 0, .profile = true}, "ray");
  CHECK(std::any_of(fit.warnings.begin(), fit.warnings.end(), [](const std::string& warning) {
    return warning.starts_with("all runs lie on one ray D/N = 20,") &&
           warning.find("repeat the smallest") != std::string::npos;
  }));
  for (const std::size_t j : {0, 2}) {
    CAPTURE(fit.parameters[j].name);
    CHECK(fit.parameters[j].profile_low == -INFINITY);
    CHECK(std::isinf(fit.parameters[j].profile_high));
  }
}

TEST_CASE("traps: on a ray the coefficients' condition number grows as 1 / (alpha - beta)^2 when it is squared") {
  std::vector<std::vector<double>> ray;
  for (double n = 1e7; n < 2e10; n *= 2) ray.push_back({n, 20 * n});
  const Law& law = find_law("chinchilla");
  std::vector<double> scaled;
  for (const double gap : {0.04, 0.02, 0.01}) {
    const std::vector<double> truth{482, 0.35 + gap / 2, 482 * std::pow(20, 0.35), 0.35 - gap / 2, 1.8};
    const FitRecord fit =
        fit_law(law, planted(law, truth, ray, 0.001, 1),
                {.bootstrap = 0, .fixed = {{"alpha", truth[1]}, {"beta", truth[3]}, {"E", 1.8}}}, "coefficients");
    scaled.push_back(std::pow(fit.condition_number * gap, 2));
  }
  CHECK(scaled[1] == relative(scaled[0], 0.2));
  CHECK(scaled[2] == relative(scaled[1], 0.2));
}
