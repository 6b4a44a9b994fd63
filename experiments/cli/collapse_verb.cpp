#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/record/table_rows.h"
#include "experiments/cli/number_checks.h"
#include "experiments/cli/verbs.h"
#include "experiments/fits/fit_request.h"
#include "experiments/report/numbers.h"
#include "experiments/report/table.h"
#include "fitting/predict/collapse.h"

namespace bitlaw {
namespace {

constexpr int kPoints = 90;
constexpr int kRows = 9;  // of the table

struct CollapseRequest {
  std::vector<std::string> groups;  ///< "13k=a.csv,b.csv"
  std::vector<std::string> columns;
  double irreducible = 0, from = 0.1;
  bool json = false;
};

LossCurve read_run(const std::string& file, const CollapseRequest& request) {
  std::string step = "step", loss = "loss";
  FitRequest mapped;
  mapped.columns = request.columns;
  for (const auto& [name, column] : items_of_map(mapped)) {
    if (name != "step" && name != "loss") {
      throw InputError(
          fmt::format("--map {}={}: '{}' is nothing that a curve has; it takes step and loss", name, column, name));
    }
    (name == "step" ? step : loss) = column;
  }
  const auto columns = read_numbers(file, {step, loss});
  LossCurve run;
  for (std::size_t i = 0; i < columns[0].size(); ++i) {
    if (std::isnan(columns[1][i])) continue;  // a step whose loss was not recorded
    if (!run.x.empty() && !(columns[0][i] > run.x.back())) {
      throw InputError(
          fmt::format("{}: step {} does not follow step {}, so the rows are no curve; sort them by step, one "
                      "run in each file",
                      file, columns[0][i], run.x.back()));
    }
    run.x.push_back(columns[0][i]);
    run.loss.push_back(columns[1][i]);
  }
  if (run.x.size() < 2) {
    throw InputError(
        fmt::format("{}: has {} losses in the column '{}', which are no curve; say with --map loss=... where "
                    "they are",
                    file, run.x.size(), loss));
  }
  if (!(run.loss.back() > request.irreducible)) {
    throw InputError(fmt::format(
        "{}: its last loss {} is not above --irreducible {}, so nothing is left to normalize by; give the E of "
        "a law fitted to these runs",
        file, run.loss.back(), request.irreducible));
  }
  const double last = run.x.back();
  for (double& x : run.x) x /= last;
  return run;
}

std::vector<CurveGroup> groups_of(const CollapseRequest& request) {
  std::vector<CurveGroup> groups;
  for (const std::string& word : request.groups) {
    const auto [name, files] = key_and_value("bitlaw collapse", word);
    const auto is_same = [&size = name](const CurveGroup& other) { return other.name == size; };
    if (std::any_of(groups.begin(), groups.end(), is_same)) refuse_given_twice("bitlaw collapse " + word, name);
    CurveGroup& group = groups.emplace_back(CurveGroup{name, {}});
    for (std::string_view rest = files; !rest.empty();) {
      const std::string_view file = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(rest.size(), file.size() + 1));
      group.seeds.push_back(read_run(std::string(file), request));
    }
  }
  if (groups.size() < 2) {
    throw InputError(
        "bitlaw collapse: curves of one size alone cannot collapse on others; give two or more, as SIZE=FILE,FILE");
  }
  return groups;
}

std::string verdict(const Collapse& collapse) {
  if (std::isnan(collapse.mean_noise)) {
    return "No size has two seeds, so what is noise is not known; add SIZE=FILE,FILE.";
  }
  const bool super = collapse.mean_spread < collapse.mean_noise;
  return fmt::format(
      "{}: in {:.0f} % of training the curves of different sizes are nearer to one another than the losses "
      "of two seeds.",
      super ? "Supercollapse" : "No supercollapse", 100 * collapse.below_noise);
}

void print_collapse(const CollapseRequest& request) {
  const std::vector<CurveGroup> groups = groups_of(request);
  const Collapse collapse = collapse_of(groups, request.irreducible, request.from, kPoints);
  if (request.json) {
    nlohmann::json points = nlohmann::json::array();
    for (const CollapsePoint& p : collapse.points)
      points.push_back({{"x", p.x}, {"spread", p.spread}, {"noise", p.noise}});
    fmt::print("{}\n", nlohmann::json({{"irreducible", request.irreducible},
                                       {"mean_spread", collapse.mean_spread},
                                       {"mean_noise", collapse.mean_noise},
                                       {"below_noise", collapse.below_noise},
                                       {"points", points}})
                           .dump());
    return;
  }
  Table table{
      .title = fmt::format("{} sizes, losses above {:g}, normalized by the last", groups.size(), request.irreducible),
      .header = {"part of training", "spread over sizes", "noise of seeds"},
      .rows = {},
      .notes = {verdict(collapse)}};
  for (int i = 0; i < kPoints; i += kPoints / kRows) {
    const CollapsePoint& p = collapse.points[static_cast<std::size_t>(i)];
    table.rows.push_back({format_value(p.x, 3), format_value(p.spread, 3), format_value(p.noise, 3)});
  }
  table.rows.push_back({"mean", format_value(collapse.mean_spread, 3), format_value(collapse.mean_noise, 3)});
  fmt::print("{}", text_of(table));
}

}  // namespace

void add_collapse_verb(CLI::App& app, Invocation&) {
  CLI::App* verb = app.add_subcommand("collapse", "Whether normalized loss curves of several sizes are one curve");
  const auto request = std::make_shared<CollapseRequest>();
  verb->add_option(
          "sizes", request->groups,
          "SIZE=FILE,FILE: the curves of a size (.csv, .tsv, .jsonl with step and loss), a file for each seed; "
          "two sizes or more")
      ->required();
  verb->add_option("--irreducible", request->irreducible, "L_0, such as the E of a law fitted to the last losses")
      ->required();
  verb->add_option("--map", request->columns, "step=it, loss=val_loss: which columns these are; may be repeated")
      ->allow_extra_args(false);
  verb->add_option("--from", request->from, "The part of training before it is left out (default 0.1)")
      ->check(number_between(0.0, 0.99));
  verb->add_flag("--json", request->json, "Print one JSON document");
  verb->footer(
      "(L - L_0) over its last value, against the part of training that is done: runs whose sizes, lengths and rates "
      "are\n"
      "scaled well together collapse on one curve (arXiv:2507.02119); where they do not, one of these, or L_0, is "
      "off.\n\n"
      "Examples:\n"
      "  bitlaw collapse 13k=a1.csv,a2.csv 53k=b1.csv,b2.csv --irreducible 1.2 --map loss=validation_loss\n"
      "  bitlaw collapse small=s.csv large=l.csv --irreducible 1.69 --json");
  verb->callback([request] { print_collapse(*request); });
}

}  // namespace bitlaw
