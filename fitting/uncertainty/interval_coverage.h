#pragma once

#include <functional>
#include <string>
#include <vector>

#include "fitting/fit/fit.h"
#include "fitting/uncertainty/synthetic_runs.h"

namespace bitlaw {

/// How the intervals of one kind did for one parameter or prediction; NaNs of a kind that was not made.
struct IntervalScore {
  double covered = 0;  ///< share of the sets in which the interval held the truth; an interval that is missing did not
  double below = 0;    ///< share in which the truth lay below it
  double above = 0;    ///< share in which it lay above
  double width = 0;    ///< median width in the fitted coordinate; infinite where open
};

struct ParameterCoverage {
  std::string name;
  double truth = 0;  ///< natural
  double bias = 0;   ///< median of estimate - truth, fitted coordinate
  double spread =
      0;  ///< half the central 68.27 % of the estimates, fitted coordinate: their standard deviation if normal
  IntervalScore covariance, profile, bootstrap;
};

/// Of the law's value at some inputs, by predict_with_bands().
struct PredictionCoverage {
  std::vector<double> inputs{};
  double truth = 0;                     ///< [nat/token]
  double bias = 0;                      ///< median of predicted - true log loss, of loss where residuals are plain
  double spread = 0;                    ///< as ParameterCoverage's
  IntervalScore covariance, bootstrap;  ///< widths in log loss, too
};

struct CoverageReport {
  std::string law, description, objective;
  double run_noise = 0, row_noise = 0;
  double level = 0;
  int sets = 0;       ///< measured; fewer than asked for when stopped
  int bootstrap = 0;  ///< refits for each set
  std::vector<ParameterCoverage> parameters{};
  std::vector<PredictionCoverage> predictions{};
};

/// Told after every set how many are done; false stops.
using SetsDone = std::function<bool(int done)>;

/// Fits `sets` synthetic sets of a design as `options` say, with profiles, and counts how often intervals of each kind
/// hold the truth, for the law's parameters and for its value at each of `places` [count][inputs]. Works on
/// options.threads sets at a time; the result does not depend on that.
CoverageReport measure_coverage(const SyntheticDesign& design, FitOptions options, int sets, const SetsDone& done,
                                const std::vector<std::vector<double>>& places = {});

}  // namespace bitlaw
