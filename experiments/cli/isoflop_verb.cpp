#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "experiments/cli/number_checks.h"
#include "experiments/cli/verbs.h"
#include "experiments/fits/fit_data.h"
#include "experiments/report/numbers.h"
#include "experiments/report/table.h"
#include "fitting/laws/law.h"
#include "fitting/predict/isoflop_frontier.h"

namespace bitlaw {
namespace {

struct IsoflopRequest {
  std::vector<std::string> files;
  FitRequest rows;  ///< which of them, by which columns
  std::string curve = "akima";
  IsoflopOptions options;
  bool json = false;
};

bool maps(const FitRequest& request, const std::string& name) {
  const auto items = items_of_map(request);
  return std::any_of(items.begin(), items.end(), [&](const auto& item) { return item.first == name; });
}

/// The chosen rows, in groups by --per; [input] of each: C, N and, where it is mapped, D.
std::vector<FitRows> rows_of(const IsoflopRequest& request) {
  RowInputs inputs{"isoflop", {"C", "N"}};
  if (maps(request.rows, "D")) inputs.names.push_back("D");
  // Its objective says that losses have logarithms; nothing else of the law is used.
  const std::shared_ptr<const Law> any(std::shared_ptr<void>(), &find_law("kaplan_c"));
  FitSpec spec = fit_spec_of(request.rows, any);
  spec.name = "isoflop";
  TextPool texts;
  return joined_rows(request.rows, spec, inputs, request.files, texts);
}

std::vector<IsoflopRun> runs_of(const FitRows& rows) {
  std::vector<IsoflopRun> runs;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    runs.push_back({.compute = rows.inputs[0][i], .params = rows.inputs[1][i], .loss = rows.loss[i]});
    if (rows.inputs.size() == 3) runs.back().tokens = rows.inputs[2][i];
    if (!(runs.back().compute > 0)) {
      throw InputError(
          fmt::format("row {}: C is {}, so it belongs to no budget; give the FLOP of the run, or leave the "
                      "row out with --where",
                      rows.number[i], runs.back().compute));
    }
  }
  return runs;
}

std::string level_percent(double level) { return fmt::format("{:.4g} %", 100 * level); }

Table budget_table(const std::string& name, const IsoflopFrontier& frontier, const IsoflopRequest& request) {
  Table table{.title = fmt::format("{}: the best size of each budget, by {}", name,
                                   request.options.curve == IsoflopCurve::Akima ? "Akima interpolation" : "a parabola"),
              .header = {"C [FLOP]", "runs", "sizes", "N*", level_percent(request.options.level) + " (seeds)", "D*",
                         "D*/N*", "loss"},
              .rows = {},
              .notes = frontier.warnings};
  for (const IsoflopBudget& budget : frontier.budgets) {
    const double best = budget.optimum.params;
    table.rows.push_back({format_value(budget.compute), fmt::format("{}", budget.runs), fmt::format("{}", budget.sizes),
                          format_count(best) + (budget.optimum.inside ? "" : " (at the end)"),
                          format_interval(budget.params_low, budget.params_high), format_count(budget.tokens),
                          format_value(budget.tokens / best, 3), format_loss(budget.optimum.loss)});
  }
  return table;
}

Table law_table(const IsoflopFrontier& frontier, const IsoflopRequest& request) {
  Table table{.title = "Through these: coefficient * C^exponent",
              .header = {"quantity", "exponent", level_percent(request.options.level) + " (line)",
                         level_percent(request.options.level) + " (seeds)", "coefficient"},
              .rows = {},
              .notes = {}};
  for (const auto& [name, law] : {std::pair{"N*", frontier.params}, {"D*", frontier.tokens}}) {
    table.rows.push_back({name, format_value(law.exponent), format_interval(law.ci_low, law.ci_high),
                          format_interval(law.boot_low, law.boot_high), format_value(law.coefficient)});
  }
  if (request.options.seed_noise == 0) {
    table.notes.push_back(
        "Seeds are taken as exact; --seed-noise, the standard deviation of log loss between seeds, gives their "
        "intervals.");
  }
  return table;
}

/// JSON has no NaN.
nlohmann::json finite_or_null(double value) { return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json(); }

nlohmann::json law_json(const ComputeLaw& law) {
  return {{"exponent", law.exponent},
          {"coefficient", law.coefficient},
          {"ci", {finite_or_null(law.ci_low), finite_or_null(law.ci_high)}},
          {"boot", {finite_or_null(law.boot_low), finite_or_null(law.boot_high)}}};
}

nlohmann::json frontier_json(const std::string& name, const IsoflopFrontier& frontier, const IsoflopRequest& request) {
  nlohmann::json budgets = nlohmann::json::array();
  for (const IsoflopBudget& budget : frontier.budgets) {
    budgets.push_back({{"compute", budget.compute},
                       {"runs", budget.runs},
                       {"sizes", budget.sizes},
                       {"params", budget.optimum.params},
                       {"params_boot", {finite_or_null(budget.params_low), finite_or_null(budget.params_high)}},
                       {"tokens", budget.tokens},
                       {"loss", budget.optimum.loss},
                       {"inside", budget.optimum.inside}});
  }
  return {{"name", name},
          {"curve", request.curve},
          {"level", request.options.level},
          {"seed_noise", request.options.seed_noise},
          {"budgets", budgets},
          {"params", law_json(frontier.params)},
          {"tokens", law_json(frontier.tokens)},
          {"warnings", frontier.warnings}};
}

/// Whose error names the group.
IsoflopFrontier frontier_of(const FitRows& rows, const IsoflopOptions& options) {
  try {
    IsoflopFrontier frontier = isoflop_frontier(runs_of(rows), options);
    frontier.warnings.insert(frontier.warnings.begin(), rows.notes.begin(), rows.notes.end());
    return frontier;
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: {}", rows.name, error.what()));
  }
}

void find_frontiers(IsoflopRequest request) {
  request.options.curve = request.curve == "akima" ? IsoflopCurve::Akima : IsoflopCurve::Parabola;
  std::vector<nlohmann::json> documents;
  for (const FitRows& rows : rows_of(request)) {
    const IsoflopFrontier frontier = frontier_of(rows, request.options);
    documents.push_back(frontier_json(rows.name, frontier, request));
    if (request.json) continue;
    fmt::print("{}\n{}\n", text_of(budget_table(rows.name, frontier, request)), text_of(law_table(frontier, request)));
  }
  if (!request.json) return;
  const nlohmann::json all = request.rows.per.empty() ? documents.front() : nlohmann::json({{"frontiers", documents}});
  fmt::print("{}\n", all.dump());
}

}  // namespace

void add_isoflop_verb(CLI::App& app, Invocation&) {
  CLI::App* verb = app.add_subcommand("isoflop", "Find the best size of each compute budget, and how it grows");
  const auto request = std::make_shared<IsoflopRequest>();
  verb->add_option("files", request->files, "Tables or sweep files, as of bitlaw fit; their rows are joined")
      ->required();
  verb->add_option("--map", request->rows.columns,
                   "C=flops,N=params,D=tokens,loss=val_loss: which columns to take; without D= D is C / (6 N)")
      ->allow_extra_args(false);
  verb->add_option("--where", request->rows.where, "'flops > 1e17': take these rows only; also key=value")
      ->allow_extra_args(false);
  verb->add_option("--per", request->rows.per, "A frontier for each value of this column");
  verb->add_option(
          "--curve", request->curve,
          "akima (default): log loss over log N, interpolated, of runs of equal N the best; parabola: loss over "
          "log N, fitted to all runs, which is biased unless losses rise alike on both sides")
      ->check(CLI::IsMember({"akima", "parabola"}));
  verb->add_option("--same", request->options.same,
                   "Budgets that differ by no more than this share are one (default: 0.02)")
      ->check(number_between(0.0, 10.0));
  verb->add_option("--seed-noise", request->options.seed_noise,
                   "Standard deviation of log loss between seeds, for intervals over draws of it (default: 0)")
      ->check(number_from_zero());
  verb->add_option("--draws", request->options.draws, "Of that noise (default: 1000)")
      ->check(number_between(1, 1'000'000));
  verb->add_option("--level", request->options.level, "Of all intervals (default: 0.95)")
      ->check(number_between(0.01, 0.9999));
  verb->add_option("--seed", request->options.seed, "Of the draws (default: 0)");
  verb->add_flag("--json", request->json, "Print one JSON document");
  verb->footer(
      "JSON: budgets with compute, params, tokens, loss; params and tokens with exponent, coefficient, ci (Student's, "
      "by\n"
      "the scatter about the line) and boot (over seed noise); warnings. With --per a list of these, frontiers.\n\n"
      "Examples:\n"
      "  bitlaw isoflop runs.csv --map C=flops,N=params,loss=val_loss\n"
      "  bitlaw isoflop runs.csv --map C=flops,N=params --curve parabola --seed-noise 0.002 --json\n"
      "  bitlaw isoflop results/my/sweep.h5 --map C=flops,N=params,D=tokens --same 0.1 --per precision");
  verb->callback([request] { find_frontiers(*request); });
}

}  // namespace bitlaw
