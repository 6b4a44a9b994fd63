#pragma once

#include <string>

#include "experiments/launch/run_store.h"
#include "experiments/sweep/experiment.h"

namespace bitlaw {

/// The runs and the peak memory of each by itself, which is tried: some seconds for large models.
std::string memory_table(const Experiment& experiment);

/// What would be run, a line a run: number, start of the id, the values that differ, N, D, FLOPs, the time that one
/// worker takes by PriceModel, state; then totals, and what has changed since the last launch.
std::string plan_table(const Experiment& experiment, const RunStore& store);

/// The same as one JSON document, with whole ids and the values that all runs have.
std::string plan_json(const Experiment& experiment, const RunStore& store);

/// Where every value comes from: first what all runs have in common, then run by run what differs; "default" where
/// nobody gave it.
std::string provenance_text(const Experiment& experiment);

/// How many runs are in which state, the work that remains and, from the speed of the finished runs, how long it takes.
std::string status_text(const Experiment& experiment, const RunStore& store);
std::string status_json(const Experiment& experiment, const RunStore& store);

}  // namespace bitlaw
