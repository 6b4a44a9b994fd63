#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "experiments/cli/experiment_flags.h"
#include "experiments/cli/verbs.h"
#include "experiments/launch/plan_table.h"

namespace bitlaw {
namespace {

struct SweepArguments : ExperimentArguments {
  bool json = false;
  bool explain = false;  ///< plan only, like memory
  bool memory = false;
};

using Show = std::string (*)(const Experiment&, const RunStore&);

void show(const SweepArguments& arguments, Show text, Show json) {
  const Experiment experiment = arguments.plan();
  if (arguments.explain) {
    fmt::print("{}", provenance_text(experiment));
    return;
  }
  if (arguments.memory) {
    fmt::print("{}", memory_table(experiment));
    return;
  }
  const RunStore store(arguments.results(experiment));
  fmt::print("{}", arguments.json ? json(experiment, store) + "\n" : text(experiment, store));
}

std::shared_ptr<SweepArguments> add_part(CLI::App& sweep, const std::string& name, const std::string& what,
                                         const std::string& examples, Show text, Show json) {
  CLI::App* part = sweep.add_subcommand(name, what);
  const auto arguments = std::make_shared<SweepArguments>();
  add_experiment_flags(*part, *arguments);
  part->add_flag("--json", arguments->json, "Print one JSON document");
  part->footer("Examples:\n" + examples);
  part->callback([arguments, text, json] { show(*arguments, text, json); });
  return arguments;
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
  const auto plan = add_part(*sweep, "plan", "List every run: id, what differs, N, D, FLOPs, state; nothing is written",
                             "  bitlaw sweep plan x.yaml\n"
                             "  bitlaw sweep plan x.yaml --explain\n"
                             "  bitlaw sweep plan x.yaml --memory\n"
                             "  bitlaw sweep plan x.yaml --set 'sweep.grid.model.width=[32, 64]' --json",
                             plan_table, plan_json);
  sweep->get_subcommand("plan")->add_flag("--explain", plan->explain,
                                          "Tell where every value comes from: file and line, --set, or the default");
  sweep->get_subcommand("plan")->add_flag("--memory", plan->memory,
                                          "Tell the peak memory of every run, found by trying two steps of each");
  add_sweep_status_verb(*sweep, invocation);
  add_sweep_submit_verb(*sweep, invocation);
  add_sweep_work_verb(*sweep, invocation);
  add_sweep_files_verbs(*sweep, invocation);
}

}  // namespace bitlaw
