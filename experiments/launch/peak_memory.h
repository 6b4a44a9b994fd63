#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "experiments/sweep/experiment.h"

namespace bitlaw {

/// Peak resident memory [bytes] of a process that trains this run alone, found by trying: a child of this process,
/// which has the run's data, trains two steps and saves a checkpoint. What only later steps need (a rule that rounds
/// from the middle of training on) is not seen. Nothing where the child fails, for want of memory or of a temporary
/// folder.
///
/// Call it from a process without other threads.
std::optional<std::int64_t> probe_peak_memory(const PlannedRun& run, int threads = 1);

/// "peak memory: about 45 MB", of the run that probe_peak_memory() tries.
std::string peak_memory_text(const PlannedRun& run, int threads = 1);

}  // namespace bitlaw
