#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "experiments/launch/claims.h"
#include "experiments/launch/doctor.h"

namespace bitlaw {

/// One run's folder, looked at.
struct RunLook {
  std::string id;                      ///< the folder's name
  std::optional<std::string> state;    ///< of a sound result, its state_hash
  std::string config;                  ///< text of config.json; "" where there is none
  std::optional<ClaimFile> elsewhere;  ///< a claim of which only its beat can tell whether the owner lives
};

/// Adds what is wrong in `runs/<id>/` to `findings`, all but a claim that is `elsewhere`.
RunLook examine_run(const std::filesystem::path& results, const std::string& id, std::vector<Finding>& findings);

/// The finding of a claim that showed no sign of life for `seconds`.
Finding silent_claim(const std::filesystem::path& run_folder, const ClaimFile& claim, double seconds);

/// The finding of each half-written file in a folder, whose writer is gone or cannot be seen from here.
void examine_temporary_files(const std::filesystem::path& folder, std::vector<Finding>& findings);

}  // namespace bitlaw
