#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "core/base/error.h"
#include "core/record/run_json.h"
#include "experiments/cli/experiment_flags.h"
#include "experiments/cli/number_checks.h"
#include "experiments/cli/verbs.h"
#include "experiments/launch/explain.h"
#include "experiments/launch/local.h"
#include "experiments/launch/peak_memory.h"
#include "experiments/launch/stop_signals.h"

namespace bitlaw {
namespace {

struct TrainArguments : ExperimentArguments {
  int threads = 1;
  std::size_t run = 0;  ///< 1 is the first; 0: the file must describe just one
  bool explain = false;
  bool json = false;
};

const PlannedRun& chosen(const Experiment& experiment, const TrainArguments& arguments) {
  const std::size_t count = experiment.runs.size();
  if (arguments.run > count || (arguments.run == 0 && count > 1)) {
    throw InputError(
        fmt::format("{}: has {} runs{}, so it is not known which to train; choose one of 'bitlaw sweep "
                    "plan {}' with --run 1 to --run {}",
                    arguments.file, count, arguments.run == 0 ? "" : fmt::format(" and no run {}", arguments.run),
                    arguments.file, count));
  }
  return experiment.runs[std::max<std::size_t>(arguments.run, 1) - 1];
}

int explain(const Experiment& experiment, const TrainArguments& arguments) {
  if (arguments.run != 0 || experiment.runs.size() == 1) {
    const PlannedRun& run = chosen(experiment, arguments);
    fmt::print("{}{}\n", explain_text(run), peak_memory_text(run, arguments.threads));
    return 0;
  }
  for (std::size_t i = 0; i < experiment.runs.size(); ++i) {
    fmt::print("{}{}", i == 0 ? "" : "\n", explain_text(experiment.runs[i]));
  }
  return 0;
}

/// The run's file says what became of it; what is printed is for people.
std::string outcome_text(const RunRecord& record, const std::filesystem::path& folder) {
  if (record.diverged) return fmt::format("diverged\nresult: {}\n", (folder / "result.json").string());
  return fmt::format("loss {:.5f} held out, {:.5f} in training\nresult: {}\n", record.loss, record.train_loss,
                     (folder / "result.json").string());
}

int train_one(const PlannedRun& run, const std::filesystem::path& results, const TrainArguments& arguments,
              const std::string& command) {
  if (!arguments.json) fmt::print("{}", explain_text(run));
  const StopSignals signals;
  const LaunchResult result = launch(
      {run}, RunStore(results),
      {.threads = arguments.threads, .should_stop = StopSignals::stop_asked, .terminal = ::isatty(STDERR_FILENO) == 1});
  if (result.stopped) {
    fmt::print(stderr, "stopped; what was trained is saved. Continue with: {}\n", command);
    return kStopped;
  }
  if (!result.failures.empty()) {
    fmt::print(stderr, "run {} failed: {}\n", run.id.substr(0, 8), result.failures.front().message);
    return kSomeFailed;
  }
  const RunRecord& record = *result.records.front();
  fmt::print("{}", arguments.json ? run_to_json(record) + "\n" : outcome_text(record, results / "runs" / run.id));
  return 0;
}

int train_or_explain(const TrainArguments& arguments, const std::string& command) {
  const Experiment experiment = arguments.plan();
  if (arguments.explain) return explain(experiment, arguments);
  return train_one(chosen(experiment, arguments), arguments.results(experiment), arguments, command);
}

}  // namespace

void add_train_verb(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("train", "Train one run of an experiment, or explain how its layers round");
  const auto arguments = std::make_shared<TrainArguments>();
  add_experiment_flags(*verb, *arguments);
  verb->add_option("--run", arguments->run, "Which run of 'sweep plan', 1 for the first; needed when there are several")
      ->check(positive_number());
  verb->add_option("--threads", arguments->threads, "Threads that share the work; the result does not depend on them")
      ->check(number_between(1, 256));
  verb->add_flag("--explain", arguments->explain,
                 "Print what each layer does to its six operands, and of one run its peak memory; train nothing");
  verb->add_flag("--json", arguments->json, "Print the run's record as one JSON document");
  verb->footer(
      "The table of layers is stored with the run, runs/<id>/layers.txt. Stopped or killed, the same command "
      "continues.\n\n"
      "Examples:\n"
      "  bitlaw train x.yaml --explain --set precision=nvfp4_pretraining\n"
      "  bitlaw train x.yaml --run 3 --json > run3.json");
  verb->callback([arguments, &invocation] { invocation.exit_code = train_or_explain(*arguments, invocation.command); });
}

}  // namespace bitlaw
