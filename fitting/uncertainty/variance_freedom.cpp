#include "fitting/uncertainty/variance_freedom.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

namespace bitlaw {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

/// Its columns one below the other: element (i, j) of r rows is number i + j r.
VectorXd flat(const MatrixXd& square) { return square.reshaped(); }

/// The coefficient of z_i z_j z_k z_l in flat(z z^T)^T square flat(z z^T), from each order in which the four occur.
/// `sorted`: i <= j <= k <= l.
double coefficient(const MatrixXd& square, std::array<Index, 4> sorted, Index r) {
  double sum = 0;
  do {
    sum += square(sorted[0] + sorted[1] * r, sorted[2] + sorted[3] * r);
  } while (std::next_permutation(sorted.begin(), sorted.end()));
  return sum;
}

}  // namespace

double variance_freedom(const VarianceForm& form, std::span<const double> combination) {
  const std::size_t p = combination.size(), r = form.axes.size() / p;
  std::vector<double> z(r);
  for (std::size_t i = 0; i < r; ++i) {
    for (std::size_t j = 0; j < p; ++j) z[i] += form.axes[i * p + j] * combination[j];
  }
  double mean = 0, spread = 0;
  auto mean_of = form.mean.begin(), spread_of = form.spread.begin();
  for (std::size_t i = 0; i < r; ++i) {
    for (std::size_t j = i; j < r; ++j) {
      mean += *mean_of++ * z[i] * z[j];
      for (std::size_t k = j; k < r; ++k) {
        for (std::size_t l = k; l < r; ++l) spread += *spread_of++ * z[i] * z[j] * z[k] * z[l];
      }
    }
  }
  return mean * mean / spread;
}

FreedomForms::FreedomForms(Index r)
    : r_(r), mean_(MatrixXd::Zero(r, r)), square_(MatrixXd::Zero(r * r, r * r)), crossed_(square_) {}

void FreedomForms::add(const MatrixXd& weights, const MatrixXd& basis) {
  // Of tr G^2, with w = |a_c|^2 and f_c = Q_c^T a_c: sum over c of w^2 - 2 w |f_c|^2, and |sum over c of f_c f_c^T|^2.
  const MatrixXd followed = basis.transpose() * weights, whole = weights.transpose() * weights,
                 lost = followed.transpose() * followed;
  mean_ += whole - lost;
  square_ += flat(whole) * flat(whole - 2 * lost).transpose();
  crossed_ += flat(followed) * flat(followed).transpose();
}

/// |sum over c of f_c f_c^T|^2: the squares of its elements (i, j), each of which is a quadratic form of z.
MatrixXd FreedomForms::squared_crossed() const {
  MatrixXd sum = MatrixXd::Zero(r_ * r_, r_ * r_), element(r_, r_);
  for (Index i = 0; i < r_; ++i) {
    for (Index j = 0; j < r_; ++j) {
      for (Index k = 0; k < r_; ++k) {
        for (Index l = 0; l < r_; ++l) element(k, l) = crossed_(i + k * r_, j + l * r_);
      }
      sum += flat(element) * flat(element).transpose();
    }
  }
  return sum;
}

void FreedomForms::store(VarianceForm& form) const {
  const MatrixXd square = square_ + squared_crossed();
  for (Index i = 0; i < r_; ++i) {
    for (Index j = i; j < r_; ++j) {
      form.mean.push_back((i == j ? 1 : 2) * mean_(i, j));
      for (Index k = j; k < r_; ++k) {
        for (Index l = k; l < r_; ++l) form.spread.push_back(coefficient(square, {i, j, k, l}, r_));
      }
    }
  }
}

}  // namespace bitlaw
