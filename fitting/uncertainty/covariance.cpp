#include "fitting/uncertainty/covariance.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "core/base/check.h"
#include "core/base/distributions.h"
#include "core/base/limits.h"
#include "fitting/uncertainty/variance_freedom.h"

namespace bitlaw {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kNoCurvature = 1e-12;  // singular values below this, relative: rounding noise
constexpr double kMaxLeverage = 0.95;
constexpr double kInvolved = 1e-6;  // loading from which a parameter belongs to such a direction

MatrixXd orthonormal_basis(const MatrixXd& columns) {
  return Eigen::HouseholderQR<MatrixXd>(columns).householderQ() * MatrixXd::Identity(columns.rows(), columns.cols());
}

/// (I - Q Q^T)^-1/2 Q for the rows Q [m, q] of an orthonormal basis that belong to one run; leverages of directions
/// among its rows beyond the largest count as that.
MatrixXd unbiased(const MatrixXd& basis) {
  if (basis.rows() == 1) return basis / std::sqrt(1 - std::min(basis.squaredNorm(), kMaxLeverage));
  const Eigen::JacobiSVD<MatrixXd> svd(basis, Eigen::ComputeThinU | Eigen::ComputeThinV);
  VectorXd along = svd.singularValues();
  for (double& length : along) length /= std::sqrt(1 - std::min(length * length, kMaxLeverage));
  return svd.matrixU() * along.asDiagonal() * svd.matrixV().transpose();
}

/// The rows of each run.
std::vector<std::vector<Index>> rows_by_run(std::span<const std::string> clusters) {
  std::map<std::string_view, std::vector<Index>> rows_of;
  for (std::size_t i = 0; i < clusters.size(); ++i) rows_of[clusters[i]].push_back(static_cast<Index>(i));
  std::vector<std::vector<Index>> runs;
  for (auto& [run, rows] : rows_of) runs.push_back(std::move(rows));
  return runs;
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

std::vector<double> huber_curvature(std::span<const double> residuals, std::span<const double> weights, double delta,
                                    std::size_t q) {
  BITLAW_CHECK(residuals.size() > q && weights.size() == residuals.size(), "{} residuals, {} weights, {} parameters",
               residuals.size(), weights.size(), q);
  double sum = 0, squares = 0;
  std::vector<std::pair<double, double>> magnitudes;  // with their weights
  for (std::size_t i = 0; i < residuals.size(); ++i) {
    magnitudes.emplace_back(std::abs(residuals[i]), weights[i]);
    sum += weights[i];
    squares += weights[i] * weights[i];
  }
  std::sort(magnitudes.begin(), magnitudes.end());
  const auto pulled = static_cast<double>(q);
  const double count = sum * sum / squares, n = std::max(count - pulled, 1.0);
  // Hall and Sheather's bandwidth for the median of a normal sample, for 95 % intervals:
  // n^-1/3 z^2/3 (1.5 phi(0)^2)^1/3 with z = 1.960, so 0.971 n^-1/3 on either side of the quantile 1/2.
  const double share = std::min(1.0, 2 * 0.971 / std::cbrt(n));
  const double rank = (pulled + share * n) * (1 - 1e-9);  // sums of equal weights are whole numbers to rounding only
  double window = magnitudes.back().first, passed = 0;
  for (const auto& [magnitude, weight] : magnitudes) {
    passed += weight / sum * count;
    if (passed >= rank) {
      window = magnitude;
      break;
    }
  }
  const bool smooth = delta < window;
  // The window's mean density lies below the density at zero, for a normal sample by this factor.
  const double within = smooth ? delta / window : 1;
  const double curved =
      smooth && share < 1 ? (2 * normal_cdf(within * normal_quantile((1 + share) / 2)) - 1) / (share * within) : 1;
  std::vector<double> curvature;
  for (const double r : residuals) {
    curvature.push_back(std::abs(r) <= std::max(delta, window) ? within * curved : 0);
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
                    .leverage = std::vector<double>(n),
                    .freedom = std::vector<double>(p),
                    .degrees_of_freedom = static_cast<int>(count_distinct(clusters)) - static_cast<int>(q)};
  if (q == 0) return result;

  std::vector<double> residual(n), rows(n * p);
  objective.residuals(fitted, residual, rows);
  // Rows times the roots of their weights: from here on as if noise were of one size and weights 1.
  const Eigen::Map<const VectorXd> weights(objective.weights().data(), static_cast<Index>(n));
  const VectorXd root = weights.cwiseSqrt();
  VectorXd slope(static_cast<Index>(n));
  for (Index i = 0; i < slope.size(); ++i) slope(i) = root(i) * objective.slope(residual[static_cast<std::size_t>(i)]);
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Eigen::Map<const RowMajor> all(rows.data(), static_cast<Index>(n), static_cast<Index>(p));
  MatrixXd jacobian = root.asDiagonal() * all(Eigen::all, columns);

  const MatrixXd every_direction = orthonormal_basis(jacobian);
  for (std::size_t i = 0; i < n; ++i) result.leverage[i] = every_direction.row(static_cast<Index>(i)).squaredNorm();

  VectorXd norms = jacobian.colwise().norm();
  for (Index k = 0; k < norms.size(); ++k) norms(k) = norms(k) > 0 ? norms(k) : 1;
  jacobian = jacobian * norms.cwiseInverse().asDiagonal();
  const Eigen::JacobiSVD<MatrixXd> svd(jacobian, Eigen::ComputeThinU | Eigen::ComputeThinV);
  const VectorXd& singular = svd.singularValues();
  const MatrixXd& directions = svd.matrixV();
  result.condition_number = singular(0) / singular(singular.size() - 1);
  result.directions.assign(static_cast<std::size_t>(singular.size()) * p, 0);
  for (Index k = 0; k < singular.size(); ++k) {
    result.singular_values.push_back(singular(k) / singular(0));
    for (std::size_t j = 0; j < q; ++j) {
      const std::size_t at = static_cast<std::size_t>(k) * p + static_cast<std::size_t>(columns[j]);
      result.directions[at] = directions(static_cast<Index>(j), k);
    }
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
  // J = U diag(singular) V^T diag(norms). In the coordinates z = axes theta it is U, and a_c is (I - H_cc)^-1/2 U_c z.
  const MatrixXd basis = svd.matrixU().leftCols(rank);
  const MatrixXd axes = singular.head(rank).cwiseInverse().asDiagonal() * directions.leftCols(rank).transpose() *
                        norms.cwiseInverse().asDiagonal();  // [rank, q]
  MatrixXd scores = MatrixXd::Zero(rank, rank);             // S
  FreedomForms forms(rank);
  for (const std::vector<Index>& run : rows_by_run(clusters)) {
    const MatrixXd own = basis(run, Eigen::all), adjusted = unbiased(own);
    const VectorXd score = adjusted.transpose() * slope(run);
    scores += score * score.transpose();
    forms.add(adjusted, own);
  }
  const std::vector<double> curvature = objective.curvature(residual, q);
  const Eigen::Map<const VectorXd> kappa(curvature.data(), static_cast<Index>(n));
  const MatrixXd hessian = basis.transpose() * kappa.asDiagonal() * basis;
  const MatrixXd inverse = hessian.ldlt().solve(MatrixXd::Identity(rank, rank));
  const MatrixXd bread = axes.transpose() * inverse * axes;
  const MatrixXd sandwich = axes.transpose() * inverse * scores * inverse * axes;
  result.form.axes.assign(static_cast<std::size_t>(rank) * p, 0);
  for (Index k = 0; k < rank; ++k) {
    for (std::size_t j = 0; j < q; ++j) {
      const std::size_t at = static_cast<std::size_t>(k) * p + static_cast<std::size_t>(columns[j]);
      result.form.axes[at] = axes(k, static_cast<Index>(j));
    }
  }
  forms.store(result.form);
  for (std::size_t j = 0; j < q; ++j) {
    for (std::size_t k = 0; k < q; ++k) {
      const auto row = static_cast<Index>(j), column = static_cast<Index>(k);
      const std::size_t at = static_cast<std::size_t>(columns[j]) * p + static_cast<std::size_t>(columns[k]);
      const bool known = !undecided[j] && !undecided[k];
      result.matrix[at] = known && result.degrees_of_freedom > 0 ? sandwich(row, column) : kNan;
      result.inverse_curvature[at] = known ? bread(row, column) : kNan;
    }
    const auto parameter = static_cast<std::size_t>(columns[j]);
    std::vector<double> alone(p);
    alone[parameter] = 1;
    result.freedom[parameter] = variance_freedom(result.form, alone);
  }
  return result;
}

}  // namespace bitlaw
