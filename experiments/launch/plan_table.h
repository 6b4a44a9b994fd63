#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "experiments/launch/run_store.h"
#include "experiments/sweep/experiment.h"

namespace bitlaw {

/// Of the runs of an experiment in their order [bytes]; nothing where a run cannot be tried.
using PeakMemory = std::vector<std::optional<std::int64_t>>;

/// Found by trying: `probe` is called once for runs that need the same. Some seconds for large models.
PeakMemory peak_memory(const Experiment& experiment,
                       const std::function<std::optional<std::int64_t>(const PlannedRun&)>& probe);

/// What would be run, a line a run: number, start of the id, the values that differ, N, D, FLOPs, the time that one
/// worker takes by PriceModel, `memory` where given, state; then totals, and what has changed since the last launch.
std::string plan_table(const Experiment& experiment, const RunStore& store, const PeakMemory* memory = nullptr);

/// The same as one JSON document, with whole ids and the values that all runs have.
std::string plan_json(const Experiment& experiment, const RunStore& store, const PeakMemory* memory = nullptr);

/// Where every value comes from: first what all runs have in common, then run by run what differs; "default" where
/// nobody gave it.
std::string provenance_text(const Experiment& experiment);

/// How many runs are in which state, the work that remains and, from the speed of the finished runs, how long it takes.
std::string status_text(const Experiment& experiment, const RunStore& store);
std::string status_json(const Experiment& experiment, const RunStore& store);

}  // namespace bitlaw
