#include "core/record/sweep_file.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <numeric>

#include "core/base/build_info.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/record/fit_groups.h"
#include "core/record/hdf5.h"
#include "core/record/hdf5_table.h"
#include "core/record/result_file.h"
#include "core/record/run_columns.h"
#include "core/record/run_fields.h"
#include "core/record/run_json.h"
#include "core/record/statistics_fields.h"

namespace bitlaw {
namespace {

using hdf5::Group;

std::string now() { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))); }

void write_provenance(const Group& root, const SweepFile& sweep, const std::string& created_at) {
  const BuildInfo build = build_info();
  root.set_attribute("Conventions", std::string("CF-1.8"));
  root.set_attribute("title", sweep.title);
  root.set_attribute("experiment", sweep.experiment);
  root.set_attribute("schema_version", std::int64_t{kSweepSchemaVersion});
  root.set_attribute("program", std::string("bitlaw"));
  root.set_attribute("program_version", build.version);
  root.set_attribute("git_commit", build.commit);
  root.set_attribute("command", sweep.command);
  root.set_attribute("host", build.host);
  root.set_attribute("cpu", build.cpu);
  root.set_attribute("compiler", build.compiler);
  root.set_attribute("created_at", created_at);
  root.set_attribute("config_yaml", sweep.config_yaml);
  root.set_attribute("failed_runs", sweep.failed_runs);
}

void write_column(const Group& group, const Column& column) {
  std::visit(
      [&]<typename T>(const std::vector<T>& values) { group.write<T>(column.name, values, {"run"}, column.meaning); },
      column.values);
}

/// What of a run's configuration the group's attribute config_common does not say.
std::string own_config(const RunRecord& run, const std::map<std::string, ConfigValue>& common) {
  std::map<std::string, ConfigValue> own = run.config;
  std::erase_if(own, [&](const auto& entry) { return common.contains(entry.first); });
  return config_to_json(own);
}

void write_runs(const Group& group, const std::vector<RunRecord>& runs) {
  const auto common = common_config(runs);
  group.set_attribute("config_common", config_to_json(common));
  group.add_dimension("run", static_cast<std::int64_t>(runs.size()));
  for (const Column& column : run_columns(runs)) write_column(group, column);
  for (const Column& column : varying_config_columns(runs)) write_column(group, column);
  std::vector<std::string> configs;
  std::vector<double> seconds;
  for (const RunRecord& run : runs) {
    configs.push_back(own_config(run, common));
    seconds.push_back(run.wall_seconds);
  }
  group.write<std::string>("config", configs, {"run"},
                           {"configuration as JSON, without the keys of the attribute config_common"});
  group.write<double>(kWallSeconds.name, seconds, {"run"}, {kWallSeconds.long_name, kWallSeconds.units});
}

/// Contiguous ragged array (CF-1.8 §9.3.3): the rows of run 0, then those of run 1, ...
template <typename Row, typename Fields, typename RowsOf>
void write_rows(const Group& group, const std::string& dimension, const Fields& fields,
                const std::vector<RunRecord>& runs, RowsOf rows_of) {
  std::vector<std::string> ids;
  std::vector<std::int64_t> sizes;
  for (const RunRecord& run : runs) {
    ids.push_back(run.run_id);
    sizes.push_back(static_cast<std::int64_t>(rows_of(run).size()));
  }
  group.add_dimension("run", static_cast<std::int64_t>(runs.size()));
  group.add_dimension(dimension, std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0}));
  group.write<std::string>("run_id", ids, {"run"}, {"fingerprint of the resolved configuration"});
  group.write<std::int64_t>("row_size", sizes, {"run"},
                            {dimension + "s of the run, which follow those of the runs before"});
  for_each_field(fields, [&]<typename T>(const Field<Row, T>& field) {
    std::vector<T> values;
    for (const RunRecord& run : runs) {
      for (const Row& row : rows_of(run)) values.push_back(row.*field.member);
    }
    group.write<T>(field.name, values, {dimension}, {field.long_name, field.units});
  });
}

/// Calls visit(name of the group, fields, member of RunStatistics) for each kind.
template <typename Visit>
void for_each_statistic(Visit visit) {
  visit("slots", kSlotStatisticsFields, &RunStatistics::slots);
  visit("products", kProductStatisticsFields, &RunStatistics::products);
  visit("gradients", kGradientStatisticsFields, &RunStatistics::gradients);
}

void write_statistics(const Group& group, const std::vector<RunRecord>& runs) {
  for_each_statistic([&]<typename Row>(const char* name, const auto& fields, std::vector<Row> RunStatistics::*rows) {
    write_rows<Row>(
        group.create_group(name), "row", fields,
        runs, [rows](const RunRecord& run) -> const auto& { return run.statistics.*rows; });
  });
}

[[noreturn]] void corrupt(const Group& group, const std::string& what) {
  throw InputError(
      fmt::format("{}: {}, so the file is corrupt; restore it or run the experiment again", group.place(), what));
}

template <typename T>
std::vector<T> read_sized(const Group& group, const std::string& name, std::size_t size) {
  std::vector<T> values = group.read<T>(name);
  if (values.size() != size) corrupt(group, fmt::format("'{}' has {} values for {} runs", name, values.size(), size));
  return values;
}

template <typename T>
void read_field(const Group& group, const Field<RunRecord, T>& field, std::vector<RunRecord>& runs) {
  if (field.may_be_absent && !group.contains(field.name)) return;
  if constexpr (std::is_same_v<T, bool>) {
    const auto values = read_sized<std::int8_t>(group, field.name, runs.size());
    for (std::size_t i = 0; i < runs.size(); ++i) runs[i].*field.member = values[i] != 0;
  } else {
    auto values = read_sized<T>(group, field.name, runs.size());
    for (std::size_t i = 0; i < runs.size(); ++i) runs[i].*field.member = std::move(values[i]);
  }
}

std::vector<RunRecord> read_runs(const Group& group) {
  std::vector<RunRecord> runs(group.read<std::string>("run_id").size());
  for_each_field(kRunFields, [&](const auto& field) { read_field(group, field, runs); });
  read_field(group, kWallSeconds, runs);
  const auto common = config_from_json(group.text_attribute("config_common"), group.place());
  const auto configs = read_sized<std::string>(group, "config", runs.size());
  for (std::size_t i = 0; i < runs.size(); ++i) {
    runs[i].config = config_from_json(configs[i], group.place());
    runs[i].config.insert(common.begin(), common.end());
  }
  return runs;
}

/// The inverse of write_rows.
template <typename Row, typename Fields, typename RowsOf>
void read_rows(const Group& group, const std::string& dimension, const Fields& fields, std::vector<RunRecord>& runs,
               RowsOf rows_of) {
  const auto sizes = read_sized<std::int64_t>(group, "row_size", runs.size());
  const std::size_t count = group.read<std::int64_t>("step").size();
  std::size_t total = 0;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (sizes[i] < 0 || static_cast<std::size_t>(sizes[i]) > count - total)
      corrupt(group, fmt::format("row_size exceeds the {}s", dimension));
    total += static_cast<std::size_t>(sizes[i]);
    rows_of(runs[i]).resize(static_cast<std::size_t>(sizes[i]));
  }
  if (total != count) corrupt(group, fmt::format("row_size sums to {} of {} {}s", total, count, dimension));
  for_each_field(fields, [&]<typename T>(const Field<Row, T>& field) {
    if (field.may_be_absent && !group.contains(field.name)) return;
    const auto values = group.read<T>(field.name);
    if (values.size() != count)
      corrupt(group, fmt::format("'{}' has {} of {} {}s", field.name, values.size(), count, dimension));
    std::size_t next = 0;
    for (RunRecord& run : runs) {
      for (Row& row : rows_of(run)) row.*field.member = values[next++];
    }
  });
}

void read_statistics(const Group& group, std::vector<RunRecord>& runs) {
  for_each_statistic([&]<typename Row>(const char* name, const auto& fields, std::vector<Row> RunStatistics::*rows) {
    read_rows<Row>(
        group.open_group(name), "row", fields, runs, [rows](RunRecord & run) -> auto& { return run.statistics.*rows; });
  });
}

void require_group(const Group& root, const std::string& name) {
  if (!root.has_attribute("schema_version") || !root.contains(name)) {
    throw InputError(
        fmt::format("{}: is an HDF5 file but not a sweep file of bitlaw; give the sweep.h5 of a results "
                    "folder",
                    root.place()));
  }
  const std::int64_t version = root.integer_attribute("schema_version");
  if (version > kSweepSchemaVersion) {
    throw InputError(
        fmt::format("{}: has schema version {}, but this program knows up to {}, so it would misread the "
                    "file; update bitlaw",
                    root.place(), version, kSweepSchemaVersion));
  }
}

SweepFile read_open_file(const Group& root) {
  require_group(root, "runs");
  SweepFile sweep;
  sweep.experiment = root.text_attribute("experiment");
  sweep.title = root.text_attribute("title");
  sweep.command = root.text_attribute("command");
  sweep.config_yaml = root.text_attribute("config_yaml");
  sweep.failed_runs = root.integer_attribute("failed_runs");
  sweep.runs = read_runs(root.open_group("runs"));
  read_rows<CurvePoint>(
      root.open_group("curves"), "point", kCurveFields, sweep.runs, [](RunRecord & run) -> auto& { return run.curve; });
  if (root.contains("statistics")) read_statistics(root.open_group("statistics"), sweep.runs);
  sweep.fits = read_fit_groups(root.open_group("fits"));
  return sweep;
}

/// The path must lead to HDF5: a message of ours instead of the library's for the usual mistakes.
void require_hdf5(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    throw InputError(fmt::format("{}: there is no such file; give the sweep.h5 of a results folder", path.string()));
  }
  const hdf5::Session quiet;
  if (std::filesystem::is_directory(path, error) || H5Fis_hdf5(path.c_str()) <= 0) {
    throw InputError(fmt::format("{}: is not an HDF5 file, so it holds no sweep; give the sweep.h5 of a results folder",
                                 path.string()));
  }
}

/// What `read` makes of the file's root; a file that claims too much is corrupt.
template <typename Read>
auto read_file_as(const std::filesystem::path& path, const Read& read) {
  require_hdf5(path);
  try {
    return read(hdf5::File::open(path).root());
  } catch (const std::bad_alloc&) {
    throw InputError(
        fmt::format("{}: claims more data than fits into memory, so it is corrupt; restore it or run the "
                    "experiment again",
                    path.string()));
  } catch (const std::length_error&) {
    throw InputError(
        fmt::format("{}: claims an impossible size, so it is corrupt; restore it or run the experiment "
                    "again",
                    path.string()));
  }
}

}  // namespace

hdf5::File sweep_in_memory(const std::filesystem::path& path, const SweepFile& sweep) {
  hdf5::File file = hdf5::File::create(path);
  const std::string created_at = now();
  write_provenance(file.root(), sweep, created_at);
  write_runs(file.root().create_group("runs"), sweep.runs);
  write_rows<CurvePoint>(
      file.root().create_group("curves"), "point", kCurveFields, sweep.runs,
      [](const RunRecord& run) -> const auto& { return run.curve; });
  if (std::any_of(sweep.runs.begin(), sweep.runs.end(), [](const RunRecord& run) { return !run.statistics.empty(); })) {
    write_statistics(file.root().create_group("statistics"), sweep.runs);
  }
  std::vector<Column> columns = run_columns(sweep.runs);
  for (Column& column : varying_config_columns(sweep.runs)) columns.push_back(std::move(column));
  write_table(file.root().create_group("tables"), "runs", columns, sweep.runs.size());
  write_fit_groups(file.root().create_group("fits"), sweep.fits, created_at);
  return file;
}

hdf5::File fits_in_memory(const std::filesystem::path& path, const std::vector<FitRecord>& fits,
                          const std::string& command) {
  hdf5::File file = hdf5::File::create(path);
  const std::string created_at = now();
  SweepFile described;
  described.title = "fits";
  described.command = command;
  write_provenance(file.root(), described, created_at);
  write_fit_groups(file.root().create_group("fits"), fits, created_at);
  return file;
}

void write_sweep_file(const std::filesystem::path& path, const SweepFile& sweep) {
  sweep_in_memory(path, sweep).save();
}

void write_fit_file(const std::filesystem::path& path, const std::vector<FitRecord>& fits, const std::string& command) {
  fits_in_memory(path, fits, command).save();
}

ResultKind kind_of_result_file(const std::filesystem::path& path) {
  return read_file_as(path, [](const Group& root) {
    require_group(root, root.contains("runs") ? "runs" : "fits");
    return root.contains("runs") ? ResultKind::Sweep : ResultKind::Fits;
  });
}

SweepFile read_sweep_file(const std::filesystem::path& path) {
  return read_file_as(path, [](const Group& root) { return read_open_file(root); });
}

std::vector<FitRecord> read_fit_file(const std::filesystem::path& path) {
  return read_file_as(path, [](const Group& root) {
    require_group(root, "fits");
    return read_fit_groups(root.open_group("fits"));
  });
}

}  // namespace bitlaw
