#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>

#include "core/base/cores.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/limits.h"
#include "experiments/cli/kinetics_flags.h"
#include "experiments/cli/kinetics_frontier_text.h"
#include "experiments/cli/number_checks.h"
#include "experiments/cli/output_files.h"
#include "experiments/cli/verbs.h"

namespace bitlaw {
namespace {

struct FrontierRequest {
  std::vector<std::string> traces;
  std::string limits, trials = "1,2,4,8,16,32", budgets = "4.5e13,1e17,100";
  std::string per_task, strategies;  ///< files; empty: not wanted
  double prompt = 256, tokens = 0;
  PriceFlags price;
  bool json = false;
};

/// As arXiv:2506.05333 cuts answers, and whole ones.
std::vector<double> usual_limits() {
  std::vector<double> limits;
  for (int limit = 2048; limit <= 32768; limit += 2048) limits.push_back(limit);
  limits.push_back(kInfinity);
  return limits;
}

/// "4096,8192", and "none" at the end for answers that are not cut.
std::vector<double> limits_of(const FrontierRequest& request) {
  constexpr std::string_view kNone = "none";
  if (request.limits.empty()) return usual_limits();
  std::string numbers = request.limits;
  const bool never = numbers == kNone || numbers.ends_with(fmt::format(",{}", kNone));
  if (never) numbers.resize(numbers.size() - kNone.size());
  if (never && numbers.ends_with(',')) numbers.pop_back();
  std::vector<double> limits;
  if (!numbers.empty()) limits = numbers_in("--tokens", numbers, 1);
  if (never) limits.push_back(kInfinity);
  return limits;
}

std::vector<double> budgets_of(const FrontierRequest& request) {
  const std::vector<double> words = numbers_in("--budgets", request.budgets, 1);
  const bool valid = words.size() == 3 && words[0] <= words[1] && words[2] == std::floor(words[2]) && words[2] <= 1e5;
  if (valid) return log_spaced(words[0], words[1], static_cast<int>(words[2]));
  throw InputError(
      fmt::format("--budgets {}: is no range, so nothing was done; write the least, the most [FLOP] and how "
                  "many, as 4.5e13,1e17,100",
                  request.budgets));
}

AllocationGrid grid_of(const FrontierRequest& request) {
  return {.token_limits = limits_of(request),
          .trials = trials_in(request.trials),
          .hardware = request.price.priced(),
          .total = request.price.cost_total(),
          .reads = request.price.weight_reads(),
          .prompt = request.prompt,
          .tokens = request.tokens};
}

void refuse_empty(const FrontierReport& report) {
  const auto& strategies = report.allocation.strategies;
  if (std::any_of(strategies.begin(), strategies.end(), [](const StrategyScore& s) { return s.complete; })) return;
  throw InputError("--trials: no task of any model has as many answers, so there is nothing to compare; ask for fewer");
}

void print_frontier(const FrontierRequest& request) {
  const AllocationGrid grid = grid_of(request);
  const std::vector<double> budgets = budgets_of(request);
  OutputFiles files(request.traces);
  files.add("--per-task", request.per_task);
  files.add("--strategies", request.strategies);
  const int threads = all_cores();
  const PricedTraces priced = read_traces(request.traces, threads);
  const FrontierReport report = frontier_report(priced, grid, budgets, threads);
  refuse_empty(report);
  if (!request.per_task.empty()) write_file_atomically(request.per_task, task_choices_csv(report));
  if (!request.strategies.empty()) write_file_atomically(request.strategies, strategies_csv(report));
  fmt::print("{}\n", request.json ? frontier_json(report) : frontier_text(report));
}

}  // namespace

void add_kinetics_frontier_verb(CLI::App& kinetics, Invocation&) {
  CLI::App* verb = kinetics.add_subcommand(
      "frontier", "From scored answers: for each budget the best model, number of tokens, of trials, KV budget");
  const auto request = std::make_shared<FrontierRequest>();
  add_traces_argument(*verb, request->traces, ", see simulators/test_time/README.md");
  verb->add_option("--tokens", request->limits,
                   "Where answers are cut: 4096,8192,none (default: every 2048 to 32768, and none)");
  verb->add_option("--trials", request->trials, "Answers to a task, of which the best counts (default: 1,2,4,...,32)");
  verb->add_option("--budgets", request->budgets,
                   "LEAST,MOST,COUNT for a task in FLOP, log-spaced (default: 4.5e13,1e17,100)");
  verb->add_option("--prompt", request->prompt, "Tokens of prompts whose length is not given (default: 256)")
      ->check(number_from_zero());
  verb->add_option("--assume-tokens", request->tokens, "Tokens of answers whose length is not given")
      ->check(number_between(1.0, 1e9));
  add_price_flags(*verb, request->price);
  verb->add_option("--per-task", request->per_task, "FILE.csv: also the best strategy of every task at every budget");
  verb->add_option("--strategies", request->strategies,
                   "FILE.csv: also accuracy and cost of every strategy, a table for bitlaw fit");
  verb->add_flag("--json", request->json, "Print one JSON document, with every budget");
  verb->footer(
      "The accuracy of N trials is that of the best of them, as if an oracle chose.\n\n"
      "Examples:\n"
      "  bitlaw kinetics simulate --out traces.jsonl\n"
      "  bitlaw kinetics frontier traces.jsonl\n"
      "  bitlaw kinetics frontier qwen3-8b=dense.jsonl qwen3-8b,block_top_k:16x64=sparse.jsonl.gz --json\n"
      "  bitlaw kinetics frontier traces.jsonl --hardware h200_bf16 --total max --per-task choices.csv\n"
      "  bitlaw kinetics frontier traces.jsonl --strategies s.csv    # then the law of coverage over trials:\n"
      "  bitlaw fit coverage s.csv --map k=trials,loss=accuracy --where model=qwen3-8b --where token_limit=16384");
  verb->callback([request] { print_frontier(*request); });
}

}  // namespace bitlaw
