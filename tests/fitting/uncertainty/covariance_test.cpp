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

namespace {

/// Of residuals of equal weight, which says nothing however large it is.
std::vector<double> curvature_of(const std::vector<double>& residuals, double delta, std::size_t q) {
  return huber_curvature(residuals, std::vector<double>(residuals.size(), 0.3), delta, q);
}

/// Chinchilla's design of 36 runs, of which two in three of each size have `weight` and 100 times the
/// noise, or are left out where it is 0.
Observations weighted_runs(double weight, std::uint64_t seed) {
  const Law& law = find_law("chinchilla");
  const Observations precise = planted(law, kChinchillaTruth, chinchilla_design(), 0.005, seed),
                     rough = planted(law, kChinchillaTruth, chinchilla_design(), 0.5, seed + 1);
  Observations result;
  for (std::size_t i = 0; i < precise.loss.size(); ++i) {
    const bool kept = i % 3 == i / 6 % 3;
    if (!kept && weight == 0) continue;
    result.inputs.push_back(precise.inputs[i]);
    result.loss.push_back(kept ? precise.loss[i] : rough.loss[i]);
    result.cluster.push_back(precise.cluster[i]);
    result.ids.push_back(precise.ids[i]);
    result.weights.push_back(kept ? 1 : weight);
  }
  return result;
}

}  // namespace

TEST_CASE("curvature: for a threshold far below the residuals it is the density at zero times 2 delta") {
  // Residuals at the quantiles of a normal distribution: P(|r| < delta) = 2 delta phi(0) / sigma for small delta.
  const double sigma = 0.01, delta = 1e-5;
  const int n = 20001;
  std::vector<double> residuals;
  for (int i = 0; i < n; ++i) residuals.push_back(sigma * quantile(boost::math::normal(), (i + 0.5) / n));
  const std::vector<double> curvature = curvature_of(residuals, delta, 0);
  const double mean = std::accumulate(curvature.begin(), curvature.end(), 0.0) / n;
  // The window holds 7 % of the residuals, half width 0.09 sigma, over which the density falls by 0.1 %.
  CHECK(mean == relative(2 * delta * 0.3989423 / sigma, 0.005));
}

TEST_CASE("curvature: of 31 residuals as well, though their window reaches out to where the density is lower") {
  const double sigma = 0.01, delta = 1e-5;
  const int n = 31;
  std::vector<double> residuals;
  for (int i = 0; i < n; ++i) residuals.push_back(sigma * quantile(boost::math::normal(), (i + 0.5) / n));
  const std::vector<double> curvature = curvature_of(residuals, delta, 0);
  const double mean = std::accumulate(curvature.begin(), curvature.end(), 0.0) / n;
  // The window's mean density is 13 % too low; its ends lie between two residuals, of which one is 5 % of those inside.
  CHECK(mean == relative(2 * delta * 0.3989423 / sigma, 0.05));
}

TEST_CASE("curvature: for a threshold above all residuals every one counts, as in least squares") {
  CHECK(curvature_of({-0.1, 0.2, 0.3, -0.4}, 1, 1) == std::vector<double>(4, 1.0));
}

TEST_CASE("curvature: the residuals that the fit pulled to zero do not narrow the window") {
  std::vector<double> residuals(100), with_zeros(100);
  for (std::size_t i = 0; i < 100; ++i) residuals[i] = (i % 2 == 0 ? 0.0001 : -0.0001) * static_cast<double>(i + 1);
  with_zeros = residuals;
  with_zeros.insert(with_zeros.end(), 5, 0.0);
  const auto largest = [](const std::vector<double>& v) { return *std::max_element(v.begin(), v.end()); };
  CHECK(largest(curvature_of(with_zeros, 1e-6, 5)) == relative(largest(curvature_of(residuals, 1e-6, 0)), 1e-12));
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

TEST_CASE("covariance: runs of next to no weight count as much as runs that are not there") {
  const Law& law = find_law("chinchilla");
  const std::vector<double> fitted = law.to_fitted(kChinchillaTruth);
  const std::vector<bool> free(5, true);
  const Observations all = weighted_runs(1e-13, 3), some = weighted_runs(0, 3);
  REQUIRE(some.loss.size() == 12);
  for (const ObjectiveSpec& spec :
       {ObjectiveSpec{.delta = 10}, {.delta = 1e-3}, {.loss = Loss::StudentT, .scale = 0.005}}) {
    CAPTURE(describe(spec));
    const Covariance with = robust_covariance(Objective(law, all, spec), fitted, free, all.cluster);
    const Covariance without = robust_covariance(Objective(law, some, spec), fitted, free, some.cluster);
    for (std::size_t j = 0; j < 5; ++j) {
      CHECK(with.matrix[j * 6] == relative(without.matrix[j * 6], 1e-4));
      CHECK(with.inverse_curvature[j * 6] == relative(without.inverse_curvature[j * 6], 1e-4));
      CHECK(with.freedom[j] == relative(without.freedom[j], 1e-4));
    }
    CHECK(with.condition_number == relative(without.condition_number, 1e-4));
  }
}

TEST_CASE("covariance: of a weighted mean it is the textbook's, with the shares of the weights as leverages") {
  // theta = sum w y / sum w has variance sum w^2 r^2 / (1 - h) / (sum w)^2 with h = w / sum w, unbiased where the noise
  // has a variance ~ 1/w; its degrees of freedom are 2 E^2 / Var of that form, by the eigenvalues of its matrix.
  const std::vector<double> weights{1, 4, 0.25, 9, 2, 0.5, 3, 1},
      noise{0.02, -0.01, 0.05, 0.004, -0.03, 0.1, 0.01, -0.06};
  const auto n = static_cast<Eigen::Index>(weights.size());
  Observations observations;
  double sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    observations.inputs.push_back({1e9, 1e9});
    observations.loss.push_back(std::exp(noise[i]));
    observations.cluster.push_back(std::to_string(i));
    observations.ids.push_back(std::to_string(i));
    observations.weights.push_back(weights[i]);
    sum += weights[i];
  }
  const Objective objective(find_law("chinchilla"), observations, {.loss = Loss::LeastSquares});
  std::vector<bool> free;
  for (const bool held : kOnlyE) free.push_back(!held);
  const Covariance covariance = robust_covariance(objective, kNoTerms, free, observations.cluster);  // at log E = 0
  double variance = 0;
  const Eigen::Map<const Eigen::VectorXd> w(weights.data(), n);
  const Eigen::VectorXd unit = (w / sum).cwiseSqrt();  // the hat matrix of the whitened rows is unit unit^T
  Eigen::MatrixXd form = Eigen::MatrixXd::Zero(n, n);
  const Eigen::MatrixXd spread = Eigen::MatrixXd::Identity(n, n) - unit * unit.transpose();
  for (Eigen::Index i = 0; i < n; ++i) {
    const double h = w(i) / sum, share = w(i) / sum / sum / (1 - h);
    variance += w(i) * share * noise[static_cast<std::size_t>(i)] * noise[static_cast<std::size_t>(i)];
    form += share * spread.col(i) * spread.col(i).transpose();
  }
  const Eigen::VectorXd eigenvalues = Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(form).eigenvalues();
  CHECK(covariance.matrix[24] == relative(variance, 1e-9));
  CHECK(covariance.freedom[4] == relative(eigenvalues.sum() * eigenvalues.sum() / eigenvalues.squaredNorm(), 1e-9));
}
