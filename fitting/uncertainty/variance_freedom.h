#pragma once

#include <Eigen/Dense>
#include <span>

#include "core/record/fit_record.h"

namespace bitlaw {

/// Satterthwaite's degrees of freedom of the estimated variance g^T V g of a combination g [p] of the fitted
/// coordinates, so of Student's t for its interval: 2 E[g^T V g]^2 / Var[g^T V g] for equal, independent, normal noise
/// (Bell & McCaffrey 2002; Imbens & Kolesar 2016, doi 10.1162/REST_a_00552, §4). With V of robust_covariance() it is a
/// form of the noise with the matrix
///
///   G = (a_c^T (I - H)_cd a_d) over runs c, d,   a_c = (I - H_cc)^-1/2 J_c (J^T J)^-1 g,
///
/// so they are tr(G)^2 / tr(G^2): runs - parameters at most, and the less the fewer runs decide g. NaN for g = 0 and
/// for an empty form.
double variance_freedom(const VarianceForm& form, std::span<const double> combination);

/// Sums tr G and tr G^2, as forms of z where a_c = weights_c z.
class FreedomForms {
 public:
  explicit FreedomForms(Eigen::Index r);

  /// A run: its weights [m, r], and its rows [m, r] of an orthonormal basis Q of J, so that I - H = I - Q Q^T.
  void add(const Eigen::MatrixXd& weights, const Eigen::MatrixXd& basis);

  /// mean and spread of VarianceForm.
  void store(VarianceForm& form) const;

 private:
  Eigen::MatrixXd squared_crossed() const;

  Eigen::Index r_;
  Eigen::MatrixXd mean_;     ///< [r, r] tr G = z^T mean z
  Eigen::MatrixXd square_;   ///< [r r, r r] tr G^2 = (z z^T)^T square (z z^T) without what squared_crossed() adds
  Eigen::MatrixXd crossed_;  ///< [r r, r r] sum over runs of Q_c^T weights_c, each of its elements times each
};

}  // namespace bitlaw
