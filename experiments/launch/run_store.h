#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <unordered_set>

#include "core/record/run_record.h"
#include "experiments/sweep/experiment.h"

namespace bitlaw {

/// The folder `runs/<id>/` of each run: config.json, a checkpoint while it trains, result.json when it has finished.
///
/// Files only, each replaced in one step, so that any process can tell a run's state at any time. result.json carries
/// the fingerprint of its content as the key "checksum".
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
  /// The ids of all runs that have a folder: one look instead of one for each run of a large sweep.
  std::unordered_set<std::string> begun() const;
  /// Where the plan that was launched last is kept (plan_file.h).
  std::filesystem::path plan() const { return folder_.parent_path() / "plan.json"; }
  std::filesystem::path folder(const std::string& id) const { return folder_ / id; }
  std::filesystem::path checkpoint(const std::string& id) const { return folder_ / id / "checkpoint"; }
  std::filesystem::path result(const std::string& id) const { return folder_ / id / "result.json"; }

  /// The result as it was written, or nothing. DamagedFile when result.json is not that or of another run.
  std::optional<RunRecord> read(const std::string& id) const;
  /// The same with the names that `run`'s file gives it.
  std::optional<RunRecord> load(const PlannedRun& run) const;

  /// Makes the run's folder, empty.
  void make_folder(const std::string& id) const;

  /// Makes the run's folder with its configuration and what its layers do, layers.txt.
  void begin(const PlannedRun& run) const;

  enum class Finish {
    Published,
    WasThere  ///< another process published the same bits first
  };
  /// Publishes the result, unless there is a sound one, and drops the checkpoint and the attempts. InputError when the
  /// one that is there has other bits: one of two machines then computes wrongly.
  Finish finish(const RunRecord& record) const;

 private:
  std::filesystem::path folder_;
};

/// Renames a damaged file of a run to FILE.damaged, or FILE.damaged-2 ..., which nothing reads. Returns the new path.
std::filesystem::path set_aside(const std::filesystem::path& file);

/// "new", "started" or "done".
std::string_view to_text(RunStore::State state);

}  // namespace bitlaw
