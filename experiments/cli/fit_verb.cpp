#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <string>
#include <thread>
#include <vector>

#include "core/record/fit_json.h"
#include "experiments/cli/fit_flags.h"
#include "experiments/cli/fit_request.h"
#include "experiments/cli/verbs.h"
#include "experiments/report/numbers.h"
#include "experiments/report/sweep_tables.h"
#include "fitting/laws/law.h"

namespace bitlaw {
namespace {

std::string end_text(double value) { return std::isinf(value) ? "open" : format_value(value); }

/// Profile and jackknife, when there are any.
Table second_table(const FitRecord& fit) {
  Table table{.title = "Profile and jackknife",
              .header = {"parameter", "95 % (profile)", "standard error (jackknife)"},
              .rows = {},
              .notes = {}};
  for (const FittedParameter& p : fit.parameters) {
    if (std::isnan(p.profile_low) && std::isnan(p.jackknife_error)) continue;
    table.rows.push_back({p.name, fmt::format("{} .. {}", end_text(p.profile_low), end_text(p.profile_high)),
                          format_value(p.jackknife_error, 2)});
  }
  return table;
}

Table derived_table(const FitRecord& fit) {
  Table table{.title = "Derived",
              .header = {"quantity", "estimate", "standard error", "95 % (delta method)", "95 % (bootstrap)", "unit"},
              .rows = {},
              .notes = {}};
  for (const DerivedQuantity& q : fit.derived) {
    table.rows.push_back({q.name, format_value(q.estimate), format_value(q.standard_error, 2),
                          format_interval(q.ci_low, q.ci_high), format_interval(q.boot_low, q.boot_high), q.units});
  }
  return table;
}

void print_text(const FitRecord& fit) {
  fmt::print("{}\n", text_of(fit_table(fit)));
  if (!std::isnan(fit.scale)) fmt::print("Scale of the residuals: {}\n\n", format_value(fit.scale));
  for (const Table& table : {second_table(fit), derived_table(fit)}) {
    if (!table.rows.empty()) fmt::print("{}\n", text_of(table));
  }
}

void fit(const FitRequest& request, bool json) {
  const int threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  const std::vector<FitRecord> fits = fits_asked(request, threads);
  if (json) {
    std::vector<std::string> texts;
    for (const FitRecord& record : fits) texts.push_back(fit_to_json(record));
    fmt::print("{{\"fits\":[{}]}}\n", fmt::join(texts, ","));
    return;
  }
  for (const FitRecord& record : fits) print_text(record);
}

}  // namespace

void add_fit_verb(CLI::App& app, Invocation&) {
  CLI::App* verb = app.add_subcommand("fit", "Fit a law to the runs of a sweep file or to the rows of a CSV");
  const auto request = std::make_shared<FitRequest>();
  const auto json = std::make_shared<bool>(false);
  verb->add_option("--law", request->law, fmt::format("One of: {}", fmt::join(law_names(), ", ")));
  ;
  add_fit_flags(*verb, request);
  verb->add_flag("--json", *json, "Print one JSON document");
  verb->footer(
      "Of a CSV, the columns named as the law's inputs (N, D, G, B, E, M) and 'loss' are taken unless --map says\n"
      "otherwise; rows that share a value of the column that 'run' maps to are resampled together;\n"
      "'weight' in --map names a column of weights on the rows' costs.\n\n"
      "Examples:\n"
      "  bitlaw fit results/quickstart/sweep.h5 --law chinchilla --where precision=float32\n"
      "  bitlaw fit results/quickstart/sweep.h5 --law chinchilla --per precision --fixed E=1.5\n"
      "  bitlaw fit runs.csv --law chinchilla --map N=params,D=tokens,loss=val_loss --json\n"
      "  bitlaw fit runs.csv --law chinchilla --map N=params,D=tokens --profile --jackknife --compute 1e21\n"
      "  bitlaw fit runs.csv --formula 'E + A/N^a' --map N=params --objective student_t");
  verb->callback([request, json] { fit(*request, *json); });
}

}  // namespace bitlaw
