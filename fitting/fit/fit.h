#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "core/record/fit_record.h"
#include "fitting/fit/multi_start.h"
#include "fitting/fit/observations.h"
#include "fitting/laws/law.h"
#include "fitting/uncertainty/bootstrap.h"

namespace bitlaw {

/// How a law is fitted.
struct FitOptions {
  ObjectiveSpec objective{};  ///< the scale of a likelihood is fitted, whatever it says
  int bootstrap = 400;        ///< refits to resampled data; 0: no bootstrap intervals
  Resampling resampling = Resampling::Runs;
  double level = 0.95;                    ///< of all intervals, between 0 and 1
  double seed_noise = 0;                  ///< standard deviation of log loss between seeds, see BootstrapOptions::noise
  std::uint64_t seed = 0;                 ///< of the resampling
  bool profile = false;                   ///< profile intervals
  bool jackknife = false;                 ///< refits without one run each: standard errors and influential runs
  double compute = 0;                     ///< [FLOP] for which derived optima are wanted; 0: none
  std::map<std::string, double> fixed{};  ///< parameters held at a natural value, by name
  int threads = 1;                        ///< results do not depend on it
  int starts = 0;  ///< starting points that are minimized from, after screening all; 0: Law::keep()
  Search search = Search::Automatic;
  bool halving = false;
};

/// Fits a law: multi-start minimum of the objective, covariance, bootstrap, profile, and what the data cannot decide.
///
/// Too few observations or an undecided parameter are reported in the record (converged, warnings, NaN or wide
/// intervals), never thrown; so is a law without a value at every starting point ("refused", no estimates). InputError
/// for a loss or an input that is not a positive number, an input without the logarithm that the law takes, an unknown
/// name in `fixed` or an option out of range. `name` is the record's name.
FitRecord fit_law(const Law& law, const Observations& observations, const FitOptions& options, std::string name);

}  // namespace bitlaw
