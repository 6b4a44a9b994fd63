#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/base/limits.h"
#include "simulators/test_time/inference_cost.h"
#include "simulators/test_time/traces.h"

namespace bitlaw {

/// One way to answer: who, up to how many tokens, how often.
struct Strategy {
  std::size_t answerer = 0;
  double token_limit = kInfinity;  ///< generation is cut there; infinity: never
  int trials = 1;                  ///< N; the best answer counts (oracle coverage)
};

/// What strategies are tried and what they are priced by.
struct AllocationGrid {
  std::vector<double> token_limits{kInfinity};
  std::vector<int> trials{1};
  Hardware hardware;
  CostTotal total = CostTotal::Sum;
  WeightReads reads = WeightReads::Amortised;
  double prompt = 256;  ///< tokens of prompts whose length is not given
  double tokens = 0;    ///< of answers whose length is not given; 0: none may lack it
};

/// What a strategy does over all tasks.
struct StrategyScore {
  Strategy strategy;
  bool complete = false;        ///< every task has at least N answers; without that the means are not comparable
  double accuracy = 0;          ///< mean over tasks
  double accuracy_error = 0;    ///< its standard error, from the spread over tasks
  double cost = 0;              ///< mean over tasks [FLOP], effective_flops()
  double compute = 0;           ///< mean over tasks, of products alone [FLOP]
  double generated_tokens = 0;  ///< mean over tasks, of all trials
};

/// For each budget the best that one task can have.
struct TaskChoice {
  int strategy = -1;  ///< -1: none is affordable
  float accuracy = 0;
};

struct Allocation {
  std::vector<StrategyScore> strategies;  ///< by answerer, token limit, trials
  std::vector<double> budgets;            ///< for a task [FLOP], rising
  std::size_t tasks = 0;
  std::vector<TaskChoice> choices;  ///< [tasks, budgets]

  const TaskChoice& choice(std::size_t task, std::size_t budget) const {
    return choices[task * budgets.size() + budget];
  }
};

/// Accuracy and cost of every strategy on every task, and for each task and budget the strategy of the highest accuracy
/// whose cost is within it; of equals (to 2^-40) the cheapest, then the first (arXiv:2506.05333, Algorithms 1 and 2).
///
/// With N trials the accuracy is best_of_k of the task's answers, an answer that is longer than the limit scores 0. The
/// cost is the mean over the answers of the cost of N trials as long as this one, cut at the limit. A task's choice is
/// made and scored on the same answers, so its accuracy is too high by what luck adds.
///
/// `settings` [answerers] prices each answerer. InputError where a model has no answer to a task, and where an answer's
/// length is not given and `grid.tokens` is 0. Neither results nor bits depend on `threads`.
Allocation allocate(const Traces& traces, std::span<const InferenceSetting> settings, const AllocationGrid& grid,
                    const std::vector<double>& budgets, int threads);

/// `count` budgets from `least` to `most`, equally spaced in their logarithm.
std::vector<double> log_spaced(double least, double most, int count);

}  // namespace bitlaw
