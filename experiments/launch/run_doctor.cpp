#include "experiments/launch/run_doctor.h"

#include <fmt/format.h>

#include <map>
#include <system_error>
#include <utility>

#include "core/base/file.h"
#include "core/record/run_json.h"
#include "experiments/launch/attempts.h"
#include "experiments/launch/progress.h"
#include "experiments/launch/run_store.h"
#include "simulators/train/checkpoint.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

Finding finding(Trouble trouble, const fs::path& path, std::string_view what) {
  return {trouble, path, fmt::format("{}: {}", path.string(), what)};
}

/// Runs `look`; what it throws becomes a finding: `damage` for a file that is not as written.
template <typename Look>
void look_at(const fs::path& file, Trouble damage, std::vector<Finding>& findings, Look look) {
  try {
    look();
  } catch (const DamagedFile& error) {
    findings.push_back({damage, file, error.what()});
  } catch (const InputError& error) {
    findings.push_back({Trouble::Unreadable, file, error.what()});
  }
}

std::string config_of(const fs::path& file) {
  if (!file_exists(file)) return "";
  std::string text = read_file(file);
  try {
    config_from_json(text, file.string());
  } catch (const InputError&) {
    throw DamagedFile(
        fmt::format("{}: is cut short or changed, so it no longer says what the run is; delete it: whoever "
                    "trains the run writes it again",
                    file.string()));
  }
  return text;
}

constexpr std::string_view kCheckpoint = "checkpoint", kKept = "checkpoint.step";

bool is_kept_checkpoint(std::string_view name) {
  return name.starts_with(kKept) && name.find_first_not_of("0123456789", kKept.size()) == std::string_view::npos;
}

/// checkpoint, and those that were kept.
void examine_checkpoints(const fs::path& folder, const std::string& id, std::vector<Finding>& findings) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.find(".damaged") != std::string::npos) {
      findings.push_back(finding(Trouble::SetAside, entry->path(),
                                 "was found damaged and set aside, so nothing reads it; look at it, or remove it with "
                                 "bitlaw sweep gc --delete"));
    } else if (name == kCheckpoint || is_kept_checkpoint(name)) {
      look_at(entry->path(), Trouble::DamagedCheckpoint, findings, [&] { load_checkpoint(entry->path(), id); });
    }
  }
}

void examine_attempts(const fs::path& folder, std::vector<Finding>& findings) {
  std::map<std::string, std::size_t> reasons;
  std::size_t attempts = 0;
  for (const Attempt& attempt : attempts_in(folder)) {
    ++attempts;
    ++reasons[fmt::format("{}: {}", to_text(attempt.kind), attempt.message)];
  }
  if (attempts == 0) return;
  std::string why;
  for (const auto& [reason, count] : reasons) {
    why += (why.empty() ? "" : "; ") + (count > 1 ? fmt::format("{} times {}", count, reason) : reason);
  }
  const std::string_view then = attempts < kMostAttempts
                                    ? "so it is tried again; remove the reason first"
                                    : "so it is not tried again by itself; remove the reason, then bitlaw run or "
                                      "bitlaw sweep work --retry-failed tries it";
  findings.push_back(finding(Trouble::FailedRun, folder,
                             fmt::format("{} {} in a row ended without a result ({}), {}", attempts,
                                         attempts == 1 ? "attempt" : "attempts", why, then)));
}

void examine_claim(const fs::path& folder, RunLook& look, std::vector<Finding>& findings) {
  const auto claim = read_claim(folder);
  if (!claim) return;
  switch (life_of(claim->owner)) {
    case Life::Alive:
      return;
    case Life::Unknown:
      look.elsewhere = claim;
      return;
    case Life::Dead:
      findings.push_back(finding(
          Trouble::StaleClaim, folder / "claim",
          fmt::format("process {} on {} has ended, so the run is free; bitlaw run or bitlaw sweep work takes it "
                      "over",
                      claim->owner.pid, claim->owner.host)));
  }
}

void examine_result(const RunStore& store, RunLook& look, std::vector<Finding>& findings) {
  look_at(store.result(look.id), Trouble::DamagedResult, findings, [&] {
    if (const auto record = store.read(look.id)) look.state = record->state_hash;
  });
  const fs::path checkpoint = store.checkpoint(look.id);
  if (!look.state || !file_exists(checkpoint)) return;
  findings.push_back(
      finding(Trouble::Leftover, checkpoint, "lies beside the run's result, so nothing reads it; it may be deleted"));
}

}  // namespace

RunLook examine_run(const fs::path& results, const std::string& id, std::vector<Finding>& findings) {
  const RunStore store(results);
  const fs::path folder = store.folder(id), config = folder / "config.json";
  RunLook look{.id = id, .state = {}, .config = {}, .elsewhere = {}};
  look_at(folder, Trouble::Unreadable, findings, [&] {
    examine_claim(folder, look, findings);
    examine_result(store, look, findings);
    look_at(config, Trouble::DamagedConfig, findings, [&] { look.config = config_of(config); });
    examine_checkpoints(folder, id, findings);
    examine_attempts(folder, findings);
    examine_temporary_files(folder, findings);
  });
  return look;
}

Finding silent_claim(const fs::path& run_folder, const ClaimFile& claim, double seconds) {
  const fs::path file = run_folder / "claim";
  if (claim.owner.host.empty()) {
    return finding(Trouble::StaleClaim, file,
                   "is not as a process writes it, so its owner is unknown; when it has not changed for a minute, "
                   "bitlaw run or bitlaw sweep work takes the run over");
  }
  return finding(
      Trouble::StaleClaim, file,
      fmt::format("process {} on {} gave no sign of life for {}, so it has ended or is cut off; after twelve "
                  "times {} without one, bitlaw run or bitlaw sweep work takes the run over",
                  claim.owner.pid, claim.owner.host, duration_text(seconds), duration_text(claim.beat_seconds)));
}

void examine_temporary_files(const fs::path& folder, std::vector<Finding>& findings) {
  for (const UnfinishedFile& file : temporary_files(folder)) {
    if (file.writer == Life::Alive) continue;
    findings.push_back(finding(
        Trouble::Leftover, file.path,
        file.writer == Life::Dead
            ? "is half-written and its writer has ended, so nothing reads it; it is removed when work goes on"
            : "is half-written, by a process of another machine or from before this one's start, so nothing reads it; "
              "delete it if nobody works there"));
  }
}

}  // namespace bitlaw
