#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "experiments/cli/design_flags.h"
#include "experiments/cli/experiment_flags.h"
#include "experiments/cli/output_files.h"
#include "experiments/cli/verbs.h"
#include "experiments/launch/next_runs.h"
#include "experiments/launch/progress.h"
#include "experiments/launch/run_store.h"
#include "experiments/launch/shell_word.h"
#include "experiments/launch/survey.h"
#include "experiments/report/table.h"
#include "experiments/sweep/experiment_file.h"

namespace bitlaw {
namespace {

struct NextArguments : ExperimentArguments, DesignArguments {
  std::string yaml;
  bool json = false;
};

std::string cost_text(double cost, bool by_time) {
  return by_time ? duration_text(cost) : fmt::format("{:.3g} FLOPs", cost);
}

/// Why no run was chosen.
std::string nothing_text(const NextRequest& request, const NextRuns& next) {
  if (next.candidates == 0) return "all runs of the fit have a result, so there is none to choose";
  const auto text = [&](double cost) { return cost_text(cost, request.by_time); };
  if (next.cheapest > request.budget) {
    return fmt::format("a budget of {} buys no run: the cheapest of {} without a result costs {}", text(request.budget),
                       next.candidates, text(next.cheapest));
  }
  return fmt::format("no run that {} buys tells more of the law", text(request.budget));
}

void print_text(const Experiment& experiment, const NextRequest& request, const NextRuns& next) {
  const bool by_time = request.by_time;
  Table runs{.title = fmt::format("Next runs for fit {}", next.fit),
             .header = {"run", "id", "what differs", "N", "D", "cost"},
             .rows = {},
             .notes = {}};
  for (std::size_t k = 0; k < next.chosen.size(); ++k) {
    const PlannedRun& run = experiment.runs[next.chosen[k]];
    runs.rows.push_back({std::to_string(next.chosen[k] + 1), run.id.substr(0, 8), run.label,
                         std::to_string(run.counts.params), std::to_string(run.tokens),
                         cost_text(next.costs[k], by_time)});
  }
  Table errors{.title = "Standard errors",
               .header = {"of", "now", "with these runs"},
               .rows = {},
               .notes = {fmt::format("law {}, {}; noise of one run {:.2g}", next.law, next.believed, next.noise),
                         next.by_criterion_d ? "chosen for all parameters together (D-optimal)"
                                             : "chosen for the mean square of these (I-optimal)"}};
  for (const Expectation& e : next.expectations) {
    errors.rows.push_back({e.what, fmt::format("{:.3g}", e.now), fmt::format("{:.3g}", e.after)});
  }
  if (next.chosen.empty()) {
    fmt::print("{}\n{}\n", text_of(errors), nothing_text(request, next));
    return;
  }
  fmt::print("{}\n{}\n{} of {} runs without a result, {} of {}\n", text_of(runs, 3), text_of(errors),
             next.chosen.size(), next.candidates, cost_text(next.cost, by_time), cost_text(request.budget, by_time));
}

void print_json(const Experiment& experiment, const NextRequest& request, const NextRuns& next) {
  using nlohmann::json;
  json runs = json::array(), errors = json::array();
  for (std::size_t k = 0; k < next.chosen.size(); ++k) {
    const PlannedRun& run = experiment.runs[next.chosen[k]];
    runs.push_back({{"id", run.id},
                    {"label", run.label},
                    {"params", run.counts.params},
                    {"tokens", run.tokens},
                    {"cost", next.costs[k]}});
  }
  for (const Expectation& e : next.expectations) {
    errors.push_back({{"of", e.what}, {"now", e.now}, {"after", e.after}});
  }
  const json document{{"experiment", experiment.name},
                      {"fit", next.fit},
                      {"law", next.law},
                      {"believed", next.believed},
                      {"noise", next.noise},
                      {"criterion", next.by_criterion_d ? "D" : "I"},
                      {"unit", request.by_time ? "second" : "FLOP"},
                      {"budget", request.budget},
                      {"cost", next.cost},
                      {"done", next.done.size()},
                      {"candidates", next.candidates},
                      {"cheapest", next.candidates == 0 ? json() : json(next.cheapest)},
                      {"next", runs},
                      {"standard_errors", errors}};
  fmt::print("{}\n", document.dump());
}

void show_next(const NextArguments& arguments, const std::string& command) {
  const NextRequest request = arguments.next_request();
  const Experiment experiment = arguments.plan();
  OutputFiles(read_experiment_file(arguments.file, {}).files).add("--yaml", arguments.yaml);
  const RunStore store(arguments.results(experiment));
  const NextRuns next =
      next_runs(experiment, results_so_far(experiment, store), survey(experiment, store, Look::Quick).prices, request);
  if (!arguments.yaml.empty() && !next.chosen.empty()) {
    write_next_yaml(arguments.yaml, arguments.file, arguments.overrides, experiment, next, command);
  }
  if (arguments.json) return print_json(experiment, request, next);
  print_text(experiment, request, next);
  if (!arguments.yaml.empty() && !next.chosen.empty()) {
    std::string overrides;
    for (const std::string& override : arguments.overrides) overrides += " --set " + shell_word(override);
    fmt::print("train them: bitlaw run {}{}\n", shell_word(arguments.yaml), overrides);
  }
}

}  // namespace

void add_next_verb(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("next", "Choose the runs that tell most about a law for a budget");
  const auto arguments = std::make_shared<NextArguments>();
  add_experiment_flags(*verb, *arguments, "Experiment, a YAML file: its runs without a result are the choice");
  add_design_flags(*verb, *arguments);
  verb->add_option("--yaml", arguments->yaml, "Write a file for bitlaw run: the finished runs and these");
  verb->add_flag("--json", arguments->json, "Print one JSON document");
  verb->footer(
      "Runs are chosen by the law's derivatives at the fit of what is done: for the losses at --at and for "
      "--parameter\n"
      "the mean of their variances is made least (I-optimal, c-optimal for one), without them the volume of all\n"
      "parameters (D-optimal). Standard errors suppose that the law holds.\n\n"
      "Examples:\n"
      "  bitlaw next x.yaml --budget 1e15\n"
      "  bitlaw next x.yaml --budget 1e15 --at N=1e7,D=2e8 --yaml next.yaml && bitlaw run next.yaml\n"
      "  bitlaw next x.yaml --seconds 3600 --fit chinchilla_mxfp4 --parameter alpha --json");
  verb->callback([arguments, &invocation] { show_next(*arguments, invocation.command); });
}

}  // namespace bitlaw
