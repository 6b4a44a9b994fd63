#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/record/fit_json.h"
#include "core/record/run_json.h"
#include "core/record/sweep_file.h"
#include "experiments/cli/design_flags.h"
#include "experiments/cli/experiment_flags.h"
#include "experiments/cli/number_checks.h"
#include "experiments/cli/verbs.h"
#include "experiments/launch/adaptive.h"
#include "experiments/launch/experiment_runner.h"
#include "experiments/launch/peak_memory.h"
#include "experiments/launch/stop_signals.h"

namespace bitlaw {
namespace {

struct RunArguments : ExperimentArguments, TrainingArguments, DesignArguments {
  bool adaptive = false;  ///< trains what next_request() chooses, in rounds
  int rounds = 4;
  bool json = false;
};

/// `files` is null and `fits` empty when this outcome wrote none, whatever an earlier one left in the folder.
void print_json(const std::string& experiment, const ExperimentOutcome& outcome) {
  using nlohmann::json;
  json files, runs = json::array(), fits = json::array(), failures = json::array();
  for (const RunRecord& run : outcome.runs) runs.push_back(json::parse(run_to_json(run)));
  for (const RunFailure& failure : outcome.failures) {
    failures.push_back({{"run_id", failure.id}, {"label", failure.label}, {"message", failure.message}});
  }
  if (outcome.written) {
    files = {{"data", outcome.sweep_file.string()},
             {"text", outcome.text_file.string()},
             {"html", outcome.html_file.string()}};
    for (const FitRecord& fit : read_sweep_file(outcome.sweep_file).fits) {
      fits.push_back(json::parse(fit_to_json(fit)));
    }
  }
  const json document{{"experiment", experiment},
                      {"stopped", outcome.stopped},
                      {"trained", outcome.trained},
                      {"failed", outcome.failures.size()},
                      {"failures", failures},
                      {"files", files},
                      {"runs", runs},
                      {"fits", fits}};
  fmt::print("{}\n", document.dump());
}

int run(const RunArguments& arguments, const std::string& command) {
  const Experiment experiment = arguments.plan();
  tell_warnings(experiment);
  const std::filesystem::path results = arguments.results(experiment);
  const StopSignals signals;
  const LaunchOptions options{.workers = arguments.worker_count(),
                              .threads = arguments.threads,
                              .should_stop = StopSignals::stop_asked,
                              .terminal = ::isatty(STDERR_FILENO) == 1,
                              .checkpoint_seconds = arguments.checkpoint_seconds,
                              .memory = arguments.memory_limit(),
                              .peak_memory = probe_peak_memory};
  const ExperimentOutcome outcome = arguments.adaptive ? run_adaptively(experiment, results, command, options,
                                                                        arguments.next_request(), arguments.rounds)
                                                       : run_experiment(experiment, results, command, options);
  if (arguments.json) {
    print_json(experiment.name, outcome);
  } else {
    fmt::print("{}", outcome.report);
  }
  if (outcome.stopped) {
    fmt::print(stderr, "stopped; what was trained is saved. Continue with: {}\n", command);
    return kStopped;
  }
  if (outcome.failures.empty()) return 0;
  fmt::print(stderr, "{} of {} runs failed; once the reason below is gone, the same command tries them again:\n",
             outcome.failures.size(), experiment.runs.size());
  for (const RunFailure& failure : outcome.failures) {
    fmt::print(stderr, "  {} {}: {}\n", failure.id.substr(0, 8), failure.label, failure.message);
  }
  return kSomeFailed;
}

}  // namespace

void add_run_verb(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("run", "Train what an experiment still lacks, fit its laws, write the report");
  const auto arguments = std::make_shared<RunArguments>();
  add_experiment_flags(*verb, *arguments);
  add_training_flags(*verb, *arguments);
  verb->add_flag("--json", arguments->json, "Print one JSON document instead of the report");
  CLI::Option* adaptive = verb->add_flag("--adaptive", arguments->adaptive,
                                         "Train only what tells most about a fit, chosen anew each round");
  add_design_flags(*verb, *arguments);
  verb->add_option("--rounds", arguments->rounds, "Rounds that the budget is shared among (default: 4)")
      ->check(number_between(1, 1000));
  for (const char* name : {"--budget", "--seconds", "--at", "--parameter", "--fit", "--rounds"}) {
    verb->get_option(name)->needs(adaptive);
  }
  verb->footer(
      "Results depend on neither workers nor threads. Stopped or killed, the same command continues; run again\n"
      "with everything done, it only shows the report.\n\n"
      "Examples:\n"
      "  bitlaw run experiments/configs/quickstart.yaml\n"
      "  bitlaw run x.yaml --out /tmp/x --workers 2 --set training.seed=1\n"
      "  bitlaw run x.yaml --set 'sweep.grid.precision=[float32, nvfp4]' --out results/x2 --json > x2.json\n"
      "  bitlaw run x.yaml --adaptive --budget 1e15 --at N=1e7,D=2e8    # what bitlaw next would choose, four times\n\n"
      "The results folder holds one experiment: with another file or other --set values, give another --out, or its\n"
      "sweep.h5 and reports are replaced (finished runs are kept and shared).");
  verb->callback([arguments, &invocation] { invocation.exit_code = run(*arguments, invocation.command); });
}

}  // namespace bitlaw
