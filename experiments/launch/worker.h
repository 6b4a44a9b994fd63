#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "experiments/launch/local.h"
#include "experiments/launch/run_store.h"
#include "experiments/launch/worker_board.h"
#include "experiments/sweep/experiment.h"

namespace bitlaw {

/// A due run of a launch.
struct DueRun {
  const PlannedRun* run = nullptr;
  std::int64_t memory = 0;  ///< that a worker needs for it [bytes]; 0: unknown
};

/// What a worker tells, by the place of the run among the due ones.
class WorkerEvents {
 public:
  virtual ~WorkerEvents() = default;
  virtual void progressed(std::size_t place, double flops) = 0;
  virtual void published(std::size_t place) = 0;  ///< its result, by this worker
  virtual void failed(std::size_t place, const std::string& message) = 0;
  virtual void ended(std::size_t place, const std::string& line) = 0;  ///< in whatever way; for people
  virtual void noted(const std::string& line) = 0;
  virtual void stopped() = 0;  ///< in the middle of a run
};

/// "width=32, precision=fp8", or the beginning of the id where nothing differs.
std::string name_of(const PlannedRun& run);

/// Claims due runs, one at a time in their order, and brings each to its result, until there is none left for it or it
/// shall stop. `number`: which of the workers on the board it is.
void work(const std::vector<DueRun>& due, const RunStore& store, const LaunchOptions& options, WorkerBoard& board,
          std::size_t number, WorkerEvents& events);

}  // namespace bitlaw
