#include "fitting/uncertainty/covariance.h"

#include <doctest/doctest.h>

#include <Eigen/Dense>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <numeric>

#include "fitting/laws/text_law.h"
#include "tests/fitting/planted.h"
#include "tests/fitting/relative.h"

using namespace bitlaw;

TEST_CASE("curvature: for a threshold far below the residuals it is the density at zero times 2 delta") {
  // Residuals at the quantiles of a normal distribution: P(|r| < delta) = 2 delta phi(0) / sigma for small delta.
  const double sigma = 0.01, delta = 1e-5;
  const int n = 20001;
  std::vector<double> residuals;
  for (int i = 0; i < n; ++i) residuals.push_back(sigma * quantile(boost::math::normal(), (i + 0.5) / n));
  const std::vector<double> curvature = huber_curvature(residuals, delta, 0);
  const double mean = std::accumulate(curvature.begin(), curvature.end(), 0.0) / n;
  // The window holds 7 % of the residuals, half width 0.09 sigma, over which the density falls by 0.1 %.
  CHECK(mean == relative(2 * delta * 0.3989423 / sigma, 0.005));
}

TEST_CASE("curvature: of 31 residuals as well, though their window reaches out to where the density is lower") {
  const double sigma = 0.01, delta = 1e-5;
  const int n = 31;
  std::vector<double> residuals;
  for (int i = 0; i < n; ++i) residuals.push_back(sigma * quantile(boost::math::normal(), (i + 0.5) / n));
  const std::vector<double> curvature = huber_curvature(residuals, delta, 0);
  const double mean = std::accumulate(curvature.begin(), curvature.end(), 0.0) / n;
  // The window's mean density is 13 % too low; its ends lie between two residuals, of which one is 5 % of those inside.
  CHECK(mean == relative(2 * delta * 0.3989423 / sigma, 0.05));
}

TEST_CASE("curvature: for a threshold above all residuals every one counts, as in least squares") {
  CHECK(huber_curvature(std::vector<double>{-0.1, 0.2, 0.3, -0.4}, 1, 1) == std::vector<double>(4, 1.0));
}

TEST_CASE("curvature: the residuals that the fit pulled to zero do not narrow the window") {
  std::vector<double> residuals(100), with_zeros(100);
  for (std::size_t i = 0; i < 100; ++i) residuals[i] = (i % 2 == 0 ? 0.0001 : -0.0001) * static_cast<double>(i + 1);
  with_zeros = residuals;
  with_zeros.insert(with_zeros.end(), 5, 0.0);
  const auto largest = [](const std::vector<double>& v) { return *std::max_element(v.begin(), v.end()); };
  CHECK(largest(huber_curvature(with_zeros, 1e-6, 5)) == largest(huber_curvature(residuals, 1e-6, 0)));
}

TEST_CASE("covariance: rows repeated within their runs add no information") {
  const Law& law = find_law("chinchilla");
  const Observations once = planted(law, kChinchillaTruth, chinchilla_design(), 0.01, 1);
  Observations twice = once;
  twice.inputs.insert(twice.inputs.end(), once.inputs.begin(), once.inputs.end());
  twice.loss.insert(twice.loss.end(), once.loss.begin(), once.loss.end());
  twice.cluster.insert(twice.cluster.end(), once.cluster.begin(), once.cluster.end());
  const std::vector<double> fitted = law.to_fitted(kChinchillaTruth);
  const std::vector<bool> free(5, true);
  const Covariance single = robust_covariance(Objective(law, once, {.delta = 10}), fitted, free, once.cluster);
  const Covariance doubled = robust_covariance(Objective(law, twice, {.delta = 10}), fitted, free, twice.cluster);
  for (std::size_t j = 0; j < 5; ++j) {
    CHECK(doubled.matrix[j * 6] == relative(single.matrix[j * 6], 1e-9));
  }
  CHECK(doubled.degrees_of_freedom == 36 - 5);
}

TEST_CASE("covariance: parameters that are not free have zero rows, and the rest is the covariance without them") {
  const Law& law = find_law("chinchilla");
  const Observations observations = planted(law, kChinchillaTruth, chinchilla_design(), 0.01, 1);
  const Objective objective(law, observations, {.delta = 1e-3});
  const std::vector<double> fitted = law.to_fitted(kChinchillaTruth);
  const Covariance held = robust_covariance(objective, fitted, {true, false, true, false, true}, observations.cluster);
  const Covariance all = robust_covariance(objective, fitted, std::vector<bool>(5, true), observations.cluster);
  CHECK(held.matrix[1 * 5 + 1] == 0);
  CHECK(held.matrix[1 * 5 + 0] == 0);
  CHECK(held.matrix[0] < all.matrix[0]);  // knowing alpha and beta makes A more certain
  CHECK(held.degrees_of_freedom == all.degrees_of_freedom + 2);
  CHECK(held.condition_number < all.condition_number);
}

TEST_CASE("covariance: with several rows a run it is the formula with the roots of whole matrices") {
  // V = (J^T J)^-1 sum_c J_c^T A_c r_c r_c^T A_c J_c (J^T J)^-1, A_c = (I - J_c (J^T J)^-1 J_c^T)^-1/2 by eigenvalues.
  const Law& law = find_law("hestness");
  std::vector<std::vector<double>> inputs;
  for (double d = 1e6; d < 1e10; d *= 1.8) inputs.push_back({d});
  Observations observations = planted(law, std::vector<double>{300, 0.25, 1.5}, inputs, 0.02, 3);
  const std::size_t n = observations.loss.size();
  for (std::size_t i = 0; i < n; ++i) observations.cluster[i] = std::to_string(i / 3);
  const Objective objective(law, observations, {.loss = Loss::LeastSquares});
  const std::vector<double> fitted = law.to_fitted(std::vector<double>{300, 0.25, 1.5});
  std::vector<double> residuals(n), rows(n * 3);
  objective.residuals(fitted, residuals, rows);
  using Eigen::Index, Eigen::MatrixXd;
  const MatrixXd jacobian =
      Eigen::Map<Eigen::Matrix<double, -1, 3, Eigen::RowMajor>>(rows.data(), static_cast<Index>(n), 3);
  const MatrixXd bread = (jacobian.transpose() * jacobian).inverse();
  MatrixXd meat = MatrixXd::Zero(3, 3);
  for (Index first = 0; first < static_cast<Index>(n); first += 3) {
    const Index count = std::min<Index>(3, static_cast<Index>(n) - first);
    const MatrixXd block = jacobian.middleRows(first, count);
    const Eigen::SelfAdjointEigenSolver<MatrixXd> rest(MatrixXd::Identity(count, count) -
                                                       block * bread * block.transpose());
    const Eigen::VectorXd r = Eigen::Map<Eigen::VectorXd>(residuals.data() + first, count);
    const Eigen::VectorXd score = block.transpose() * rest.operatorInverseSqrt() * r;
    meat += score * score.transpose();
  }
  const MatrixXd expected = bread * meat * bread;
  const Covariance covariance = robust_covariance(objective, fitted, {true, true, true}, observations.cluster);
  for (Index j = 0; j < 3; ++j) {
    for (Index k = 0; k < 3; ++k) {
      CHECK(covariance.matrix[static_cast<std::size_t>(3 * j + k)] == relative(expected(j, k), 1e-6));
    }
  }
}

namespace {

/// Degrees of freedom of the difference between the means of two groups of runs, L = a + b x.
double freedom_of_difference(std::size_t first, std::size_t second) {
  const auto law = text_law({.name = "two means", .formula = "a + b*x", .inputs = {"x"}});
  Observations observations;
  for (std::size_t i = 0; i < first + second; ++i) {
    observations.inputs.push_back({i < first ? 0.0 : 1.0});
    observations.loss.push_back(2 + 0.1 * static_cast<double>(i % 3));
    observations.ids.push_back(std::to_string(i));
  }
  observations.cluster = observations.ids;
  const Objective objective(*law, observations, {.loss = Loss::LeastSquares, .residual = Residual::Plain});
  return robust_covariance(objective, std::vector<double>{2.1, 0}, {true, true}, observations.cluster).freedom[1];
}

}  // namespace

TEST_CASE("covariance: degrees of freedom of a difference of two means are Bell and McCaffrey's") {
  // Imbens & Kolesar 2016, doi 10.1162/REST_a_00552, §3: (N0 + N1)^2 (N0 - 1) (N1 - 1) / (N1^2 (N1 - 1) + N0^2 (N0 -
  // 1)), 2.5 for 27 and 3. Of equal groups all runs count.
  CHECK(freedom_of_difference(27, 3) == relative(900.0 * 26 * 2 / (9 * 2 + 729 * 26), 1e-9));
  CHECK(freedom_of_difference(15, 15) == relative(28, 1e-9));
}

TEST_CASE("covariance: degrees of freedom of a mean of runs of equal length are one less than the runs") {
  Observations observations;
  for (int i = 0; i < 24; ++i) {
    observations.inputs.push_back({1e8, 1e10});
    observations.loss.push_back(2 + 0.1 * (i % 5));
    observations.cluster.push_back(std::to_string(i / 3));
  }
  const Objective objective(find_law("chinchilla"), observations, {.loss = Loss::LeastSquares});
  std::vector<bool> free = kOnlyE;
  free.flip();
  const Covariance covariance = robust_covariance(objective, kNoTerms, free, observations.cluster);
  CHECK(covariance.freedom[4] == relative(7, 1e-9));
  CHECK(covariance.freedom[0] == 0);
}
