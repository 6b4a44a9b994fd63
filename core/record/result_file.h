#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/record/hdf5.h"
#include "core/record/sweep_file.h"

namespace bitlaw {

/// What write_sweep_file and write_fit_file write, not yet on a disk; `path` is where save() would put it.
hdf5::File sweep_in_memory(const std::filesystem::path& path, const SweepFile& sweep);
hdf5::File fits_in_memory(const std::filesystem::path& path, const std::vector<FitRecord>& fits,
                          const std::string& command);

enum class ResultKind {
  Sweep,
  Fits  ///< alone
};

/// InputErrors as read_sweep_file when the file as a whole is neither.
ResultKind kind_of_result_file(const std::filesystem::path& path);

}  // namespace bitlaw
