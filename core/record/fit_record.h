#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace bitlaw {

/// One parameter of a fitted law, in its natural coordinate (A, not log A).
struct FittedParameter {
  std::string name;   ///< as in the equation: "A", "alpha"
  std::string units;  ///< "nat", "1", ...
  double estimate = 0;
  double standard_error = 0;           ///< from the covariance, delta method
  double ci_low = 0, ci_high = 0;      ///< from the covariance, symmetric in the fitted coordinate
  double boot_low = 0, boot_high = 0;  ///< percentile interval of the bootstrap by run
  bool at_bound = false;
  bool fixed = false;               ///< held at `estimate`, not fitted
  bool intervals_disagree = false;  ///< widths differ by more than 2 (1 + 2 / sqrt(runs - free parameters)), fitted
  /// By profile of the objective; an infinite end is open (no value there is refused), NaN: not computed.
  double profile_low = std::numeric_limits<double>::quiet_NaN();
  double profile_high = std::numeric_limits<double>::quiet_NaN();
  double jackknife_error = std::numeric_limits<double>::quiet_NaN();  ///< standard error leaving one run out at a time
};

/// A quantity that follows from the parameters, such as the exponent of the optimal N.
struct DerivedQuantity {
  std::string name;   ///< "a = beta/(alpha+beta)"
  std::string units;  ///< "1", "parameter", ...
  double estimate = 0;
  double standard_error = 0;           ///< delta method
  double ci_low = 0, ci_high = 0;      ///< from it, Student's t
  double boot_low = 0, boot_high = 0;  ///< percentile interval of the bootstrap
};

/// A test for what residuals should not have: a pattern.
struct ResidualTest {
  std::string against;     ///< "N", "D/N", "step", "format"
  std::string pattern;     ///< "trend", "bend" (both ends against the middle), each also "within runs", or "groups"
  double statistic = 0;    ///< rank correlation; of groups Kruskal and Wallis' H
  double probability = 1;  ///< of one as strong by chance
};

/// What the numbers of a fit rest on.
struct FitDiagnosis {
  /// Of the Jacobian of the parameters fitted, its columns scaled to norm 1: singular values [q] over the largest,
  /// descending, and the directions [q, p] that belong to them, unit vectors in fitted coordinates: the last is the
  /// combination of parameters that the data decide least.
  std::vector<double> singular_values{}, directions{};
  std::vector<double> leverage{};  ///< [obs] share of its own prediction that each observation decides, 0 to 1
  std::vector<double> cook{};      ///< [obs] Cook's distance (1977): what leaving it out would change
  std::vector<ResidualTest> residual_tests{};
  std::vector<std::string> left_out{};  ///< runs left out one at a time, where asked for
  std::vector<double> shifts{};  ///< [left_out, p] what the estimate changes by without the run, in standard errors
};

/// How well a law's predictions meet some observations; see fitting/predict/metrics.h. NaN: there are none.
struct FitMetrics {
  std::string name;        ///< "train", "test" or a curve's
  std::int64_t count = 0;  ///< observations
  double r2 = std::numeric_limits<double>::quiet_NaN();
  double mae = std::numeric_limits<double>::quiet_NaN();             ///< [nat/token]
  double rmse = std::numeric_limits<double>::quiet_NaN();            ///< [nat/token]
  double relative_mean = std::numeric_limits<double>::quiet_NaN();   ///< of |observed - predicted| / observed
  double relative_worst = std::numeric_limits<double>::quiet_NaN();  ///< the same, largest
  double log_rmse = std::numeric_limits<double>::quiet_NaN();        ///< of log loss
};

/// How sure a fit is of its own variances. For noise of one size the estimated variance of a combination g [p] of the
/// fitted coordinates is itself a random number. With z = axes g [r] its mean and its variance are
///
///   m = sum over i <= j of mean_ij z_i z_j,    2 s,  s = sum over i <= j <= k <= l of spread_ijkl z_i z_j z_k z_l,
///
/// so it has Satterthwaite's m^2 / s degrees of freedom. Empty where nothing was fitted, and in the first files.
struct VarianceForm {
  std::vector<double> axes{};    ///< [r, p] row-major; r: the parameters that the data decide
  std::vector<double> mean{};    ///< [r (r + 1) / 2] in the order 11, 12, ..., 1r, 22, ...
  std::vector<double> spread{};  ///< [r (r + 1) (r + 2) (r + 3) / 24] in the order 1111, 1112, ..., 111r, 1122, ...

  /// Whether the lengths belong together and to so many parameters; those of an empty one do.
  bool fits(std::size_t parameters) const {
    const std::size_t r = parameters > 0 ? axes.size() / parameters : 0;
    return axes.size() == r * parameters && mean.size() == r * (r + 1) / 2 &&
           spread.size() == r * (r + 1) * (r + 2) * (r + 3) / 24;
  }
};

/// A law fitted to runs: what `/fits/<name>` in the result file holds and the reports show.
struct FitRecord {
  std::string name;       ///< of this fit, unique in the file, e.g. "chinchilla_float32"
  std::string law;        ///< registry name, e.g. "chinchilla"
  std::string equation;   ///< e.g. "L = E + A/N^alpha + B/D^beta"
  std::string source;     ///< e.g. "Hoffmann et al. 2022, arXiv:2203.15556, Eq. 2"
  std::string objective;  ///< e.g. "sum of Huber(delta = 0.001) on log loss"
  double level = 0.95;    ///< of all intervals: the share of samples in which they should hold the truth
  std::vector<FittedParameter> parameters;
  std::vector<double> covariance;  ///< [p, p] row-major, natural coordinates; NaN where it does not exist
  VarianceForm variance_form;
  std::vector<double> draws;  ///< bootstrap estimates [draws, p] row-major

  std::vector<DerivedQuantity> derived;
  std::vector<FitMetrics> metrics;

  /// Observations, in the order of run_ids.
  std::vector<std::string> run_ids;
  std::vector<double> observed;   ///< [nat/token]
  std::vector<double> predicted;  ///< [nat/token]

  /// The verdict. Each is data, not an exception.
  bool converged = false;
  std::string status;                                       ///< the solver's words
  double scale = std::numeric_limits<double>::quiet_NaN();  ///< of the residuals, for objectives that fit one
  double cost = 0;                                          ///< the objective at the optimum
  double gradient_norm = 0;                                 ///< max norm at the optimum, fitted coordinates
  double condition_number = 0;                              ///< of the scaled Jacobian at the optimum
  double degrees_of_freedom = std::numeric_limits<double>::quiet_NaN();  ///< of the covariance: runs - parameters
  /// Robust standard deviation of the residuals (of log loss unless the objective has plain ones): 1.4826 times their
  /// median size, over sqrt(1 - p/n).
  double noise = std::numeric_limits<double>::quiet_NaN();
  int starts = 0;                     ///< starting points tried
  int starts_agreeing = 0;            ///< of these, how many reached the best cost within 1e-6 relative
  std::vector<std::string> warnings;  ///< what the data cannot decide, and why
  FitDiagnosis diagnosis;

  /// [p] in the parameters' order, natural coordinates.
  std::vector<double> estimates() const {
    std::vector<double> values;
    for (const FittedParameter& parameter : parameters) values.push_back(parameter.estimate);
    return values;
  }

  /// Whether nothing was fitted, so that no parameter has an estimate.
  bool refused() const { return status.starts_with("refused"); }
};

}  // namespace bitlaw
