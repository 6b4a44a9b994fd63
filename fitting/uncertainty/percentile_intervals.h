#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "fitting/uncertainty/derived.h"

namespace bitlaw {

/// The bootstrap's intervals: percentiles over its draws, at a level that is calibrated for each quantity where there
/// are second draws, and widened for small samples.
struct PercentileIntervals {
  std::span<const double> draws{};  ///< [count, p] natural; empty: no intervals
  std::vector<double> second{};     ///< second_draws(); empty: levels are not calibrated
  std::size_t p = 0;                ///< parameters
  std::size_t runs = 0;             ///< that were drawn from
  std::size_t unknowns = 0;         ///< parameters that were not held
  double level = 0;
  bool widened = false;  ///< by expanded_level(); residuals drawn anew are widened already

  /// Of a quantity whose errors are even on a logarithmic scale or not, and whose variance has `freedom` degrees of
  /// freedom; NaN without draws.
  std::pair<double, double> of(const DerivedValue& value, double estimate, bool log, double freedom) const;
};

}  // namespace bitlaw
