#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/base/limits.h"
#include "experiments/launch/price.h"
#include "experiments/launch/run_store.h"
#include "experiments/sweep/experiment.h"

namespace bitlaw {

/// What the next runs of an experiment are for, and what they may cost.
struct NextRequest {
  std::string fit;                      ///< the fit's name; "" where the experiment has one only
  std::vector<std::string> at;          ///< "N=1e9,D=2e10": losses that are to be known as well as possible
  std::vector<std::string> parameters;  ///< of the law, likewise; with neither, all parameters together
  double budget = 0;                    ///< [FLOP], or [seconds of one worker] with `by_time`
  bool by_time = false;
};

/// A quantity that the runs are chosen for: its standard error as the law has it, with the noise of one run known.
struct Expectation {
  std::string what;   ///< "loss at N=1e9,D=2e10" (relative error where residuals are logarithms) or "alpha"
  double now, after;  ///< in the parameter's fitted coordinate; `after` with the chosen runs
};

/// What to train next.
struct NextRuns {
  std::string fit, law;
  std::vector<std::size_t> done;    ///< runs of the fit that have a result; indices of the experiment's runs
  std::vector<std::size_t> chosen;  ///< among the others
  std::vector<double> costs;        ///< of the chosen, in the budget's unit
  std::size_t candidates = 0;       ///< how many there were to choose from
  double cheapest = kInfinity;      ///< cost of the cheapest of these
  double cost = 0;
  bool by_criterion_d = false;  ///< chosen for all parameters together
  /// Where the law was looked at: "fitted to 20 runs", or what stood in for it while there were too few.
  std::string believed;
  double noise = 0;  ///< of one run, as believed
  std::vector<Expectation> expectations;
};

/// The results that are there, in the order of the experiment's runs. A damaged one counts as none: its run is trained
/// again.
std::vector<std::optional<RunRecord>> results_so_far(const Experiment& experiment, const RunStore& store);

/// What a run costs, in the unit of a NextRequest's budget.
double cost_of(const PlannedRun& run, const PriceModel& prices, bool by_time);

/// Chooses among the runs that have no result those that tell most about a fit within a budget: D-, I- or c-optimal by
/// the law's Jacobian at the fit of the runs that have one (fitting/design). With no more of them than parameters, the
/// law is taken at its first published coefficients, or in the middle of its bounds. `results` are in the order of the
/// experiment's runs. InputError for a request that the experiment cannot meet.
NextRuns next_runs(const Experiment& experiment, const std::vector<std::optional<RunRecord>>& results,
                   const PriceModel& prices, const NextRequest& request);

/// Writes a YAML file that extends `base` and keeps the runs that are done and those that are chosen. It is read back
/// before it takes its name. `overrides` are those that the experiment was planned with. InputError where it cannot be
/// written, or where conditions cannot tell the runs apart.
void write_next_yaml(const std::filesystem::path& file, const std::filesystem::path& base,
                     const std::vector<std::string>& overrides, const Experiment& experiment, const NextRuns& next,
                     const std::string& command);

}  // namespace bitlaw
