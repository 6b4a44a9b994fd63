#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace bitlaw {

/// Whether a test asked for reference data that are not there; main() then returns 77, which ctest shows as skipped.
inline bool reference_data_missing = false;

/// The path of a file of reference data, or empty with a message. The data are not part of the project: their folder is
/// $BITLAW_REFERENCE_DATA, by default shared/data beside the project.
inline std::filesystem::path reference_data(const std::string& file) {
  const char* folder = std::getenv("BITLAW_REFERENCE_DATA");
  const auto path = std::filesystem::path(folder != nullptr ? folder : BITLAW_SOURCE_DIR "/../shared/data") / file;
  if (std::filesystem::exists(path)) return path;
  MESSAGE("skipped: ", path.string(), " is not there; set BITLAW_REFERENCE_DATA to the folder with reference data");
  reference_data_missing = true;
  return {};
}

}  // namespace bitlaw
