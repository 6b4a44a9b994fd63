#pragma once

#include <vector>

#include "experiments/launch/worker.h"

namespace bitlaw {

/// `options.workers` children of this process that each work(), and tell `events` through it. One that is killed is
/// replaced: it costs the run that it held one attempt and nobody else anything. Returns when all have ended;
/// std::runtime_error when one of them ended by itself with an error of ours.
///
/// They are forks, which share the texts that are trained on. Call it from a process without other threads.
void work_in_processes(const std::vector<DueRun>& due, const RunStore& store, const LaunchOptions& options,
                       WorkerEvents& events);

}  // namespace bitlaw
