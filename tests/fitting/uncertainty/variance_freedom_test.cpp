#include "fitting/uncertainty/variance_freedom.h"

#include <doctest/doctest.h>

#include <Eigen/Dense>
#include <array>
#include <cmath>

#include "fitting/laws/text_law.h"
#include "fitting/uncertainty/covariance.h"
#include "tests/fitting/planted.h"
#include "tests/fitting/relative.h"

using namespace bitlaw;

TEST_CASE("variance freedom: of a combination of the means of two groups they are Welch's") {
  // L = a + b x with runs at x = 0 and 1, so a + b x = (1 - x) m_0 + x m_1, whose variance is estimated by
  // (1 - x)^2 s_0^2 / n_0 + x^2 s_1^2 / n_1. Welch (1947), doi 10.1093/biomet/34.1-2.28, for s_0 and s_1 of one size.
  const auto law = text_law({.name = "two means", .formula = "a + b*x", .inputs = {"x"}});
  for (const auto& [first, second] : {std::pair{4, 9}, {20, 3}, {6, 6}}) {
    CAPTURE(first);
    Observations observations;
    for (int i = 0; i < first + second; ++i) {
      observations.inputs.push_back({i < first ? 0.0 : 1.0});
      observations.loss.push_back(2 + 0.1 * (i % 3));
      observations.ids.push_back(std::to_string(i));
    }
    observations.cluster = observations.ids;
    const Objective objective(*law, observations, {.loss = Loss::LeastSquares, .residual = Residual::Plain});
    const VarianceForm form =
        robust_covariance(objective, std::vector<double>{2.1, 0}, {true, true}, observations.cluster).form;
    for (const double x : {-3.0, 0.0, 0.3, 0.5, 1.0, 100.0}) {
      CAPTURE(x);
      const double one = (1 - x) * (1 - x) / first, other = x * x / second;
      const double welch = (one + other) * (one + other) / (one * one / (first - 1) + other * other / (second - 1));
      CHECK(variance_freedom(form, std::array{1.0, x}) == relative(welch, 1e-9));
      CHECK(variance_freedom(form, std::array{-1e-3, -1e-3 * x}) == relative(welch, 1e-9));  // of the same thing
    }
  }
}

TEST_CASE("variance freedom: in any direction it is that of the matrix of the variance, with several rows a run") {
  // G as the header has it, runs of three rows, whole matrices and their roots by eigenvalues.
  const Law& law = find_law("hestness");
  std::vector<std::vector<double>> inputs;
  for (double d = 1e6; d < 1e10; d *= 1.8) inputs.push_back({d});
  const std::vector<double> truth{300, 0.25, 1.5};
  Observations observations = planted(law, truth, inputs, 0.02, 3);
  const std::size_t n = observations.loss.size();
  for (std::size_t i = 0; i < n; ++i) observations.cluster[i] = std::to_string(i / 3);
  const Objective objective(law, observations, {.loss = Loss::LeastSquares});
  const std::vector<double> fitted = law.to_fitted(truth);
  std::vector<double> residuals(n), rows(n * 3);
  objective.residuals(fitted, residuals, rows);
  using Eigen::Index, Eigen::MatrixXd, Eigen::VectorXd;
  const auto count = static_cast<Index>(n);
  const MatrixXd jacobian = Eigen::Map<Eigen::Matrix<double, -1, 3, Eigen::RowMajor>>(rows.data(), count, 3);
  const MatrixXd bread = (jacobian.transpose() * jacobian).inverse();
  const MatrixXd rest = MatrixXd::Identity(count, count) - jacobian * bread * jacobian.transpose();
  const Covariance covariance = robust_covariance(objective, fitted, {true, true, true}, observations.cluster);
  for (const std::array<double, 3>& g :
       {std::array{1.0, 0.0, 0.0}, {0.0, 0.0, 1.0}, {1.0, -20.0, 3.0}, {1.0, 1.0, 1.0}}) {
    CAPTURE(g[1]);
    MatrixXd a = MatrixXd::Zero(count, (count + 2) / 3);  // [rows, runs]
    for (Index first = 0; first < count; first += 3) {
      const Index size = std::min<Index>(3, count - first);
      const MatrixXd root =
          Eigen::SelfAdjointEigenSolver<MatrixXd>(rest.block(first, first, size, size)).operatorInverseSqrt();
      a.block(first, first / 3, size, 1) =
          root * jacobian.middleRows(first, size) * bread * Eigen::Map<const VectorXd>(g.data(), 3);
    }
    const MatrixXd of_noise = a.transpose() * rest * a;
    const double expected = std::pow(of_noise.trace(), 2) / of_noise.squaredNorm();
    CHECK(variance_freedom(covariance.form, g) == relative(expected, 1e-6));
  }
}

TEST_CASE("variance freedom: nothing is known of no direction, nor without a form") {
  CHECK(std::isnan(variance_freedom({}, std::array{1.0, 2.0})));
  CHECK(std::isnan(variance_freedom({.axes = {1, 0}, .mean = {1}, .spread = {0.5}}, std::array{0.0, 2.0})));
  CHECK(variance_freedom({.axes = {1, 0}, .mean = {1}, .spread = {0.5}}, std::array{3.0, 2.0}) == 2);
}
