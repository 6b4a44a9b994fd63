#include "experiments/fits/fit_data.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <set>
#include <utility>

#include "core/record/sweep_file.h"
#include "core/record/table_rows.h"
#include "experiments/fits/fit_curves.h"
#include "experiments/fits/fit_preparation.h"
#include "experiments/fits/fit_rows.h"
#include "experiments/fits/row_filter.h"
#include "experiments/fits/sweep_rows.h"

namespace bitlaw {
namespace {

bool are_tables(const std::vector<std::string>& files) {
  const auto tables = static_cast<std::size_t>(
      std::count_if(files.begin(), files.end(), [](const std::string& file) { return is_table(file); }));
  if (tables != 0 && tables != files.size()) {
    throw InputError(fmt::format(
        "{}: is of another kind than {}, so their rows cannot be joined; give sweep files only, or tables (.csv, .tsv, "
        ".jsonl, .ndjson, each also .gz; FILE.h5:/GROUP) only",
        files[1], files[0]));
  }
  return tables != 0;
}

/// The runs of sweep files; one that several have is one run, as in a merge.
std::vector<RunRecord> read_runs(const std::vector<std::string>& files) {
  std::vector<RunRecord> runs;
  std::set<std::string> known;
  for (const std::string& file : files) {
    for (RunRecord& run : read_sweep_file(file).runs) {
      if (known.insert(run.run_id).second) runs.push_back(std::move(run));
    }
  }
  if (runs.empty()) {
    throw InputError(fmt::format("{}: has no finished run, so there is nothing to fit; train it with bitlaw run",
                                 fmt::join(files, ", ")));
  }
  return runs;
}

/// The runs of sweep files, whose N, D and formats need no --map.
std::vector<FitRows> rows_of_runs(const FitRequest& request, const FitSpec& spec, const std::vector<std::string>& files,
                                  TextPool& texts) {
  const std::vector<RunRecord> runs = chosen_runs(request, files);
  std::vector<FitRows> groups;
  for (const FitGroup& group : fit_groups(spec, runs)) {
    std::vector<RunRecord> members;
    for (const std::size_t i : group.runs) members.push_back(runs[i]);
    groups.push_back(rows_of(observations_from_runs(law_of(spec), members), group.name, texts));
  }
  return groups;
}

std::vector<FitRows> read_rows(const FitRequest& request, const FitSpec& spec, const std::vector<std::string>& files,
                               TextPool& texts) {
  if (!are_tables(files) && request.columns.empty() && request.set.empty()) {
    return rows_of_runs(request, spec, files, texts);
  }
  return joined_rows(request, spec, inputs_of(law_of(spec)), files, texts);
}

/// A formula's coefficient that is called like a column, with nothing said of it, is most likely an input forgotten.
void check_coefficients(const FitRequest& request, const FitSpec& spec, const TableRows& rows) {
  if (request.formula.empty()) return;
  std::set<std::string> known;
  for (const std::string& text : request.parameters) known.insert(key_and_value("--parameter", text).first);
  for (const std::string& text : request.fixed) known.insert(key_and_value("--fix", text).first);
  for (const LawParameter& parameter : law_of(spec).parameters()) {
    const std::string name(parameter.name);
    if (known.contains(name) || !rows.contains(name)) continue;
    throw InputError(fmt::format(
        "{}: has a column '{}', but --map does not name it, so '{}' would fit {} as a coefficient; add --map {}={}, or "
        "say of the coefficient where it starts: --parameter '{}={{starts: [1]}}'",
        rows.file(), name, request.formula, name, name, name, name));
  }
}

/// Of rows that are runs, numbered from 1: as fit_groups() and observations_from_runs().
void check_runs(const FitSpec& spec, const std::vector<RunRecord>& runs, FitRows& group) {
  std::vector<RunRecord> members;
  for (const std::uint32_t number : group.number) members.push_back(runs[number - 1]);
  for (const RunRecord& member : members) check_same_task(group.name, members.front(), member, spec.place);
  for (std::string& note : notes_on_corpora(members)) group.notes.push_back(std::move(note));
}

}  // namespace

std::vector<RunRecord> chosen_runs(const FitRequest& request, const std::vector<std::string>& files) {
  const std::vector<RunRecord> runs = read_runs(files);
  SweepRows rows(runs, files.front());
  std::deque<RowFilter> filters;
  for (const std::string& where : request.where) {
    if (is_condition(where)) filters.emplace_back(where, rows);
  }
  std::vector<RunRecord> chosen;
  for (const RunRecord& run : runs) {
    rows.next();
    if (std::all_of(filters.begin(), filters.end(), [&](RowFilter& filter) { return filter.holds(rows); })) {
      chosen.push_back(run);
    }
  }
  return chosen;
}

std::vector<FitRows> joined_rows(const FitRequest& request, const FitSpec& spec, const RowInputs& inputs,
                                 const std::vector<std::string>& files, TextPool& texts) {
  FitRowReader reader(request, spec, inputs, texts);
  const auto read = [&](TableRows& rows) {
    check_coefficients(request, spec, rows);
    reader.read(rows);
  };
  if (are_tables(files)) {
    for (const std::string& file : files) read(*open_table(file));
    return reader.take_groups();
  }
  const std::vector<RunRecord> runs = read_runs(files);
  SweepRows rows(runs, files.front());
  read(rows);
  std::vector<FitRows> groups = reader.take_groups();
  for (FitRows& group : groups) check_runs(spec, runs, group);
  return groups;
}

FitProblem fit_problem(const FitRequest& request, int threads) {
  if (asks_for_curves(request)) return curve_problem(request, threads);
  if (!request.schedules.empty()) {
    throw InputError(
        fmt::format("--schedule {}: '{}' is fitted to rows, not to curves, so it would be ignored; leave it "
                    "out",
                    request.schedules.front(), request.law()));
  }
  FitProblem problem{.spec = fit_spec_of(request), .data = {}};
  TextPool texts;
  for (FitRows& rows : read_rows(request, problem.spec, request.files(), texts)) {
    prepare_rows(rows, request);
    problem.data.push_back({rows.name, observations_of(rows, texts), {}});
    rows = {};
  }
  if (request.test.empty()) return problem;
  FitRequest of_test = request;
  of_test.tail.clear();
  for (const FitRows& rows : read_rows(of_test, problem.spec, request.test, texts)) {
    const auto data = std::find_if(problem.data.begin(), problem.data.end(),
                                   [&](const FitData& fitted) { return fitted.name == rows.name; });
    if (data != problem.data.end()) {
      data->held_out = observations_of(rows, texts);
    } else {
      problem.data.front().observations.notes.push_back(fmt::format(
          "{} rows of --test belong to {}, of which nothing was fitted, so they are not predicted; give rows of that "
          "group to fit, too",
          rows.size(), rows.name));
    }
  }
  return problem;
}

}  // namespace bitlaw
