#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "core/record/run_record.h"

namespace bitlaw {

/// How much more one precision loses than another: mean over pairs of runs that differ in nothing else.
struct Difference {
  static constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
  std::string precision, reference;
  int pairs = 0;                           ///< in which both runs finished
  double mean = kMissing;                  ///< loss(precision) - loss(reference) [nat/token]; missing without pairs
  double standard_error = kMissing;        ///< of the mean: sd / sqrt(pairs); missing below two pairs
  double low = kMissing, high = kMissing;  ///< 95 % interval of the mean by Student's t with pairs - 1 degrees
  double reference_loss = kMissing;        ///< mean loss of the reference over the pairs [nat/token]
  std::string unit = "nat/token";          ///< loss_unit of the runs

  bool measurable() const { return low > 0 || high < 0; }
  /// The whole interval lies within kAboutEqual of the reference's loss on either side.
  bool about_equal() const { return low > -kAboutEqual * reference_loss && high < kAboutEqual * reference_loss; }
  static constexpr double kAboutEqual = 0.005;
};

/// Which runs count: all, or those of one N, for example.
using RunFilter = std::function<bool(const RunRecord&)>;

/// A pair shares its whole configuration but the precision: N, D and seed, and the learning rate, the batch, the shape
/// of the model. Runs of one precision that share all that count once, with their mean loss. Where either side diverged
/// there is no pair, so a precision that survives only at some learning rates is judged at those.
Difference paired_difference(std::span<const RunRecord> runs, const std::string& precision,
                             const std::string& reference, const RunFilter& filter = {});

/// One sentence with the numbers: "mxfp4 loses measurably more than float32: +0.0312 ± 0.0021 nat/token (...)".
std::string verdict(const Difference& difference);

/// Unit of the losses of runs of one task: "nat/token", "nat/image" of a classification, "" where it is half a squared
/// error.
std::string loss_unit(std::span<const RunRecord> runs);
/// " [nat/token]", or nothing where there is no unit; " nat/token" likewise.
std::string in_brackets(const std::string& unit);
std::string after_space(const std::string& unit);

/// Names of the precisions, the baseline first, the others as they first appear.
std::vector<std::string> precisions_of(std::span<const RunRecord> runs);

/// What the others are compared with: "float32", or else the first unquantized precision, or else "" for none.
std::string baseline_of(std::span<const RunRecord> runs);

/// The differences to the baseline.
std::vector<Difference> baseline_differences(std::span<const RunRecord> runs);

/// The differences to the precision with the smallest penalty, of all that have a larger one, in that order.
std::vector<Difference> differences_to_best(std::span<const RunRecord> runs);

/// Distinct values of N or D, ascending.
std::vector<std::int64_t> distinct(std::span<const RunRecord> runs, std::int64_t RunRecord::*member);

/// The runs that a filter takes.
struct Cell {
  int finished = 0;
  int diverged = 0;
  double mean = Difference::kMissing;            ///< loss of the finished ones [nat/token]
  double standard_error = Difference::kMissing;  ///< of the mean over them; missing below two
};
Cell cell_of(std::span<const RunRecord> runs, const RunFilter& filter);

}  // namespace bitlaw
