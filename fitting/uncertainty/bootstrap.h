#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "fitting/fit/objective.h"

namespace bitlaw {

/// What a bootstrap draws anew.
enum class Resampling {
  Runs,        ///< runs (clusters) with replacement, each with all its rows, because they share its noise
  Residuals,   ///< residuals of the fit with replacement, added to its predictions; the design stays. Of rows alone:
               ///< where they share their run's noise, intervals come out too short
  Parametric,  ///< normal residuals added to the predictions, as large as the fit's by their median or as `noise` says,
               ///< one for all rows of a run
};

struct BootstrapOptions {
  Resampling resampling = Resampling::Runs;
  int count = 400;         ///< refits
  double noise = 0;        ///< standard deviation of one seed's residual: Runs and Residuals add as much, per run
  std::uint64_t seed = 0;  ///< draw d uses the Philox stream (seed, step d)
  int threads = 1;         ///< the result does not depend on it
};

/// Refits to resampled data: estimates [count, p] row-major, natural coordinates.
///
/// Each refit starts at `optimum` [p], fitted coordinates, and `fixed` [p] parameters stay there. Residuals drawn again
/// are first widened by sqrt(n / (n - q)), q the free parameters, since the fit has followed their share of the noise.
/// Residuals drawn and normal ones are as large as a variance ~ 1/w for a row of weight w says.
std::vector<double> bootstrap(const Objective& objective, const std::vector<double>& optimum,
                              const std::vector<bool>& fixed, std::span<const std::string> clusters,
                              const BootstrapOptions& options);

/// Refits without one run each: estimates [runs, p] row-major, fitted coordinates, runs in order of appearance.
std::vector<double> leave_one_out(const Objective& objective, const std::vector<double>& optimum,
                                  const std::vector<bool>& fixed, std::span<const std::string> clusters, int threads);

/// The jackknife's standard errors [p] from leave_one_out(): sqrt((G - 1)/G sum over runs (theta_g - mean)^2).
std::vector<double> jackknife_errors(std::span<const double> estimates, std::size_t p);

/// Up to 200 of bootstrap()'s `draws` (by runs, with the same options) drawn and refitted once more, each from itself:
/// estimates [min(count, 200), p] row-major, natural coordinates, for calibrated_level().
///
/// Empty where half the residuals are within the objective's threshold. A smaller one makes refits jump between few
/// runs, so plain intervals are too wide: at 36 runs, 5 parameters and 90 % they cover 93 to 96 %.
std::vector<double> second_draws(const Objective& objective, const std::vector<double>& optimum,
                                 const std::vector<bool>& fixed, std::span<const std::string> clusters,
                                 std::span<const double> draws, const BootstrapOptions& options);

/// The level at which a quantity's percentile interval would hold its `estimate` if each draw were the data: the share
/// of the steps from `first` to `second` draws [its size] that are no longer than the quantile `level` of the steps
/// from the estimate to the first. `level` itself without a finite pair. In a coordinate in which errors are even, so
/// the logarithm where that is what is fitted. The idea is Beran's (1987, doi 10.1093/biomet/74.3.457) with one second
/// draw for each first (Giacomini, Politis & White 2013, doi 10.1017/S0266466612000655).
///
/// The second steps are as much shorter as the fits have followed the noise, so that is allowed for, too, which
/// expanded_level() does otherwise. In chinchilla's design above the level is about 0.84 for 0.9. Data drawn with the
/// design kept, normal noise about the fit, and drawn again by runs give nearly the same one, 0.84 (300 sets, both).
double calibrated_level(double level, double estimate, std::span<const double> first, std::span<const double> second);

/// The level whose percentile interval covers as often as `level` promises: 1 - 2 Phi(-sqrt(G / (G - q)) t), with t the
/// quantile (1 + level) / 2 of Student's distribution with `freedom` degrees of freedom, G `runs` and q `parameters`; q
/// = 0 for a calibrated level.
///
/// A fit follows its q parameters' worth of the noise, so resampled residuals are too small by about sqrt((G - q) / G)
/// and a plain percentile interval too short: at 36 runs and 5 parameters it covers 93 % instead of 95. A spread that
/// rests on few of the runs is uncertain besides, whence Student's quantile: G - q degrees of freedom for all runs
/// alike, else Covariance::freedom. For a mean this is Hesterberg's expanded percentile interval (2015,
/// arXiv:1411.5279, §5.3). Requires G > q; tends to `level` for large G and freedom.
double expanded_level(double level, std::size_t runs, std::size_t parameters, double freedom);

/// The middle `level` of the finite values: quantiles p = (1 -+ level) / 2, interpolated linearly between the order
/// statistics on both sides of number (n + 1) p (Hyndman & Fan 1996, doi 10.2307/2684934, definition 6), at most the
/// first and the last. So one more value of the same kind, such as a truth, lies between them with probability `level`;
/// counted as (n - 1) p + 1 it does in 88.2 of 100 cases for 100 values and 0.9. NaNs when no value is finite.
std::pair<double, double> percentile_interval(std::vector<double> values, double level);

}  // namespace bitlaw
