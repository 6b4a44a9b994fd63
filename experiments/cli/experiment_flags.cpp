#include "experiments/cli/experiment_flags.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <limits>

#include "core/base/cores.h"
#include "core/base/error.h"
#include "experiments/cli/number_checks.h"
#include "experiments/launch/available_memory.h"
#include "experiments/launch/results_folder.h"

namespace bitlaw {

std::filesystem::path ExperimentArguments::results(const Experiment& experiment) const {
  return results_folder(out, experiment.name);
}

void tell_warnings(const Experiment& experiment) {
  for (const std::string& warning : experiment.warnings) fmt::print(stderr, "warning: {}\n", warning);
}

void ExperimentArguments::expect_file_alone() const {
  if (overrides.empty() && !out) return;
  throw InputError(
      fmt::format("{} {}: says something of an experiment and {} holds results, so it would be ignored; "
                  "leave it out, or name the experiment, a YAML file",
                  out ? "--out" : "--set", out ? *out : overrides.front(), file));
}

void add_experiment_flags(CLI::App& verb, ExperimentArguments& arguments, const std::string& file) {
  verb.add_option("file", arguments.file, file)->required();
  verb.add_option("--out", arguments.out, "Results folder (default: results/<experiment name>)");
  verb.add_option("--set", arguments.overrides, "key=value: replace a value of the file; may be repeated")
      ->allow_extra_args(false);
}

int TrainingArguments::worker_count() const {
  if (workers > 0) return workers;
  return std::max(1, all_cores() / threads);
}

std::int64_t TrainingArguments::memory_limit() const {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  return memory == 0 ? available_memory() : static_cast<std::int64_t>(std::min(memory, kMost));
}

void add_training_flags(CLI::App& verb, TrainingArguments& arguments) {
  verb.add_option("--workers", arguments.workers, "Runs at the same time (default: all cores over --threads)")
      ->check(number_between(1, 4096));
  verb.add_option("--threads", arguments.threads, "Threads of each run (default: 1); for few large models")
      ->check(number_between(1, 256));
  verb.add_option("--checkpoint-seconds", arguments.checkpoint_seconds,
                  "Save unfinished runs about this often (default: 30)")
      ->check(number_from_zero());
  verb.add_option("--memory", arguments.memory,
                  "Begin a run only where it fits, beside those that train, into this much, for example 8GB\n"
                  "(default: what the machine, or the job's share of it, has available)")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/true));
}

}  // namespace bitlaw
