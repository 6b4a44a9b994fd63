#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/record/fit_record.h"
#include "core/record/run_record.h"

namespace bitlaw {

/// All that an experiment found: its runs and the laws fitted to them.
struct SweepFile {
  std::string experiment;
  std::string title;
  std::string command;           ///< as typed, for the record
  std::string config_yaml;       ///< the YAML text
  std::int64_t failed_runs = 0;  ///< planned ones that are not among `runs`, since they could not be trained
  std::vector<RunRecord> runs;
  std::vector<FitRecord> fits;
};

/// Version of the layout that README.md describes; a reader refuses a newer one.
inline constexpr int kSweepSchemaVersion = 1;

/// Replaces `path` in one step by an HDF5 file that xarray, netCDF4, h5netcdf, pandas, PyTables, ncdump and h5py open.
/// Equal content gives equal datasets; only /runs/wall_seconds and the attributes created_at, host, cpu differ.
/// Texts end at their first NUL byte. InputError when the file cannot be written.
void write_sweep_file(const std::filesystem::path& path, const SweepFile& sweep);

/// The inverse, bit for bit, NaN included. InputError of one line when the file is missing, truncated, corrupt, of
/// another program or of a newer version.
SweepFile read_sweep_file(const std::filesystem::path& path);

/// Fits without the runs they were made from: attributes and /fits as in a sweep file, nothing else. `command` as
/// typed.
void write_fit_file(const std::filesystem::path& path, const std::vector<FitRecord>& fits, const std::string& command);

/// The fits of such a file or of a sweep file. InputErrors as read_sweep_file.
std::vector<FitRecord> read_fit_file(const std::filesystem::path& path);

}  // namespace bitlaw
