#include "experiments/launch/doctor.h"

#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <unordered_set>

#include "core/base/file.h"
#include "core/record/schema_check.h"
#include "core/record/sweep_file.h"
#include "experiments/launch/plan_file.h"
#include "experiments/launch/progress.h"
#include "experiments/launch/results_folder.h"
#include "experiments/launch/run_doctor.h"
#include "experiments/launch/run_store.h"
#include "experiments/sweep/run_id.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

constexpr double kClockTolerance = 60;  ///< [s] by which clocks of two hosts may differ without a word

class Examination {
 public:
  Examination(const fs::path& results, const DoctorOptions& options) : results_(results), options_(options) {}

  Diagnosis diagnosis() {
    examine_disk();
    examine_runs();
    examine_silent_claims();
    examine_plan();
    examine_sweep_file();
    examine_temporary_files(results_, findings_);
    examine_times();
    return {.runs = looks_.size(), .findings = std::move(findings_)};
  }

 private:
  void add(Trouble trouble, const fs::path& path, std::string_view what) {
    findings_.push_back({trouble, path, fmt::format("{}: {}", path.string(), what)});
  }

  void examine_disk() {
    struct statvfs disk {};
    if (::statvfs(results_.c_str(), &disk) != 0) return;
    if ((disk.f_flag & ST_RDONLY) != 0 || ::access(results_.c_str(), W_OK) != 0) {
      add(Trouble::ReadOnly, results_, "cannot be written, so no run can be saved; make it writable");
    }
    const std::uintmax_t free = std::uintmax_t{disk.f_bavail} * disk.f_frsize, needed = largest_file();
    if (free < needed || (disk.f_files > 0 && disk.f_favail == 0)) {
      add(Trouble::FullDisk, results_,
          fmt::format(
              "its disk has room for {} bytes and {} files, and the largest file here has {} bytes, so runs may "
              "not be saved; make room",
              free, disk.f_files > 0 ? disk.f_favail : 1, needed));
    }
  }

  template <typename Use>
  void for_each_file(Use use) const {
    std::error_code error;
    for (fs::recursive_directory_iterator entry(results_, error), end; !error && entry != end; entry.increment(error)) {
      std::error_code gone;
      if (entry->is_regular_file(gone)) use(*entry);
    }
  }

  std::uintmax_t largest_file() const {
    std::uintmax_t largest = 4096;
    for_each_file([&](const fs::directory_entry& entry) {
      std::error_code gone;
      const std::uintmax_t size = entry.file_size(gone);
      if (!gone) largest = std::max(largest, size);
    });
    return largest;
  }

  void examine_runs() {
    std::vector<std::string> ids;
    std::error_code error;
    for (fs::directory_iterator entry(results_ / "runs", error), end; !error && entry != end; entry.increment(error)) {
      if (entry->is_directory(error)) ids.push_back(entry->path().filename().string());
    }
    std::sort(ids.begin(), ids.end());
    for (const std::string& id : ids) {
      looks_.push_back(examine_run(results_, id, findings_));
      options_.on_progress(looks_.size(), ids.size());
    }
  }

  /// Claims of other hosts: only a beat that changes tells that the owner lives.
  void examine_silent_claims() {
    constexpr double kBeats = 3, kLongest = 60;
    double seconds = 0;
    for (const RunLook& look : looks_) {
      if (look.elsewhere) seconds = std::max(seconds, std::clamp(kBeats * look.elsewhere->beat_seconds, 0.0, kLongest));
    }
    if (seconds > 0) options_.pause(seconds);
    for (const RunLook& look : looks_) {
      if (!look.elsewhere) continue;
      const fs::path folder = RunStore(results_).folder(look.id);
      const auto now = read_claim(folder);
      if (now && now->owner == look.elsewhere->owner && now->beat == look.elsewhere->beat) {
        findings_.push_back(silent_claim(folder, *now, seconds));
      }
    }
  }

  void examine_plan() {
    const fs::path file = RunStore(results_).plan();
    try {
      plan_ = read_plan(file);
    } catch (const InputError& error) {
      findings_.push_back({Trouble::DamagedPlan, file, error.what()});
    }
    if (!plan_) return;
    for (const SavedPlan::Run& run : plan_->runs) planned_.insert(run.id);
    if (plan_->numerical_epoch != kNumericalEpoch) {
      add(Trouble::OtherNumerics, file,
          fmt::format(
              "was launched by a program of numerical epoch {} and this one is of epoch {}, so those of its runs whose "
              "bits have changed since have other ids here: bitlaw sweep plan tells how many, bitlaw run trains them",
              plan_->numerical_epoch, kNumericalEpoch));
    }
    examine_unplanned();
  }

  /// A run that is planned under another id with the same configuration.
  void examine_unplanned() {
    std::map<std::string_view, std::string_view> id_of_config;
    for (const RunLook& look : looks_) {
      if (planned_.contains(look.id) && !look.config.empty()) id_of_config.emplace(look.config, look.id);
    }
    for (const RunLook& look : looks_) {
      const auto same = id_of_config.find(look.config);
      if (planned_.contains(look.id) || same == id_of_config.end()) continue;
      add(Trouble::OtherNumerics, RunStore(results_).folder(look.id),
          fmt::format("has the configuration of run {} under another id, so a program of another numerical epoch made "
                      "it and it is not used; bitlaw sweep gc --delete removes it",
                      same->second));
    }
  }

  /// Whether its runs are those of the last plan that have a result.
  void examine_sweep_file() {
    const fs::path file = results_ / "sweep.h5";
    if (!file_exists(file)) return;
    std::map<std::string, std::string> there;
    try {
      Diagnosis inside = examine_file(file);
      if (!inside.findings.empty()) {
        std::move(inside.findings.begin(), inside.findings.end(), std::back_inserter(findings_));
        return;
      }
      for (const RunRecord& run : read_sweep_file(file).runs) there.emplace(run.run_id, run.state_hash);
    } catch (const InputError& error) {
      findings_.push_back({Trouble::DamagedSweepFile, file, error.what()});
      return;
    }
    std::size_t missing = 0, other = 0, sound = 0;
    for (const RunLook& look : looks_) {
      if (!look.state) continue;
      const auto run = there.find(look.id);
      if (run == there.end()) {
        missing += !plan_ || planned_.contains(look.id) ? 1 : 0;
      } else {
        ++sound;
        other += run->second == *look.state ? 0 : 1;
      }
    }
    const std::size_t beyond = there.size() - sound;
    if (missing + other + beyond == 0) return;
    add(Trouble::OutdatedSweepFile, file,
        fmt::format(
            "lacks {} finished runs and holds {} without a sound result and {} with other bits, so it is not of "
            "these results; bitlaw run writes it anew",
            missing, beyond, other));
  }

  void examine_times() {
    std::size_t count = 0;
    auto latest = options_.now;
    fs::path example;
    for_each_file([&](const fs::directory_entry& entry) {
      std::error_code gone;
      const auto time = entry.last_write_time(gone);
      if (gone || time <= options_.now + std::chrono::duration_cast<fs::file_time_type::duration>(
                                             std::chrono::duration<double>(kClockTolerance)))
        return;
      ++count;
      if (time > latest) example = entry.path();
      latest = std::max(latest, time);
    });
    if (count == 0) return;
    add(Trouble::FutureTime, example,
        fmt::format("was written {} from now, and so were {} files in all, so this machine's clock was set back or "
                    "another's is ahead; results do not depend on clocks, set them right for your own sake",
                    duration_text(std::chrono::duration<double>(latest - options_.now).count()), count));
  }

  const fs::path& results_;
  const DoctorOptions& options_;
  std::vector<RunLook> looks_;
  std::optional<SavedPlan> plan_;                 // of the last launch
  std::unordered_set<std::string_view> planned_;  // its ids
  std::vector<Finding> findings_;
};

}  // namespace

Diagnosis examine(const fs::path& results, const DoctorOptions& options) {
  std::error_code error;
  if (!fs::is_directory(results, error) || !is_results_folder(results)) {
    throw InputError(fmt::format(
        "{}: is no results folder of bitlaw, so there is nothing to look at; give the folder that bitlaw run "
        "or bitlaw sweep work wrote, or the experiment's YAML file",
        results.string()));
  }
  return Examination(results, options).diagnosis();
}

Diagnosis examine_file(const fs::path& file) {
  SchemaReport report = check_result_file(file);
  Diagnosis diagnosis{.runs = report.runs, .findings = {}};
  for (std::string& fault : report.faults) {
    diagnosis.findings.push_back({Trouble::DamagedSweepFile, file, std::move(fault)});
  }
  return diagnosis;
}

std::string diagnosis_text(const fs::path& results, const Diagnosis& diagnosis) {
  std::string text;
  for (const Finding& finding : diagnosis.findings) {
    text += fmt::format("{}: {}\n", name_of(finding.trouble, kTroubleNames), finding.message);
  }
  return text + fmt::format("{}: {} runs looked at, {} findings\n", results.string(), diagnosis.runs,
                            diagnosis.findings.size());
}

std::string diagnosis_json(const fs::path& results, const Diagnosis& diagnosis) {
  using nlohmann::json;
  json findings = json::array();
  for (const Finding& finding : diagnosis.findings) {
    findings.push_back({{"kind", name_of(finding.trouble, kTroubleNames)},
                        {"path", finding.path.string()},
                        {"message", finding.message}});
  }
  std::error_code error;
  const char* const looked_at = fs::is_regular_file(results, error) ? "file" : "folder";
  return json({{looked_at, results.string()}, {"runs", diagnosis.runs}, {"findings", findings}}).dump() + "\n";
}

}  // namespace bitlaw
