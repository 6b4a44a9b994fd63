#pragma once

#include <cstddef>
#include <limits>
#include <span>

#include "simulators/train/run_work.h"

namespace bitlaw {

/// A finished run: what it did and how long it took.
struct TimedRun {
  RunWork work{};
  double seconds = 0;  ///< of one worker
};

/// How long runs take on one kind of machine.
///
/// The time of a run is the sum over kinds of work of amount times seconds per unit. Seconds per unit are those of
/// rough ones (price.cpp) times one factor for the machine, moved from there as far as finished runs ask for: the
/// maximum a posteriori of log-normal times (10 %, robust) under a log-normal prior of each kind's own factor (a factor
/// of e). So a single finished run fixes the machine's speed, and many fix each kind.
class PriceModel {
 public:
  /// The rough ones themselves.
  PriceModel();

  /// From finished runs; with none, the rough ones.
  static PriceModel calibrated(std::span<const TimedRun> finished);

  double seconds(const RunWork& work) const;

  /// The finished runs that it comes from.
  std::size_t runs() const { return runs_; }
  /// Median of |predicted / measured - 1| over the finished runs, each predicted from the tenths of them that it is not
  /// in; NaN for fewer than ten.
  double median_error() const { return median_error_; }

 private:
  static PriceModel fitted(std::span<const TimedRun> finished);

  RunWork seconds_per_unit_;
  std::size_t runs_ = 0;
  double median_error_ = std::numeric_limits<double>::quiet_NaN();
};

}  // namespace bitlaw
