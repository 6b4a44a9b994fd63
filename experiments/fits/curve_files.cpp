#include "experiments/fits/curve_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <map>
#include <utility>

#include "core/record/table_rows.h"
#include "experiments/fits/fit_rows.h"
#include "fitting/laws/schedule_text.h"

namespace bitlaw {
namespace {

constexpr std::array<std::string_view, 6> kFromSchedule{"S1", "S2", "S1c", "S2c", "curve", "step"};
constexpr int kNoStep = 100'000'000;  // steps beyond are a mistake

/// The name of a column by --map, or else `name` itself.
std::string column_of(const FitRequest& request, const std::string& name) {
  for (const auto& [key, column] : items_of_map(request)) {
    if (key == name) return column;
  }
  return name;
}

/// "b/curve" of "a/b/curve.csv" with one folder, with all it has where these are fewer; asked for still more than that,
/// as where only extensions differ, the whole path.
std::string name_with_folders(const std::filesystem::path& path, std::size_t folders) {
  const auto parts = static_cast<std::size_t>(std::distance(path.begin(), path.end()));
  if (folders > parts) return path.string();
  folders = std::min(folders, parts - 1);
  std::filesystem::path name = path.filename();
  while (name.has_extension() && (is_table(name) || name.extension() == ".gz")) name = name.stem();
  auto folder = path.end();
  for (std::size_t k = 0; k <= folders; ++k) --folder;
  std::filesystem::path parents;
  for (std::size_t k = 0; k < folders; ++k) parents /= *folder++;
  return (parents / name).string();
}

/// Names [file] that differ where the paths do: without folders, but for files that would be called the same.
std::vector<std::string> names_of(const std::vector<std::string>& files) {
  std::map<std::filesystem::path, std::size_t> folders;  // in the name of each path
  for (const std::string& file : files) folders.try_emplace(std::filesystem::path(file).lexically_normal());
  for (bool differ = false; !differ;) {
    std::map<std::string, std::vector<std::filesystem::path>> called;
    for (const auto& [path, count] : folders) called[name_with_folders(path, count)].push_back(path);
    differ = called.size() == folders.size();
    for (const auto& [name, paths] : called) {
      for (std::size_t k = 0; k < paths.size() && paths.size() > 1; ++k) ++folders[paths[k]];
    }
  }
  std::vector<std::string> names;
  for (const std::string& file : files) {
    const std::filesystem::path path = std::filesystem::path(file).lexically_normal();
    names.push_back(name_with_folders(path, folders[path]));
  }
  return names;
}

/// What of --map is left without the column of learning rates, which no observation needs.
FitRequest without_rates(FitRequest request) {
  std::vector<std::string> columns;
  for (const auto& [key, column] : items_of_map(request)) {
    if (key != "lr") columns.push_back(key + "=" + column);
  }
  request.columns = std::move(columns);
  return request;
}

std::size_t step_in(const std::string& file, double step) {
  if (step >= 0 && step < kNoStep && step == std::floor(step)) return static_cast<std::size_t>(step);
  throw InputError(
      fmt::format("{}: step {} is no number of steps, so its learning rate is unknown; correct the row", file, step));
}

Schedule schedule_of(const FitRequest& request, const std::string& file, std::size_t number, std::size_t count,
                     std::size_t last_step) {
  const std::vector<std::string>& schedules = request.schedules;
  if (schedules.empty()) return recorded_schedule(request, file);
  if (schedules.size() != 1 && schedules.size() != count) {
    throw InputError(
        fmt::format("--schedule is given {} times for {} curves, so it is not clear which is whose; give it "
                    "once for all or once for each file, those of --test last",
                    schedules.size(), count));
  }
  const std::string& text = schedules.size() == 1 ? schedules.front() : schedules[number];
  return is_table(text) ? recorded_schedule(request, text) : schedule_in(text, static_cast<int>(last_step));
}

/// What the law takes of a row: its step and the inputs that no schedule gives.
RowInputs inputs_of_rows(const Law& law) {
  RowInputs inputs{std::string(law.name()), {"step"}};
  for (const std::string_view input : law.inputs()) {
    const bool sum = std::find(kFromSchedule.begin(), kFromSchedule.end(), input) != kFromSchedule.end();
    if (!sum) inputs.names.push_back(input);
  }
  return inputs;
}

Curve read_curve(const FitRequest& request, const FitSpec& spec, const std::string& file, std::size_t number,
                 std::size_t count) {
  const FitRequest of_rows = without_rates(request);
  TextPool texts;
  FitRowReader reader(of_rows, spec, inputs_of_rows(law_of(spec)), texts);
  reader.read(*open_table(file));
  FitRows rows = std::move(reader.take_groups().front());
  Curve curve;
  curve.number = number;
  for (const double step : rows.inputs.front()) curve.step.push_back(step_in(file, step));
  const std::size_t last = curve.step.empty() ? 0 : *std::max_element(curve.step.begin(), curve.step.end());
  curve.schedule = schedule_of(request, file, number, count, last);
  if (last >= curve.schedule.size()) {
    throw InputError(
        fmt::format("{}: step {} is beyond the schedule, which ends at {}; correct the schedule or leave "
                    "the row out, --where 'step < {}'",
                    file, last, curve.schedule.size() - 1, curve.schedule.size()));
  }
  rows.inputs.erase(rows.inputs.begin());
  curve.others = std::move(rows.inputs);
  curve.loss = std::move(rows.loss);
  curve.weight = std::move(rows.weight);
  curve.notes = std::move(rows.notes);
  return curve;
}

}  // namespace

Schedule recorded_schedule(const FitRequest& request, const std::string& file) {
  const std::string step_column = column_of(request, "step"), rate_column = column_of(request, "lr");
  const auto columns = read_numbers(file, {step_column, rate_column});
  Schedule schedule;
  std::vector<bool> known;
  for (std::size_t i = 0; i < columns[0].size(); ++i) {
    const std::size_t step = step_in(file, columns[0][i]);
    if (step >= schedule.size()) {
      schedule.resize(step + 1);
      known.resize(step + 1);
    }
    schedule[step] = columns[1][i];
    known[step] = std::isfinite(columns[1][i]);
  }
  if (known.size() > 1 && !known[0] && known[1]) {  // counted from 1: the rate before the first step was the same
    schedule[0] = schedule[1];
    known[0] = true;
  }
  const auto missing = std::find(known.begin(), known.end(), false);
  if (missing != known.end()) {
    throw InputError(
        fmt::format("{}: has no learning rate for step {} of {}, and sums over steps need all of them; give "
                    "the whole schedule with --schedule cosine:peak=3e-4,end=3e-5,warmup=2160,steps=24000 "
                    "or --schedule FILE, a table of every step",
                    file, missing - known.begin(), schedule.size() - 1));
  }
  return schedule;
}

CurveSet read_curves(const FitRequest& request, const FitSpec& spec) {
  const bool largest = request.outliers.starts_with("largest");
  if (!request.tail.empty() || !request.seeds.empty() || !request.per.empty() || largest) {
    throw InputError(fmt::format(
        "law '{}' is fitted to whole curves, so --tail, --seeds, --per and --outliers largest= would take away what "
        "it describes; leave them out",
        spec.law));
  }
  const std::vector<std::string> files = request.files();
  const std::size_t count = files.size() + request.test.size();
  std::vector<std::string> all = files;
  all.insert(all.end(), request.test.begin(), request.test.end());
  const std::vector<std::string> names = names_of(all);
  CurveSet curves;
  for (std::size_t i = 0; i < count; ++i) {
    Curve& curve =
        (i < files.size() ? curves.fitted : curves.held_out).emplace_back(read_curve(request, spec, all[i], i, count));
    curve.name = names[i];
  }
  return curves;
}

}  // namespace bitlaw
