#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "experiments/cli/experiment_flags.h"
#include "experiments/cli/number_checks.h"
#include "experiments/cli/verbs.h"
#include "experiments/launch/plan_table.h"
#include "experiments/launch/stop_signals.h"
#include "experiments/launch/sweep_status.h"

namespace bitlaw {
namespace {

struct StatusArguments : ExperimentArguments {
  bool json = false, watch = false;
  double every = 2;  ///< seconds between two looks
};

std::string status_text(const Experiment& experiment, const RunStore& store, const SweepStatus& status) {
  return status_text(experiment, store) + details_text(status);
}

std::string status_json(const Experiment& experiment, const RunStore& store, const SweepStatus& status) {
  auto document = nlohmann::json::parse(status_json(experiment, store));
  document.update(nlohmann::json::parse(details_json(status)));
  return document.dump() + "\n";
}

/// Waits, in pieces that a signal ends.
void pause(double seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (!StopSignals::stop_asked() && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

int watch(const Experiment& experiment, const RunStore& store, SweepWatch& looks, double every) {
  const StopSignals signals;
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  std::string shown;
  while (!StopSignals::stop_asked()) {
    const SweepStatus status = looks.look();
    const std::string text = status_text(experiment, store, status);
    if (terminal) fmt::print("\033[H\033[2J{}", text);
    if (!terminal && text != shown) fmt::print("{}\n", text);
    std::fflush(stdout);
    shown = text;
    if (status.at_rest()) return 0;
    pause(every);
  }
  return kStopped;
}

int show_status(const StatusArguments& arguments) {
  const Experiment experiment = arguments.plan();
  const std::filesystem::path results = arguments.results(experiment);
  const RunStore store(results);
  SweepWatch looks(experiment, results);
  if (arguments.watch) return watch(experiment, store, looks, arguments.every);
  fmt::print("{}", (arguments.json ? status_json : status_text)(experiment, store, looks.look()));
  return 0;
}

}  // namespace

void add_sweep_status_verb(CLI::App& sweep, Invocation& invocation) {
  CLI::App* verb = sweep.add_subcommand("status", "Count the runs by state, tell what is left and who trains what");
  const auto arguments = std::make_shared<StatusArguments>();
  add_experiment_flags(*verb, *arguments);
  const auto* json = verb->add_flag("--json", arguments->json, "Print one JSON document");
  verb->add_flag("--watch", arguments->watch, "Show it again and again until every run is done or has failed")
      ->excludes(const_cast<CLI::Option*>(json));
  verb->add_option("--every", arguments->every, "Seconds between two looks of --watch (default: 2)")
      ->check(number_between(0.05, 3600.0));
  verb->footer(
      "From the files alone; where squeue and sacct are, the submitted jobs' tasks are counted by state, too.\n\n"
      "Examples:\n"
      "  bitlaw sweep status x.yaml\n"
      "  bitlaw sweep status x.yaml --watch\n"
      "  bitlaw sweep status x.yaml --out /tmp/x --json");
  verb->callback([arguments, &invocation] { invocation.exit_code = show_status(*arguments); });
}

}  // namespace bitlaw
