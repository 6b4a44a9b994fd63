#pragma once

#include <string>

#include "experiments/cli/kinetics_traces.h"
#include "simulators/test_time/frontier.h"

namespace bitlaw {

/// What is shown of an allocation.
struct FrontierReport {
  const PricedTraces& priced;
  const AllocationGrid& grid;
  Allocation allocation;
  std::vector<FrontierPoint> points;
  EmergentSize emergent;
  std::vector<FlopsChoice> flops;
};

FrontierReport frontier_report(const PricedTraces& priced, const AllocationGrid& grid,
                               const std::vector<double>& budgets, int threads);

std::string frontier_text(const FrontierReport& report);
std::string frontier_json(const FrontierReport& report);

/// A row for each task and budget: budget [FLOP], task, model, attention, weights, kv, token limit, trials, accuracy.
std::string task_choices_csv(const FrontierReport& report);

/// A row for each strategy that every task has answers for: model, attention, weights, kv, params, token limit, trials,
/// accuracy and its standard error, cost and compute [FLOP], generated tokens.
std::string strategies_csv(const FrontierReport& report);

}  // namespace bitlaw
