#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "experiments/launch/local.h"
#include "experiments/launch/worker.h"

namespace bitlaw {

/// The values of a run that decide what memory it needs: all but tokens, seed and rates.
std::map<std::string, ConfigValue> what_needs_memory(const PlannedRun& run);

/// Fills DueRun::memory by `options.peak_memory`, once for runs that differ only in what
/// needs none: what a worker needs beyond that which it shares with this process, and a tenth more. Shows how far it
/// is.
void predict_memory(std::vector<DueRun>& due, const LaunchOptions& options);

}  // namespace bitlaw
