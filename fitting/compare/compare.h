#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "fitting/fit/fit.h"

namespace bitlaw {

/// How well a law is supported by data, in ways that need no law to be true.
struct LawScore {
  std::string law;
  std::size_t parameters = 0;  ///< free ones, and the scale of the residuals
  bool converged = false;
  double cost = 0;            ///< the objective
  double log_likelihood = 0;  ///< see compare_laws()
  double aicc = 0;            ///< Akaike's criterion, corrected for small samples (Hurvich & Tsai 1989)
  double bic = 0;             ///< Schwarz 1978
  double weight = 0;          ///< Akaike weight among the laws compared; they sum to 1
  double folds_error = 0;     ///< root mean square of log residuals on runs left out of the fit, k folds
  double rollout_error = 0;   ///< the same beyond a cutoff, all cutoffs together; see CompareOptions
  double rollout_bias = 0;    ///< mean of log predicted - log observed there
  double stacking = 0;        ///< weight of the law in the convex combination that predicts left-out runs best
};

struct CompareOptions {
  FitOptions fit{};
  int folds = 5;
  /// Rollouts: a law is fitted to the observations up to a cutoff in N D (or the first input, for laws without both)
  /// and scored on those beyond, for every cutoff between two different values that keeps at least this share of them.
  double least_kept = 0.5;
  int cutoffs = 20;  ///< where there are more, so many of them, evenly spaced
};

/// Scores laws on the same observations, one Observations per law (the inputs differ, rows and losses must not).
///
/// The likelihood is that of the density ~ exp(-w rho(r)/s^2) with rho Huber's or half the square, s fitted and w the
/// row's weight, so its maximum over the law's parameters is the fit at hand; for likelihoods it is the objective, rows
/// counting by their weights over the mean one. Rows of one run share its noise, so they count as one: the sum over
/// rows is taken times runs / rows, and runs are the sample's size of AICc and BIC. In the folds runs are left out
/// whole; rollouts leave out rows. NaN where a fit is not possible, or a likelihood is asked to be lopsided
/// (over_factor). The folds are a function of fit.seed.
std::vector<LawScore> compare_laws(const std::vector<const Law*>& laws, const std::vector<Observations>& observations,
                                   const CompareOptions& options);

/// -log likelihood of residuals r [n] for the best scale s of the density above. Infinite `delta`: normal.
double huber_density_cost(const std::vector<double>& residuals, const std::vector<double>& weights, double delta,
                          double over_factor);

/// Non-negative weights that sum to 1 and minimize the mean square of the combined residuals [laws][rows]; a law with a
/// residual that is not finite has none.
std::vector<double> stacking_weights(const std::vector<std::vector<double>>& residuals);

}  // namespace bitlaw
