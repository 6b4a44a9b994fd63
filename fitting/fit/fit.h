#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "core/record/fit_record.h"
#include "fitting/fit/observations.h"
#include "fitting/laws/law.h"

namespace bitlaw {

/// How a law is fitted.
struct FitOptions {
  double huber_delta = 1e-3;              ///< threshold on log residuals; large (1 and up) is least squares
  int bootstrap = 400;                    ///< refits to resampled runs; 0: no bootstrap intervals
  std::uint64_t seed = 0;                 ///< of the resampling
  std::map<std::string, double> fixed{};  ///< parameters held at a natural value, by name
  int threads = 1;                        ///< results do not depend on it
  int starts = 24;  ///< points of the law's start grid that are minimized from, after screening all
};

/// Fits a law: multi-start minimum of the Huber sum, covariance, bootstrap by run, and what the data cannot decide.
///
/// Too few observations or an undecided parameter are reported in the record (converged, warnings, NaN or wide
/// intervals), never thrown. InputError for a loss or an input that is not a positive number, an unknown name in
/// `fixed` or an option out of range. `name` is the record's name.
FitRecord fit_law(const Law& law, const Observations& observations, const FitOptions& options, std::string name);

}  // namespace bitlaw
