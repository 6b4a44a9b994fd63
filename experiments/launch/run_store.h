#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "core/record/run_record.h"
#include "experiments/sweep/experiment.h"

namespace bitlaw {

/// The folder runs/<id>/ of each run: config.json, a checkpoint while it trains, result.json when it has finished.
///
/// Files only, each replaced in one step, so that any process can tell a run's state at any time.
class RunStore {
 public:
  enum class State {
    New,      ///< nothing there
    Started,  ///< a checkpoint to continue from
    Done      ///< a result; deleting it makes exactly this run due again
  };

  /// `results` is the experiment's folder; nothing is created.
  explicit RunStore(std::filesystem::path results) : folder_(std::move(results) / "runs") {}

  State state(const std::string& id) const;
  std::filesystem::path checkpoint(const std::string& id) const { return folder_ / id / "checkpoint"; }

  /// The result, with the names that `run`'s file gives it, or nothing. InputError when result.json is damaged.
  std::optional<RunRecord> load(const PlannedRun& run) const;

  /// Makes the run's folder with its configuration and what its layers do, layers.txt.
  void begin(const PlannedRun& run) const;

  /// Saves the result and then drops the checkpoint.
  void finish(const RunRecord& record) const;

 private:
  std::filesystem::path folder_;
};

/// "new", "started" or "done".
std::string_view to_text(RunStore::State state);

}  // namespace bitlaw
