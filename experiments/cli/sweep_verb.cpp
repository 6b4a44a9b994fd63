#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

#include "experiments/cli/experiment_flags.h"
#include "experiments/cli/verbs.h"
#include "experiments/launch/peak_memory.h"
#include "experiments/launch/plan_table.h"

namespace bitlaw {
namespace {

struct PlanArguments : ExperimentArguments {
  bool json = false;
  bool explain = false;
  bool memory = false;
};

/// At once: a document of 100,000 runs is large, and fmt::print would make another of it.
void print_plan(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size()) return;
  throw std::system_error(errno, std::generic_category(), "what was planned could not be printed");
}

void show(const PlanArguments& arguments) {
  const Experiment experiment = arguments.plan();
  tell_warnings(experiment);
  if (arguments.explain) {
    fmt::print("{}", provenance_text(experiment));
    return;
  }
  const RunStore store(arguments.results(experiment));
  PeakMemory peaks;
  if (arguments.memory) peaks = peak_memory(experiment, [](const PlannedRun& run) { return probe_peak_memory(run); });
  const PeakMemory* memory = arguments.memory ? &peaks : nullptr;
  print_plan(arguments.json ? plan_json(experiment, store, memory) + "\n" : plan_table(experiment, store, memory));
}

void add_plan(CLI::App& sweep) {
  CLI::App* verb =
      sweep.add_subcommand("plan", "List every run: id, what differs, N, D, FLOPs, state; nothing is written");
  const auto arguments = std::make_shared<PlanArguments>();
  add_experiment_flags(*verb, *arguments);
  CLI::Option* json = verb->add_flag("--json", arguments->json, "Print one JSON document");
  CLI::Option* memory = verb->add_flag("--memory", arguments->memory,
                                       "Tell the peak memory of every run, too, found by trying two steps of it");
  verb->add_flag("--explain", arguments->explain,
                 "Tell where every value comes from: file and line, --set, or the default")
      ->excludes(json)
      ->excludes(memory);
  verb->footer(
      "Examples:\n"
      "  bitlaw sweep plan x.yaml\n"
      "  bitlaw sweep plan x.yaml --explain\n"
      "  bitlaw sweep plan x.yaml --memory\n"
      "  bitlaw sweep plan x.yaml --set 'sweep.grid.model.width=[32, 64]' --json");
  verb->callback([arguments] { show(*arguments); });
}

}  // namespace

void add_sweep_verb(CLI::App& app, Invocation& invocation) {
  CLI::App* sweep = app.add_subcommand("sweep", "An experiment as a list of runs: look at it, share the work");
  sweep->require_subcommand(1);
  sweep->footer(
      "Examples:\n"
      "  bitlaw sweep plan experiments/configs/quickstart.yaml\n"
      "  bitlaw sweep status experiments/configs/quickstart.yaml\n"
      "  bitlaw sweep work experiments/configs/quickstart.yaml    # on each of many machines with a common folder");
  add_plan(*sweep);
  add_sweep_status_verb(*sweep, invocation);
  add_sweep_submit_verb(*sweep, invocation);
  add_sweep_work_verb(*sweep, invocation);
  add_sweep_files_verbs(*sweep, invocation);
}

}  // namespace bitlaw
