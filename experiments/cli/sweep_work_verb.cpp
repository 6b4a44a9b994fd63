#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <optional>

#include "experiments/cli/experiment_flags.h"
#include "experiments/cli/number_checks.h"
#include "experiments/cli/verbs.h"
#include "experiments/launch/local.h"
#include "experiments/launch/peak_memory.h"
#include "experiments/launch/plan_file.h"
#include "experiments/launch/results_folder.h"
#include "experiments/launch/stop_signals.h"

namespace bitlaw {
namespace {

struct WorkArguments : ExperimentArguments, TrainingArguments {
  double beat_seconds = 5;
  std::optional<double> max_seconds;
  bool wait = false, retry_failed = false;
};

LaunchOptions options_of(const WorkArguments& arguments) {
  const auto start = std::chrono::steady_clock::now();
  const auto out_of_time = [start, limit = arguments.max_seconds] {
    return limit && std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() > *limit;
  };
  return {.workers = arguments.worker_count(),
          .threads = arguments.threads,
          .should_stop = [out_of_time] { return StopSignals::stop_asked() || out_of_time(); },
          .terminal = ::isatty(STDERR_FILENO) == 1,
          .checkpoint_seconds = arguments.checkpoint_seconds,
          .others = arguments.wait ? Others::WaitFor : Others::LeaveThemTo,
          .load_results = false,
          .retry_failed = arguments.retry_failed,
          .beat_seconds = arguments.beat_seconds,
          .memory = arguments.memory_limit(),
          .peak_memory = probe_peak_memory};
}

int work(const WorkArguments& arguments, const std::string& command) {
  const StopSignals signals;  // before reading: a scheduler may stop a job that has just begun
  const Experiment experiment = arguments.plan();
  const std::filesystem::path results = arguments.results(experiment);
  open_results_folder(results);
  write_plan(RunStore(results).plan(), saved_plan(experiment));
  const LaunchResult result = launch(experiment.runs, RunStore(results), options_of(arguments));
  for (const RunFailure& failure : result.failures) {
    fmt::print(stderr, "{} {} failed: {}\n", failure.id.substr(0, 8), failure.label, failure.message);
  }
  fmt::print("{} runs trained here, {} failed, {} left to other processes\n", result.trained, result.failures.size(),
             result.with_others);
  if (result.stopped) {
    fmt::print(stderr, "stopped; what was trained is saved and free for others. Continue with: {}\n", command);
    return kStopped;
  }
  return result.failures.empty() ? 0 : kSomeFailed;
}

}  // namespace

void add_sweep_work_verb(CLI::App& sweep, Invocation& invocation) {
  CLI::App* verb = sweep.add_subcommand("work", "Train what is due, side by side with others that do the same");
  const auto arguments = std::make_shared<WorkArguments>();
  add_experiment_flags(*verb, *arguments);
  add_training_flags(*verb, *arguments);
  verb->add_option("--max-seconds", arguments->max_seconds, "Stop after this long, as on a signal")
      ->check(number_from_zero());
  verb->add_option("--beat-seconds", arguments->beat_seconds,
                   "Between two signs of life (default: 5); after 12 without one, other hosts take the run over")
      ->check(number_between(0.01, 3600.0));
  verb->add_flag("--wait", arguments->wait, "Stay until the runs of the others are done, too");
  verb->add_flag("--retry-failed", arguments->retry_failed, "Also runs that failed three times");
  verb->footer(
      "Any number of these, on any hosts that share the results folder, train each run once. It ends when nothing is\n"
      "due that no other process trains. SIGTERM, SIGUSR1 and Ctrl-C save checkpoints and give the runs back.\n"
      "Exit codes: 0 nothing left to do, 1 some run failed, 2 wrong input, 130 stopped: to be started again.\n"
      "Afterwards 'bitlaw run' with the same file and folder fits and writes the report.\n\n"
      "Examples:\n"
      "  bitlaw sweep work x.yaml --workers 8\n"
      "  bitlaw sweep work x.yaml --out /shared/x --max-seconds 3600");
  verb->callback([arguments, &invocation] { invocation.exit_code = work(*arguments, invocation.command); });
}

}  // namespace bitlaw
