#include "core/record/schema_check.h"

#include <fmt/format.h>

#include <cmath>
#include <set>

#include "core/base/error.h"
#include "core/record/fit_groups.h"
#include "core/record/hdf5_compare.h"
#include "core/record/result_file.h"
#include "core/record/statistics_fields.h"

namespace bitlaw {
namespace {

template <typename Fields>
void add_later(const Fields& fields, std::set<std::string>& names) {
  for_each_field(fields, [&](const auto& field) {
    if (field.may_be_absent) names.insert(field.name);
  });
}

/// Names that the first files of the schema lack.
std::set<std::string> later_names() {
  std::set<std::string> names(kLaterFitNames.begin(), kLaterFitNames.end());
  add_later(kRunFields, names);
  add_later(kCurveFields, names);
  add_later(kSlotStatisticsFields, names);
  add_later(kProductStatisticsFields, names);
  add_later(kGradientStatisticsFields, names);
  return names;
}

void check_runs(const std::filesystem::path& path, const std::vector<RunRecord>& runs,
                std::vector<std::string>& faults) {
  std::set<std::string_view> ids;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const RunRecord& run = runs[i];
    const auto add = [&](std::string_view member, const std::string& what) {
      faults.push_back(fmt::format("{}:/runs/{}: {}", path.string(), member, what));
    };
    if (!ids.insert(run.run_id).second) {
      add("run_id", fmt::format("run {} has the id '{}' of another, so a fit counts it twice; remove one of them from "
                                "what the file was merged of",
                                i, run.run_id));
    }
    if (run.diverged == std::isfinite(run.loss)) {
      add("loss", fmt::format("run {} ('{}') has the loss {} and diverged = {}, so fits and reports differ on whether "
                              "it counts; train it again",
                              i, run.run_id, run.loss, run.diverged ? 1 : 0));
    }
  }
}

/// Adds what the open file has otherwise than `wanted`.
void compare(const std::filesystem::path& path, const hdf5::File& wanted, std::vector<std::string>& faults) {
  const hdf5::File file = hdf5::File::open(path);
  for (std::string& fault : hdf5::differences(wanted.root(), file.root(), later_names())) {
    faults.push_back(std::move(fault));
  }
}

void check_sweep(const std::filesystem::path& path, SchemaReport& report) {
  const SweepFile sweep = read_sweep_file(path);
  report.runs = sweep.runs.size();
  check_runs(path, sweep.runs, report.faults);
  compare(path, sweep_in_memory(path, sweep), report.faults);
}

}  // namespace

SchemaReport check_result_file(const std::filesystem::path& path) {
  SchemaReport report;
  const ResultKind kind = kind_of_result_file(path);
  report.faults = hdf5::null_dataspaces(hdf5::File::open(path).root());
  if (!report.faults.empty()) return report;  // what is not there cannot be read
  try {
    if (kind == ResultKind::Sweep) {
      check_sweep(path, report);
    } else {
      compare(path, fits_in_memory(path, read_fit_file(path), ""), report.faults);
    }
  } catch (const InputError& error) {
    report.faults.emplace_back(error.what());
  }
  return report;
}

}  // namespace bitlaw
