#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/base/cores.h"
#include "core/record/fit_json.h"
#include "core/record/sweep_file.h"
#include "experiments/cli/fit_flags.h"
#include "experiments/cli/fit_output.h"
#include "experiments/cli/fit_tables.h"
#include "experiments/cli/verbs.h"
#include "experiments/fits/fit_solve.h"
#include "experiments/report/diagnosis_tables.h"
#include "experiments/report/numbers.h"
#include "experiments/report/sweep_tables.h"
#include "fitting/laws/law.h"

namespace bitlaw {
namespace {

std::string end_text(double value) { return std::isinf(value) ? "open" : format_value(value); }

/// Profile and jackknife, when there are any.
Table second_table(const FitRecord& fit) {
  Table table{.title = "Profile and jackknife",
              .header = {"parameter", level_text(fit) + " (profile)", "standard error (jackknife)"},
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
              .header = {"quantity", "estimate", "standard error", level_text(fit) + " (delta method)",
                         level_text(fit) + " (bootstrap)", "unit"},
              .rows = {},
              .notes = {}};
  for (const DerivedQuantity& q : fit.derived) {
    table.rows.push_back({q.name, format_value(q.estimate), format_value(q.standard_error, 2),
                          format_interval(q.ci_low, q.ci_high), format_interval(q.boot_low, q.boot_high), q.units});
  }
  return table;
}

void print_text(const FitRecord& fit, bool diagnosis) {
  fmt::print("{}\n", text_of(fit_table(fit)));
  if (!std::isnan(fit.scale)) fmt::print("Scale of the residuals: {}\n\n", format_value(fit.scale));
  for (const Table& table : {second_table(fit), derived_table(fit), metrics_table(fit)}) {
    if (!table.rows.empty()) fmt::print("{}\n", text_of(table));
  }
  if (!diagnosis) return;
  for (const Table& table : diagnosis_tables(fit)) fmt::print("{}\n", text_of(table));
}

/// The exit code: 1 where one of the fits was refused. Says which.
int told_refusals(const std::vector<FitRecord>& fits) {
  int exit_code = 0;
  for (const FitRecord& fit : fits) {
    if (!fit.refused()) continue;
    fmt::print(stderr, "{}: {}, so nothing was fitted; its warnings say more\n", fit.name, fit.status);
    exit_code = kSomeFailed;
  }
  return exit_code;
}

/// The exit code.
int fit(const FitRequest& request, const FitOutput& output, const std::string& command) {
  check_output(output, words_read(request));
  const int threads = all_cores();
  const FitProblem problem = fit_problem(request, threads);
  const std::vector<FittedData> fits = solve(problem, request, threads);
  if (!output.prints_json()) {
    for (const FittedData& fitted : fits) print_text(fitted.fit, output.diagnosis);
  }
  std::vector<FitRecord> records;
  for (const FittedData& fitted : fits) records.push_back(fitted.fit);
  write_json(output, request.per.empty() ? fit_to_json(records.front()) : fits_json(records));
  if (!output.residuals.empty()) write_residuals(output.residuals, law_of(problem.spec), fits);
  if (!output.hdf5.empty()) write_fit_file(output.hdf5, records, command);
  return told_refusals(records);
}

}  // namespace

void add_fit_verb(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("fit", "Fit a law to the rows of tables or the runs of sweep files");
  const auto request = std::make_shared<FitRequest>();
  const auto output = std::make_shared<FitOutput>();
  add_data_flags(
      *verb, request,
      fmt::format("LAW DATA...: the law, one of {}, multi_power; then files: .csv, .tsv, .jsonl, .ndjson, each "
                  "also .gz, FILE.h5:/GROUP (a table of pandas, PyTables or h5py), or sweep.h5. Their rows are joined",
                  fmt::join(law_names(), ", ")));
  add_fit_flags(*verb, request);
  add_json_flag(*verb, *output);
  verb->add_option("--residuals", output->residuals, "FILE.csv: observed and predicted, a row for each observation");
  verb->add_option("--hdf5", output->hdf5, "FILE.h5: the fits with all bootstrap draws");
  verb->add_flag("--diagnosis", output->diagnosis,
                 "Print what the fit rests on: sloppy directions, influence, patterns in the residuals");
  verb->footer(
      "Of a table, the columns named as the law's inputs (N, D, G, B, E, M) and 'loss' are taken unless --map says\n"
      "otherwise. JSON: objective, status, parameters.<name>.{estimate, se, ci95}, condition_number, at_bound, "
      "warnings,\n"
      "starts_agreeing, metrics; with --per a list of these, fits. Where nothing could be fitted, of one group of "
      "--per\n"
      "or more, the exit code is 1; the files are written all the same, and warnings in them say why.\n\n"
      "Laws of the learning rate (annealing, annealing_n, continual, multi_power) take one file a curve, with the "
      "columns\n"
      "step, loss and, of every step, lr, or else --schedule; S1 and S2 are formed by --set lambda=0.999 (several "
      "with\n"
      "commas: the best is taken) and --set warmup=as_peak, real_ramp or area_only.\n\n"
      "Examples:\n"
      "  bitlaw fit chinchilla results/quickstart/sweep.h5 --where precision=float32\n"
      "  bitlaw fit chinchilla results/quickstart/sweep.h5 --per precision --fix E=1.5\n"
      "  bitlaw fit chinchilla runs.csv more.csv --map N=params,D=tokens,loss=val_loss --where 'fit_subset == 1' \\\n"
      "      --huber 1e-3 --bootstrap 4000 --json fit.json --residuals residuals.csv --hdf5 fit.h5\n"
      "  bitlaw fit chinchilla runs.jsonl --map N=params,D=tokens --profile --jackknife --compute 1e21\n"
      "  bitlaw fit chinchilla runs.h5:/runs --map N=params,D=tokens\n"
      "  bitlaw fit chinchilla curves.csv.gz --map N=params,D=tokens,run=id --tail 20 --seeds mean --outliers mad=4\n"
      "  bitlaw fit annealing cosine.csv constant.csv --map loss=val --set lambda=0.999 --set warmup=real_ramp --test "
      "wsd.csv\n"
      "  bitlaw fit multi_power cosine.csv --schedule cosine:peak=3e-4,end=3e-5,warmup=2160,steps=24000\n"
      "  bitlaw fit --formula 'E + A/N^a' runs.tsv --map N=params --objective student_t");
  verb->callback([request, output, &invocation] { invocation.exit_code = fit(*request, *output, invocation.command); });
}

}  // namespace bitlaw
