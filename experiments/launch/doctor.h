#pragma once

#include <array>
#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "core/base/enum_name.h"

namespace bitlaw {

/// What can be wrong with a results folder, or with a result file. A run that trains, is due or has diverged is not.
enum class Trouble {
  DamagedResult,      ///< a result that is not as written, or another run's
  DamagedCheckpoint,  ///< likewise; also one that was kept for others to start from
  DamagedConfig,
  DamagedPlan,
  DamagedSweepFile,
  OutdatedSweepFile,  ///< its runs are not those that have results
  StaleClaim,         ///< its owner has ended, or gives no sign
  Leftover,           ///< half-written, or of no use beside a result
  FailedRun,          ///< attempts that ended without a result
  SetAside,           ///< damaged once; nothing reads it
  OtherNumerics,      ///< made by a program whose runs have other bits
  FutureTime,         ///< written later than now
  Unreadable,
  ReadOnly,
  FullDisk
};
inline constexpr std::array<EnumName<Trouble>, 15> kTroubleNames{{{"damaged result", Trouble::DamagedResult},
                                                                  {"damaged checkpoint", Trouble::DamagedCheckpoint},
                                                                  {"damaged configuration", Trouble::DamagedConfig},
                                                                  {"damaged plan", Trouble::DamagedPlan},
                                                                  {"damaged sweep file", Trouble::DamagedSweepFile},
                                                                  {"outdated sweep file", Trouble::OutdatedSweepFile},
                                                                  {"stale claim", Trouble::StaleClaim},
                                                                  {"leftover", Trouble::Leftover},
                                                                  {"failed run", Trouble::FailedRun},
                                                                  {"set aside", Trouble::SetAside},
                                                                  {"other numerics", Trouble::OtherNumerics},
                                                                  {"time in the future", Trouble::FutureTime},
                                                                  {"unreadable", Trouble::Unreadable},
                                                                  {"read-only", Trouble::ReadOnly},
                                                                  {"full disk", Trouble::FullDisk}}};

struct Finding {
  Trouble trouble = Trouble::Unreadable;
  std::filesystem::path path;
  std::string message;  ///< of one line: "path: what, so what follows; remedy"; inside a file "path:/group: ..."
};

struct Diagnosis {
  std::size_t runs = 0;  ///< folders of runs that were looked at
  std::vector<Finding> findings;
};

/// What the look itself depends on.
struct DoctorOptions {
  /// Waits while claims of other hosts may show a sign of life.
  std::function<void(double seconds)> pause = [](double seconds) {
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  };
  std::filesystem::file_time_type now = std::filesystem::file_time_type::clock::now();
  std::function<void(std::size_t done, std::size_t all)> on_progress = [](std::size_t, std::size_t) {};
};

/// Reads every file of a results folder and says what is wrong. Changes nothing, and may be asked while others work
/// there. InputError when the folder is none of ours.
Diagnosis examine(const std::filesystem::path& results, const DoctorOptions& options);

/// Compares a result file, of a sweep or of fits, with the schema: check_result_file. Its runs are those counted.
/// InputError when the file as a whole is none of ours.
Diagnosis examine_file(const std::filesystem::path& file);

/// `results` is the folder or the file.
std::string diagnosis_text(const std::filesystem::path& results, const Diagnosis& diagnosis);
std::string diagnosis_json(const std::filesystem::path& results, const Diagnosis& diagnosis);

}  // namespace bitlaw
