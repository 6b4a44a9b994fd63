#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <fstream>

#include "core/base/error.h"
#include "core/base/file.h"
#include "experiments/cli/kinetics_flags.h"
#include "experiments/cli/number_checks.h"
#include "experiments/cli/output_files.h"
#include "experiments/cli/verbs.h"
#include "simulators/test_time/task_family.h"

namespace bitlaw {
namespace {

struct SimulateRequest {
  std::vector<std::string> models;
  std::vector<std::string> attention{"dense"};
  std::string out;
  int tasks = 100, answers = 32;
  std::uint64_t seed = 0;
  TaskFamily family;
};

std::vector<SimulatedModel> models_of(const SimulateRequest& request) {
  std::vector<std::string> names = request.models;
  if (names.empty()) {
    for (const ModelShape& shape : model_shapes()) names.push_back(shape.name);
  }
  std::vector<SimulatedModel> models;
  for (const std::string& name : names) {
    for (const std::string& attention : request.attention) {
      const InferenceSetting setting = setting_of("bitlaw kinetics simulate", name, attention, "bfloat16", "bfloat16");
      models.push_back({{.model = name, .attention = attention}, setting.model.params});
    }
  }
  return models;
}

void simulate(const SimulateRequest& request) {
  const std::vector<SimulatedModel> models = models_of(request);
  OutputFiles(request.models).add("--out", request.out);
  const Traces traces = simulate_traces(request.family, models, request.tasks, request.answers, request.seed);
  write_atomically(request.out, [&](const std::filesystem::path& temporary) {
    std::ofstream file(temporary, std::ios::binary);
    write_traces(traces, [&](const std::string& part) { file << part; });
    if (!file.flush()) refuse_writing(request.out, system_reason());
  });
  fmt::print("{}: {} answers of {} models to {} tasks\n", request.out, traces.answer_count(), models.size(),
             request.tasks);
}

void add_family_flags(CLI::App& verb, TaskFamily& family) {
  verb.add_option("--half-params", family.half_params, "Parameters of half the ceiling (default: 4e9)")
      ->check(positive_number());
  verb.add_option("--slope", family.slope, "Of success in the logarithm of the size (default: 1)")
      ->check(number_between(0.0, 100.0));
  verb.add_option("--ceiling", family.ceiling, "Mean success of endless models (default: 0.95)")
      ->check(number_between(1e-6, 1 - 1e-6));
  verb.add_option("--spread", family.spread,
                  "alpha + beta of the tasks' chances: small, tasks differ much (default: 1)")
      ->check(number_between(1e-3, 1e6));
  verb.add_option("--median-tokens", family.median_tokens, "Of an answer of the half size (default: 8000)")
      ->check(number_between(1.0, 1e9));
  verb.add_option("--token-exponent", family.token_exponent, "By which larger models are shorter (default: 0.05)")
      ->check(number_between(-10.0, 10.0));
  verb.add_option("--sigma", family.sigma, "Standard deviation of ln tokens (default: 0.5)")
      ->check(number_between(0.0, 10.0));
  verb.add_option("--hard-tokens", family.hard_tokens,
                  "ln of how much longer answers to the hardest task are than to the easiest (default: 1)")
      ->check(number_between(-10.0, 10.0));
  verb.add_option("--prompt", family.prompt_tokens, "Tokens of each prompt (default: 256)")
      ->check(number_between(0, 1'000'000'000));
}

}  // namespace

void add_kinetics_simulate_verb(CLI::App& kinetics, Invocation&) {
  CLI::App* verb = kinetics.add_subcommand("simulate", "Write made-up answers whose law is known, as traces");
  const auto request = std::make_shared<SimulateRequest>();
  verb->add_option("models", request->models, "Models that answer (default: all built-in ones)");
  verb->add_option("--out", request->out, "FILE.jsonl to write")->required();
  verb->add_option("--tasks", request->tasks, "How many (default: 100)")->check(number_between(1, 10'000'000));
  verb->add_option("--answers", request->answers, "Of each model to each task (default: 32)")
      ->check(number_between(1, 1'000'000));
  verb->add_option("--seed", request->seed, "Of the answers (default: 0)");
  verb->add_option("--attention", request->attention,
                   "Answers with it, too, as good as any others (default: dense); may be repeated")
      ->allow_extra_args(false);
  add_family_flags(*verb, request->family);
  verb->footer(
      "Success of task i is Beta-distributed over tasks, lengths are lognormal: simulators/test_time/task_family.h.\n\n"
      "Examples:\n"
      "  bitlaw kinetics simulate --out traces.jsonl\n"
      "  bitlaw kinetics simulate qwen3-8b qwen3-32b --tasks 30 --spread 0.5 --seed 7 --out hard.jsonl");
  verb->callback([request] { simulate(*request); });
}

}  // namespace bitlaw
