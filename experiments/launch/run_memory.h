#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "experiments/launch/local.h"
#include "experiments/launch/worker.h"

namespace bitlaw {

/// Fills DueRun::memory by `options.peak_memory`, once for runs that differ only in what needs no memory (tokens, seed,
/// rates): what a worker needs beyond that which it shares with this process, and a tenth more. Shows how far it is.
void predict_memory(std::vector<DueRun>& due, const LaunchOptions& options);

}  // namespace bitlaw
