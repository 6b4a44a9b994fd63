#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/base/cores.h"
#include "core/base/error.h"
#include "core/record/fit_json.h"
#include "experiments/cli/fit_flags.h"
#include "experiments/cli/verbs.h"
#include "experiments/fits/fit_data.h"
#include "experiments/fits/fit_solve.h"
#include "experiments/launch/fits.h"
#include "experiments/report/numbers.h"
#include "experiments/report/table.h"

namespace bitlaw {
namespace {

/// The fits under one way of counting N, one for each group of runs.
struct Counted {
  std::string convention;
  std::vector<FitRecord> fits;
};

/// The items of every --count, in order: the name of a way of counting N, and its column.
std::vector<std::pair<std::string, std::string>> items_of_count(const std::vector<std::string>& counts) {
  std::vector<std::pair<std::string, std::string>> items;
  for (const std::string& count : counts) {
    auto item = key_and_value("--count", count);
    const auto is_same = [&](const auto& other) { return other.first == item.first; };
    if (std::any_of(items.begin(), items.end(), is_same)) refuse_given_twice("--count " + count, item.first);
    items.push_back(std::move(item));
  }
  return items;
}

/// Of a table: N from one column after the other.
std::vector<Counted> counted_in_table(const FitRequest& request, const std::vector<std::string>& counts, int threads) {
  FitRequest own = request;
  own.columns.clear();
  for (const auto& [name, column] : items_of_map(request)) {
    if (name != "N") own.columns.push_back(name + "=" + column);
  }
  own.columns.emplace_back();
  std::vector<Counted> all;
  for (const auto& [convention, column] : items_of_count(counts)) {
    own.columns.back() = "N=" + column;
    Counted& counted = all.emplace_back(Counted{convention, {}});
    for (const FittedData& fitted : solve(fit_problem(own, threads), own, threads)) counted.fits.push_back(fitted.fit);
  }
  return all;
}

/// Of a sweep: without embedding and head, with them, and what the floating-point operations of training are worth.
std::vector<Counted> counted_in_sweep(const FitRequest& request, int threads) {
  const FitSpec spec = fit_spec_of(request);
  const std::vector<RunRecord> runs = chosen_runs(request, request.files());
  std::vector<RunRecord> total = runs, by_flops = runs;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    total[i].params = runs[i].params_total;
    by_flops[i].params = std::llround(runs[i].flops / (6 * static_cast<double>(runs[i].tokens)));
  }
  return {{"non_embedding", fit_runs(spec, runs, threads)},
          {"total", fit_runs(spec, total, threads)},
          {"flops/(6 D)", fit_runs(spec, by_flops, threads)}};
}

/// One number of a fit that conventions may change.
struct Entry {
  std::string name;
  double estimate = 0, error = 0;
};

std::vector<Entry> entries_of(const FitRecord& fit) {
  std::vector<Entry> entries;
  for (const FittedParameter& p : fit.parameters) entries.push_back({p.name, p.estimate, p.standard_error});
  for (const DerivedQuantity& q : fit.derived) entries.push_back({q.name, q.estimate, q.standard_error});
  return entries;
}

/// The largest difference between conventions, and the same in the largest standard error.
struct Spread {
  double range = 0, in_errors = 0;
};

Spread spread_of(const std::vector<Counted>& all, std::size_t group, std::size_t entry) {
  double low = INFINITY, high = -INFINITY, error = 0;
  for (const Counted& counted : all) {
    const Entry e = entries_of(counted.fits[group])[entry];
    low = std::fmin(low, e.estimate);
    high = std::fmax(high, e.estimate);
    error = std::fmax(error, e.error);
  }
  return {high - low, (high - low) / error};
}

Table convention_table(const std::vector<Counted>& all, std::size_t group) {
  const FitRecord& first = all.front().fits[group];
  Table table{.title = fmt::format("{}: {}, under each way of counting N", first.name, first.equation),
              .header = {"quantity"},
              .rows = {},
              .notes = {}};
  for (const Counted& counted : all) table.header.push_back(counted.convention);
  table.header.insert(table.header.end(), {"spread", "in standard errors"});
  const std::vector<Entry> entries = entries_of(first);
  for (std::size_t k = 0; k < entries.size(); ++k) {
    std::vector<std::string>& row = table.rows.emplace_back(std::vector{entries[k].name});
    for (const Counted& counted : all) row.push_back(format_value(entries_of(counted.fits[group])[k].estimate));
    const Spread spread = spread_of(all, group, k);
    row.push_back(format_value(spread.range, 3));
    row.push_back(format_value(spread.in_errors, 2));
  }
  std::vector<std::string> costs;
  for (const Counted& counted : all) {
    costs.push_back(fmt::format("{} {}", counted.convention, format_value(counted.fits[group].cost)));
  }
  table.notes.push_back(
      fmt::format("Objective: {}. A spread beyond one standard error is one that no interval of a "
                  "single fit shows; say which N is meant.",
                  fmt::join(costs, ", ")));
  return table;
}

nlohmann::json group_json(const std::vector<Counted>& all, std::size_t group) {
  nlohmann::json conventions = nlohmann::json::object(), spread = nlohmann::json::object();
  for (const Counted& counted : all) {
    conventions[counted.convention] = nlohmann::json::parse(fit_to_json(counted.fits[group]));
  }
  const std::vector<Entry> entries = entries_of(all.front().fits[group]);
  for (std::size_t k = 0; k < entries.size(); ++k) {
    const Spread of_entry = spread_of(all, group, k);
    spread[entries[k].name] = {{"range", of_entry.range}, {"in_standard_errors", of_entry.in_errors}};
  }
  return {{"name", all.front().fits[group].name}, {"conventions", conventions}, {"spread", spread}};
}

void fit_conventions(const FitRequest& request, const std::vector<std::string>& counts, bool json) {
  const int threads = all_cores();
  const std::vector<std::string> files = request.files();
  const std::string names = fmt::format("{}", fmt::join(files, ", "));
  const bool table = !std::all_of(files.begin(), files.end(), [](const auto& file) { return file.ends_with(".h5"); });
  if (table && counts.size() < 2) {
    throw InputError(fmt::format(
        "{}: {} given with --count, so there is nothing to compare; name two columns or more, for example --count "
        "total=params_total --count non_embedding=params",
        names, counts.empty() ? "no way of counting N is" : "one way of counting N is"));
  }
  if (!table && !counts.empty()) {
    throw InputError(
        fmt::format("--count {}: {} is no table, whose columns it could name; a sweep's own counts are used "
                    "without it, so leave it out",
                    counts.front(), names));
  }
  const std::vector<Counted> all =
      table ? counted_in_table(request, counts, threads) : counted_in_sweep(request, threads);
  nlohmann::json groups = nlohmann::json::array();
  for (std::size_t group = 0; group < all.front().fits.size(); ++group) {
    groups.push_back(group_json(all, group));
    if (!json) fmt::print("{}\n", text_of(convention_table(all, group)));
  }
  if (json) fmt::print("{}\n", nlohmann::json({{"groups", groups}}).dump());
}

}  // namespace

void add_conventions_verb(CLI::App& app, Invocation&) {
  CLI::App* verb = app.add_subcommand("conventions", "Fit a law under each way of counting N, and show the spread");
  const auto request = std::make_shared<FitRequest>();
  const auto counts = std::make_shared<std::vector<std::string>>();
  const auto json = std::make_shared<bool>(false);
  add_data_flags(*verb, request, "LAW DATA...: as of bitlaw fit; the law must take N");
  add_fit_flags(*verb, request);
  verb->add_option("--count", *counts, "name=column: a way of counting N in a table; may be repeated")
      ->allow_extra_args(false);
  verb->add_flag("--json", *json, "Print one JSON document");
  verb->footer(
      "With or without embedding and head, by parameters or by operations: the exponents of a law depend on it\n"
      "(arXiv:2406.19146, arXiv:2502.18969). Of a sweep file the counts are those that each run keeps.\n\n"
      "Examples:\n"
      "  bitlaw conventions chinchilla results/quickstart/sweep.h5 --where precision=float32\n"
      "  bitlaw conventions chinchilla runs.csv --map D=tokens --count total=params --count body=params_body");
  verb->callback([request, counts, json] { fit_conventions(*request, *counts, *json); });
}

}  // namespace bitlaw
