#include "fitting/uncertainty/covariance.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "core/base/check.h"

namespace bitlaw {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kNoCurvature = 1e-12;  // singular values below this, relative: rounding noise
constexpr double kMaxLeverage = 0.95;
constexpr double kInvolved = 1e-6;  // loading from which a parameter belongs to such a direction

/// S of the header. jacobian [n, q], slope [n].
MatrixXd score_covariance(const MatrixXd& jacobian, const VectorXd& slope, std::span<const std::string> clusters) {
  // Leverages h_i = J_i (J^T J)^-1 J_i^T, from an orthonormal basis of the columns.
  const MatrixXd basis =
      Eigen::HouseholderQR<MatrixXd>(jacobian).householderQ() * MatrixXd::Identity(jacobian.rows(), jacobian.cols());
  std::map<std::string_view, VectorXd> scores;
  for (Index i = 0; i < jacobian.rows(); ++i) {
    auto [score, inserted] = scores.try_emplace(clusters[static_cast<std::size_t>(i)], VectorXd::Zero(jacobian.cols()));
    const double leverage = std::min(basis.row(i).squaredNorm(), kMaxLeverage);
    score->second += slope(i) / std::sqrt(1 - leverage) * jacobian.row(i).transpose();
  }
  MatrixXd sum = MatrixXd::Zero(jacobian.cols(), jacobian.cols());
  for (const auto& [run, score] : scores) sum += score * score.transpose();
  return sum;
}

std::vector<Index> indices_of(const std::vector<bool>& free) {
  std::vector<Index> indices;
  for (std::size_t j = 0; j < free.size(); ++j) {
    if (free[j]) indices.push_back(static_cast<Index>(j));
  }
  return indices;
}

}  // namespace

std::size_t count_distinct(std::span<const std::string> names) {
  return std::set<std::string_view>(names.begin(), names.end()).size();
}

std::vector<double> huber_curvature(std::span<const double> residuals, double delta, std::size_t q) {
  BITLAW_CHECK(residuals.size() > q, "{} residuals of a fit of {} parameters", residuals.size(), q);
  std::vector<double> magnitudes;
  for (const double r : residuals) magnitudes.push_back(std::abs(r));
  std::sort(magnitudes.begin(), magnitudes.end());
  const auto n = static_cast<double>(residuals.size() - q);
  // Hall and Sheather's bandwidth for the median of a normal sample, for 95 % intervals:
  // n^-1/3 z^2/3 (1.5 phi(0)^2)^1/3 with z = 1.960, so 0.971 n^-1/3 on either side of the quantile 1/2.
  const double share = std::min(1.0, 2 * 0.971 / std::cbrt(n));
  const auto last = q + static_cast<std::size_t>(std::ceil(share * n)) - 1;
  const double window = magnitudes[std::min(last, magnitudes.size() - 1)];
  std::vector<double> curvature;
  for (const double r : residuals) {
    if (delta >= window)
      curvature.push_back(std::abs(r) <= delta ? 1 : 0);
    else
      curvature.push_back(std::abs(r) <= window ? delta / window : 0);
  }
  return curvature;
}

Covariance robust_covariance(const Objective& objective, std::span<const double> fitted, const std::vector<bool>& free,
                             std::span<const std::string> clusters) {
  const std::size_t n = objective.size(), p = objective.parameters();
  const std::vector<Index> columns = indices_of(free);
  const std::size_t q = columns.size();
  BITLAW_CHECK(clusters.size() == n && free.size() == p, "{} clusters, {} observations", clusters.size(), n);
  Covariance result{.matrix = std::vector<double>(p * p),
                    .inverse_curvature = std::vector<double>(p * p),
                    .flattest = std::vector<double>(p),
                    .degrees_of_freedom = static_cast<int>(count_distinct(clusters)) - static_cast<int>(q)};
  if (q == 0) return result;

  std::vector<double> residual(n), rows(n * p);
  objective.residuals(fitted, residual, rows);
  VectorXd slope(static_cast<Index>(n));
  const std::span<const double> weights = objective.weights();
  for (std::size_t i = 0; i < n; ++i) slope(static_cast<Index>(i)) = weights[i] * objective.slope(residual[i]);
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Eigen::Map<const RowMajor> all(rows.data(), static_cast<Index>(n), static_cast<Index>(p));
  MatrixXd jacobian = all(Eigen::all, columns);

  VectorXd norms = jacobian.colwise().norm();
  for (Index k = 0; k < norms.size(); ++k) norms(k) = norms(k) > 0 ? norms(k) : 1;
  jacobian = jacobian * norms.cwiseInverse().asDiagonal();
  const Eigen::JacobiSVD<MatrixXd> svd(jacobian, Eigen::ComputeThinV);
  const VectorXd& singular = svd.singularValues();
  const MatrixXd& directions = svd.matrixV();
  result.condition_number = singular(0) / singular(singular.size() - 1);
  for (std::size_t k = 0; k < q; ++k) {
    result.flattest[static_cast<std::size_t>(columns[k])] = directions(static_cast<Index>(k), singular.size() - 1);
  }

  std::vector<bool> undecided(q);
  Index rank = 0;
  for (Index k = 0; k < singular.size(); ++k) {
    if (singular(k) >= kNoCurvature * singular(0)) {
      rank = k + 1;
      continue;
    }
    for (std::size_t j = 0; j < q; ++j) {
      if (std::abs(directions(static_cast<Index>(j), k)) > kInvolved) undecided[j] = true;
    }
  }
  const MatrixXd decided = directions.leftCols(rank), projected = jacobian * decided;
  std::vector<double> curvature = objective.curvature(residual, q);
  for (std::size_t i = 0; i < n; ++i) curvature[i] *= weights[i];
  const Eigen::Map<const VectorXd> kappa(curvature.data(), static_cast<Index>(n));
  const MatrixXd hessian = projected.transpose() * kappa.asDiagonal() * projected;
  const MatrixXd inverse = hessian.ldlt().solve(MatrixXd::Identity(rank, rank));
  const MatrixXd bread = decided * inverse * decided.transpose();
  const MatrixXd scaled =
      decided * inverse * score_covariance(projected, slope, clusters) * inverse * decided.transpose();
  for (std::size_t j = 0; j < q; ++j) {
    for (std::size_t k = 0; k < q; ++k) {
      const auto row = static_cast<Index>(j), column = static_cast<Index>(k);
      const std::size_t at = static_cast<std::size_t>(columns[j]) * p + static_cast<std::size_t>(columns[k]);
      const double unit =
          undecided[j] || undecided[k] ? std::numeric_limits<double>::quiet_NaN() : 1 / (norms(row) * norms(column));
      result.matrix[at] = scaled(row, column) * unit;
      result.inverse_curvature[at] = bread(row, column) * unit;
    }
  }
  return result;
}

}  // namespace bitlaw
