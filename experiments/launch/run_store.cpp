#include "experiments/launch/run_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <system_error>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/fingerprint.h"
#include "core/record/run_json.h"
#include "experiments/launch/attempts.h"
#include "experiments/launch/explain.h"

namespace bitlaw {

namespace {

constexpr const char* kChecksum = "checksum";

std::string checksum_of(const nlohmann::json& record) { return fingerprint(record.dump()); }

std::string sealed(const RunRecord& record) {
  nlohmann::json json = nlohmann::json::parse(run_to_json(record));
  json[kChecksum] = checksum_of(json);
  return json.dump() + "\n";
}

/// Earlier versions wrote none. A name that they did not know is a checksum's that was changed.
bool is_without_checksum(const nlohmann::json& json, const std::string& place) {
  const nlohmann::json known = nlohmann::json::parse(run_to_json(run_from_json(json.dump(), place)));
  return std::all_of(json.items().begin(), json.items().end(),
                     [&](const auto& entry) { return known.contains(entry.key()); });
}

RunRecord read_result(const std::filesystem::path& file) {
  const std::string place = file.string();
  nlohmann::json json = nlohmann::json::parse(read_file(file), nullptr, /*allow_exceptions=*/false);
  bool whole = false;
  try {
    if (json.contains(kChecksum)) {
      const std::string written = json[kChecksum];
      json.erase(kChecksum);
      whole = checksum_of(json) == written;
    } else {
      whole = json.is_object() && is_without_checksum(json, place);
    }
    if (whole) return run_from_json(json.dump(), place);
  } catch (const nlohmann::json::exception&) {  // not UTF-8, or no text where one was
  } catch (const InputError&) {
  }
  throw DamagedFile(fmt::format(
      "{}: is cut short or changed, so the run counts as not done; delete the file to train it again", place));
}

void compare(const RunRecord& there, const RunRecord& again, const std::filesystem::path& file) {
  if (there.state_hash == again.state_hash) return;
  throw InputError(
      fmt::format("{}: has the state {} and the same run, trained again, {}, so one of the two was computed wrongly; "
                  "delete the file to train the run again, on another machine, and compare",
                  file.string(), there.state_hash, again.state_hash));
}

}  // namespace

RunStore::State RunStore::state(const std::string& id) const {
  if (file_exists(result(id))) return State::Done;
  return file_exists(checkpoint(id)) ? State::Started : State::New;
}

std::unordered_set<std::string> RunStore::begun() const {
  std::unordered_set<std::string> ids;
  std::error_code error;
  const std::filesystem::directory_iterator entries(folder_, error);
  if (error == std::errc::no_such_file_or_directory) return ids;
  if (error) refuse_reading(folder_, error.message());
  for (const auto& entry : entries) ids.insert(entry.path().filename().string());
  return ids;
}

std::optional<RunRecord> RunStore::read(const std::string& id) const {
  const std::filesystem::path file = result(id);
  if (!file_exists(file)) return std::nullopt;
  RunRecord record = read_result(file);
  if (record.run_id != id) {
    throw DamagedFile(
        fmt::format("{}: is the result of run {}, so it does not belong into this folder; delete the file "
                    "to train the run again",
                    file.string(), record.run_id));
  }
  return record;
}

std::optional<RunRecord> RunStore::load(const PlannedRun& run) const {
  std::optional<RunRecord> record = read(run.id);
  if (!record) return std::nullopt;
  const TrainConfig config = run.config();
  record->precision = config.recipe.name;
  record->config = resolved_values(config, *run.data);
  return record;
}

void RunStore::make_folder(const std::string& id) const {
  std::error_code error;
  std::filesystem::create_directories(folder(id), error);
  if (error) {
    throw WriteError(fmt::format("{}: cannot be created: {}; is the folder writable and the disk not full?",
                                 folder(id).string(), error.message()));
  }
}

void RunStore::begin(const PlannedRun& run) const {
  make_folder(run.id);
  write_file_atomically(folder(run.id) / "config.json", config_to_json(run.resolved()) + "\n");
  write_file_atomically(folder(run.id) / "layers.txt", explain_text(run));
}

RunStore::Finish RunStore::finish(const RunRecord& record) const {
  const std::filesystem::path file = result(record.run_id);
  Finish finish = Finish::Published;
  while (!write_new_file(file, sealed(record))) {
    finish = Finish::WasThere;
    try {
      compare(read_result(file), record, file);
      break;
    } catch (const DamagedFile&) {
      set_aside(file);
      finish = Finish::Published;
    }
  }
  std::error_code harmless;  // a checkpoint beside a result is never read
  std::filesystem::remove(checkpoint(record.run_id), harmless);
  forget_attempts(folder(record.run_id));
  return finish;
}

std::filesystem::path set_aside(const std::filesystem::path& file) {
  std::filesystem::path aside = file.string() + ".damaged";
  for (int i = 2; file_exists(aside); ++i) aside = fmt::format("{}.damaged-{}", file.string(), i);
  std::error_code error;
  std::filesystem::rename(file, aside, error);
  if (error && file_exists(file)) refuse_writing(file, error.message());  // else another process did it
  return aside;
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
