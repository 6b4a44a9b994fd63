#include "experiments/launch/run_store.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/record/run_json.h"
#include "experiments/launch/explain.h"

namespace bitlaw {

RunStore::State RunStore::state(const std::string& id) const {
  if (file_exists(folder_ / id / "result.json")) return State::Done;
  return file_exists(checkpoint(id)) ? State::Started : State::New;
}

std::optional<RunRecord> RunStore::load(const PlannedRun& run) const {
  const std::filesystem::path file = folder_ / run.id / "result.json";
  if (!file_exists(file)) return std::nullopt;
  RunRecord record = run_from_json(read_file(file), file.string());
  if (record.run_id != run.id) {
    throw InputError(
        fmt::format("{}: is the result of run {}, so it does not belong into this folder; delete the file "
                    "to train the run again",
                    file.string(), record.run_id));
  }
  record.precision = run.config().recipe.name;
  record.config = run.resolved();
  return record;
}

void RunStore::begin(const PlannedRun& run) const {
  const std::filesystem::path folder = folder_ / run.id;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    throw InputError(fmt::format("{}: cannot be created: {}; is the folder writable and the disk not full?",
                                 folder.string(), error.message()));
  }
  write_file_atomically(folder / "config.json", config_to_json(run.resolved()) + "\n");
  write_file_atomically(folder / "layers.txt", explain_text(run));
}

void RunStore::finish(const RunRecord& record) const {
  write_file_atomically(folder_ / record.run_id / "result.json", run_to_json(record));
  std::error_code harmless;  // a checkpoint beside a result is never read
  std::filesystem::remove(checkpoint(record.run_id), harmless);
}

std::string_view to_text(RunStore::State state) {
  switch (state) {
    case RunStore::State::New:
      return "new";
    case RunStore::State::Started:
      return "started";
    case RunStore::State::Done:
      return "done";
  }
  return "";
}

}  // namespace bitlaw
