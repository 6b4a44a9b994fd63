#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "experiments/sweep/experiment.h"

namespace bitlaw {

/// Something in a results folder that the experiment does not need.
struct Garbage {
  std::filesystem::path path;
  std::uintmax_t bytes = 0;
};

/// The folders of runs that the experiment does not have, and damaged files that were set aside. A folder with a claim
/// is somebody's work and not among them. `results` need not exist.
std::vector<Garbage> garbage(const Experiment& experiment, const std::filesystem::path& results);

/// Removes them. WriteError when one cannot be removed; those before it are gone.
void remove(const std::vector<Garbage>& garbage);

}  // namespace bitlaw
