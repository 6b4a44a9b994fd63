#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/enum_name.h"
#include "core/record/run_record.h"

namespace bitlaw {

/// When a run ends before its last step. The rules know the logged curve and the operations done, no clock: a run stops
/// after the same step on every machine, resumed or not, and whoever has the curve can check it.
///
/// L_i is the loss of the curve's point i: the training loss, or the held-out one of the points that have it.
struct StopConfig {
  enum class Watch : std::uint8_t {
    Training,
    Validation
  };
  double divergence = 0;     ///< f > 1: when L_i > f min_{j<i} L_j; the run counts as diverged. 0: never
  std::int64_t plateau = 0;  ///< n: when mean(L_{i-n+1..i}) > (1 - gain) mean(L_{i-2n+1..i-n}). 0: never
  double plateau_gain = 0;   ///< 0 <= gain < 1
  double ceiling = 0;        ///< L: when mean(L_{i-n+1..i}) > L for a point from ceiling_from of the steps on. 0: never
  double ceiling_from = 0.5;
  std::int64_t ceiling_points = 10;  ///< n
  double budget = 0;  ///< FLOPs: before the step that would exceed it, but not before the first. 0: any number
  Watch watch = Watch::Training;
};
inline constexpr std::array<EnumName<StopConfig::Watch>, 2> kStopWatchNames{
    {{"training", StopConfig::Watch::Training}, {"validation", StopConfig::Watch::Validation}}};

/// Why a run ended early; its name is RunRecord::stopped.
enum class StopReason : std::uint8_t {
  Divergence,
  Plateau,
  Ceiling,
  Budget
};
inline constexpr std::array<EnumName<StopReason>, 4> kStopReasonNames{{{"divergence", StopReason::Divergence},
                                                                       {"plateau", StopReason::Plateau},
                                                                       {"ceiling", StopReason::Ceiling},
                                                                       {"budget", StopReason::Budget}}};

/// The rules at work on one run.
class EarlyStop {
 public:
  /// On a run of `steps` steps in all.
  EarlyStop(const StopConfig& config, double flops_per_step, std::int64_t steps)
      : config_(config), flops_per_step_(flops_per_step), steps_(steps) {}

  /// Takes the next point of the curve, each once and in order, those of an earlier process too; says whether it ends
  /// the run.
  std::optional<StopReason> after(const CurvePoint& point);

  /// Whether the run has to end with the `steps` that it has made.
  bool spends_budget(std::int64_t steps) const;

 private:
  bool is_level() const;
  bool is_too_high(std::int64_t step) const;
  /// Of `n` losses, without the last `skipped` ones; there are as many.
  double sum(std::int64_t n, std::int64_t skipped) const;

  StopConfig config_;
  double flops_per_step_;
  std::int64_t steps_;
  std::vector<double> losses_;
  double least_ = 0;  ///< of losses_
};

}  // namespace bitlaw
