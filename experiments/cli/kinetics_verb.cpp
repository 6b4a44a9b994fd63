#include <CLI/CLI.hpp>

#include "experiments/cli/verbs.h"

namespace bitlaw {

void add_kinetics_verb(CLI::App& app, Invocation& invocation) {
  CLI::App* verb = app.add_subcommand("kinetics", "What answers cost at test time, and how to spend a budget on them");
  verb->require_subcommand(1);
  verb->footer(
      "Examples:\n"
      "  bitlaw kinetics cost qwen3-8b --kv mxfp8 --tokens 8192,32768\n"
      "  bitlaw kinetics simulate --out traces.jsonl\n"
      "  bitlaw kinetics frontier traces.jsonl\n"
      "  bitlaw kinetics fit traces.jsonl");
  add_kinetics_cost_verb(*verb, invocation);
  add_kinetics_fit_verb(*verb, invocation);
  add_kinetics_frontier_verb(*verb, invocation);
  add_kinetics_simulate_verb(*verb, invocation);
}

}  // namespace bitlaw
