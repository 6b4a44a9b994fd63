#include "simulators/test_time/allocation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/parallel.h"
#include "simulators/test_time/coverage.h"

namespace bitlaw {
namespace {

/// The answers of one answerer, task by task.
struct ByTask {
  std::vector<Answer> answers;     // sorted by task, then score, highest first
  std::vector<std::size_t> begin;  // [tasks + 1]

  std::span<const Answer> of(std::size_t task) const {
    return std::span(answers).subspan(begin[task], begin[task + 1] - begin[task]);
  }
};

ByTask by_task(const Answerer& answerer, const std::vector<std::string>& tasks) {
  ByTask sorted;
  sorted.begin.assign(tasks.size() + 1, 0);
  for (const Answer& answer : answerer.answers) ++sorted.begin[answer.task + 1];
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    if (sorted.begin[t + 1] == 0) {
      throw InputError(
          fmt::format("{}: {} with {} attention has no answer to the task '{:.60}', so models would be compared on "
                      "different tasks; add its answers or leave the model or the task out",
                      answerer.first_place, answerer.words.model, answerer.words.attention, tasks[t]));
    }
  }
  std::partial_sum(sorted.begin.begin(), sorted.begin.end(), sorted.begin.begin());
  std::vector<std::size_t> next(sorted.begin.begin(), sorted.begin.end() - 1);
  sorted.answers.resize(answerer.answers.size());
  for (const Answer& answer : answerer.answers) sorted.answers[next[answer.task]++] = answer;
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    std::stable_sort(sorted.answers.begin() + static_cast<std::ptrdiff_t>(sorted.begin[t]),
                     sorted.answers.begin() + static_cast<std::ptrdiff_t>(sorted.begin[t + 1]),
                     [](const Answer& a, const Answer& b) { return a.score > b.score; });
  }
  return sorted;
}

/// Fills in lengths that are not given.
void complete_lengths(ByTask& sorted, const Answerer& answerer, const AllocationGrid& grid) {
  for (Answer& answer : sorted.answers) {
    if (std::isnan(answer.prompt)) answer.prompt = static_cast<float>(grid.prompt);
    if (!std::isnan(answer.tokens)) continue;
    if (grid.tokens > 0) {
      answer.tokens = static_cast<float>(grid.tokens);
      continue;
    }
    throw InputError(
        fmt::format("{}: an answer of {} has no 'tokens', so it has no cost; add how many were generated, or give a "
                    "length for all that lack it",
                    answerer.first_place, answerer.words.model));
  }
}

/// What one strategy does on one task.
struct TaskScore {
  bool available = false;  // there are N answers
  double accuracy = 0, cost = 0, compute = 0, tokens = 0;
};

/// Accuracies that are equal but for the rounding of the sums behind them become equal: multiples of 2^-40.
double without_rounding(double accuracy) { return std::round(accuracy * 0x1p40) * 0x1p-40; }

class TaskScorer {
 public:
  TaskScorer(const std::vector<ByTask>& answers, std::span<const InferenceSetting> settings, const AllocationGrid& grid)
      : answers_(answers), settings_(settings), grid_(grid) {}

  /// scores [strategies]: of one task.
  void score(std::size_t task, std::span<TaskScore> scores) {
    auto next = scores.begin();
    for (std::size_t a = 0; a < answers_.size(); ++a) {
      const auto answers = answers_[a].of(task);
      for (const double limit : grid_.token_limits) {
        take_up_to(answers, settings_[a], limit);
        for (const int trials : grid_.trials) *next++ = score_of(trials);
      }
    }
  }

 private:
  /// Sets what does not depend on the number of trials.
  void take_up_to(std::span<const Answer> answers, const InferenceSetting& setting, double limit) {
    falling_.clear();
    AnswerCost sum;
    tokens_ = 0;
    for (const Answer& answer : answers) {
      if (static_cast<double>(answer.tokens) <= limit) falling_.push_back(answer.score);
      const double generated = std::min(static_cast<double>(answer.tokens), limit);
      sum += answer_cost(setting, static_cast<double>(answer.prompt), generated, grid_.reads);
      tokens_ += generated;
    }
    falling_.resize(answers.size(), 0);  // those that were cut score 0
    const double each = 1 / static_cast<double>(answers.size());
    mean_ = sum * each;
    tokens_ *= each;
  }

  TaskScore score_of(int trials) const {
    if (static_cast<std::size_t>(trials) > falling_.size()) return {};
    const TaskCost cost = task_cost(mean_, trials);
    return {.available = true,
            .accuracy = without_rounding(best_of_k(falling_, trials)),
            .cost = effective_flops(cost, grid_.hardware, grid_.total),
            .compute = cost.compute,
            .tokens = tokens_ * trials};
  }

  const std::vector<ByTask>& answers_;
  std::span<const InferenceSetting> settings_;
  const AllocationGrid& grid_;
  std::vector<float> falling_;
  AnswerCost mean_;
  double tokens_ = 0;
};

bool is_better(const TaskScore& a, const TaskScore& b) {
  return a.accuracy > b.accuracy || (a.accuracy == b.accuracy && a.cost < b.cost);
}

/// choices [budgets]: of one task.
void choose(std::span<const TaskScore> scores, const std::vector<double>& budgets, std::span<TaskChoice> choices) {
  for (std::size_t s = 0; s < scores.size(); ++s) {
    if (!scores[s].available) continue;
    const auto first = std::lower_bound(budgets.begin(), budgets.end(), scores[s].cost);  // the least that affords it
    if (first == budgets.end()) continue;
    int& best = choices[static_cast<std::size_t>(first - budgets.begin())].strategy;
    if (best < 0 || is_better(scores[s], scores[static_cast<std::size_t>(best)])) best = static_cast<int>(s);
  }
  int best = -1;
  for (TaskChoice& choice : choices) {  // what a smaller budget affords, this one does too
    const int own = choice.strategy;
    const auto score = [&](int s) { return scores[static_cast<std::size_t>(s)]; };
    if (own >= 0 && (best < 0 || is_better(score(own), score(best)))) best = own;
    choice.strategy = best;
    if (best >= 0) choice.accuracy = static_cast<float>(score(best).accuracy);
  }
}

/// TaskSums over tasks.
struct TaskSums {
  std::size_t tasks = 0;
  double accuracy = 0, squares = 0, cost = 0, compute = 0, tokens = 0;

  void add(const TaskScore& score) {
    if (!score.available) return;
    ++tasks;
    accuracy += score.accuracy;
    squares += score.accuracy * score.accuracy;
    cost += score.cost;
    compute += score.compute;
    tokens += score.tokens;
  }
  void add(const TaskSums& other) {
    tasks += other.tasks;
    accuracy += other.accuracy;
    squares += other.squares;
    cost += other.cost;
    compute += other.compute;
    tokens += other.tokens;
  }
};

StrategyScore score_of(const Strategy& strategy, const TaskSums& sums, std::size_t tasks) {
  StrategyScore score{.strategy = strategy, .complete = sums.tasks == tasks};
  if (!score.complete) return score;
  const auto n = static_cast<double>(tasks);
  score.accuracy = without_rounding(sums.accuracy / n);
  const double variance = std::max(0.0, sums.squares / n - score.accuracy * score.accuracy);
  score.accuracy_error = n > 1 ? std::sqrt(variance / (n - 1)) : kNan;
  score.cost = sums.cost / n;
  score.compute = sums.compute / n;
  score.generated_tokens = sums.tokens / n;
  return score;
}

std::vector<Strategy> strategies_of(std::size_t answerers, const AllocationGrid& grid) {
  std::vector<Strategy> strategies;
  for (std::size_t a = 0; a < answerers; ++a) {
    for (const double limit : grid.token_limits) {
      for (const int trials : grid.trials) strategies.push_back({a, limit, trials});
    }
  }
  return strategies;
}

}  // namespace

Allocation allocate(const Traces& traces, std::span<const InferenceSetting> settings, const AllocationGrid& grid,
                    const std::vector<double>& budgets, int threads) {
  std::vector<ByTask> answers;
  for (const Answerer& answerer : traces.answerers) {
    answers.push_back(by_task(answerer, traces.tasks));
    complete_lengths(answers.back(), answerer, grid);
  }
  const std::vector<Strategy> strategies = strategies_of(answers.size(), grid);
  Allocation allocation{.strategies = {}, .budgets = budgets, .tasks = traces.tasks.size(), .choices = {}};
  allocation.choices.resize(allocation.tasks * budgets.size());
  // TaskSums run over parts of fixed size, then over the parts in order, whatever the number of threads.
  const std::size_t parts = (allocation.tasks + kPartMultiple - 1) / kPartMultiple;
  std::vector<std::vector<TaskSums>> sums(parts);
  parallel_parts(allocation.tasks, threads, [&](std::size_t first, std::size_t last) {
    TaskScorer scorer(answers, settings, grid);
    std::vector<TaskScore> scores(strategies.size());
    for (std::size_t task = first; task < last; ++task) {
      scorer.score(task, scores);
      choose(scores, budgets, std::span(allocation.choices).subspan(task * budgets.size(), budgets.size()));
      std::vector<TaskSums>& part = sums[task / kPartMultiple];
      part.resize(strategies.size());
      for (std::size_t s = 0; s < scores.size(); ++s) part[s].add(scores[s]);
    }
  });
  for (std::size_t s = 0; s < strategies.size(); ++s) {
    TaskSums all;
    for (const auto& part : sums) all.add(part[s]);
    allocation.strategies.push_back(score_of(strategies[s], all, allocation.tasks));
  }
  return allocation;
}

std::vector<double> log_spaced(double least, double most, int count) {
  std::vector<double> values;
  for (int i = 0; i < count; ++i) {
    const double share = count > 1 ? static_cast<double>(i) / (count - 1) : 0;
    values.push_back(least * std::pow(most / least, share));
  }
  if (count > 1) values.back() = most;
  return values;
}

}  // namespace bitlaw
