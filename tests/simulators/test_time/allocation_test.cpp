#include "simulators/test_time/allocation.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/base/error.h"
#include "simulators/test_time/frontier.h"
#include "simulators/test_time/task_family.h"

namespace bitlaw {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

std::vector<InferenceSetting> settings_of(const std::vector<std::string>& models) {
  std::vector<InferenceSetting> settings;
  for (const std::string& model : models) settings.push_back({.model = find_model_shape(model), .attention = {}});
  return settings;
}

Traces simulated(const std::vector<std::string>& models, int tasks, int answers, const TaskFamily& family = {}) {
  std::vector<SimulatedModel> simulated;
  for (const std::string& model : models) simulated.push_back({{.model = model}, find_model_shape(model).params});
  return simulate_traces(family, simulated, tasks, answers, 11);
}

/// The mean over all choices of k answers of the best score, answers above the limit scoring 0.
double accuracy_by_enumeration(const std::vector<Answer>& answers, double limit, int k) {
  double sum = 0, choices = 0;
  for (unsigned mask = 0; mask < 1U << answers.size(); ++mask) {
    if (std::popcount(mask) != k) continue;
    double best = 0;
    for (unsigned i = 0; i < answers.size(); ++i) {
      const bool counts = (mask >> i & 1U) != 0U && static_cast<double>(answers[i].tokens) <= limit;
      if (counts) best = std::max(best, static_cast<double>(answers[i].score));
    }
    sum += best;
    ++choices;
  }
  return sum / choices;
}

/// The paper's Eq. 4 with I = 562.5, averaged over the answers.
double cost_by_formula(const std::vector<Answer>& answers, const ModelShape& m, double limit, double n) {
  double sum = 0;
  for (const Answer& answer : answers) {
    const double l = std::min(static_cast<double>(answer.tokens), limit), in = static_cast<double>(answer.prompt);
    const double p = m.params, d = m.kv_elements(), r = m.group_ratio();
    sum += 2 * n * p * l + 2 * r * n * in * d * l + r * n * d * l * l + 2 * 562.5 * in * d * l + 562.5 * n * d * l * l;
  }
  return sum / static_cast<double>(answers.size());
}

TEST_CASE("allocation: every task's best is that of trying everything, at every budget") {
  const std::vector<std::string> models{"qwen3-0.6b", "qwen3-4b", "qwen3-32b"};
  Traces traces = simulated(models, 70, 6);
  for (Answerer& answerer : traces.answerers) {
    for (std::size_t i = 0; i < answerer.answers.size(); i += 5) answerer.answers[i].score /= 4;  // partly right
  }
  for (std::size_t i = 0; i < 70; i += 2) {  // as long as the limit, which counts
    traces.answerers[0].answers[i].tokens = 8192;
    traces.answerers[0].answers[i].score = 1;
  }
  const AllocationGrid grid{
      .token_limits = {4096, 8192, kNever}, .trials = {1, 2, 5, 9}, .hardware = find_hardware("b200")};
  const std::vector<double> budgets = log_spaced(1e14, 3e17, 23);
  const Allocation allocation = allocate(traces, settings_of(models), grid, budgets, 1);
  REQUIRE(allocation.strategies.size() == 36);
  std::vector<double> mean_accuracy(36, 0), mean_cost(36, 0);
  for (std::uint32_t task = 0; task < 70; ++task) {
    std::vector<double> accuracy, cost;
    for (const StrategyScore& score : allocation.strategies) {
      const Strategy& s = score.strategy;
      std::vector<Answer> answers;
      for (const Answer& a : traces.answerers[s.answerer].answers) {
        if (a.task == task) answers.push_back(a);
      }
      accuracy.push_back(s.trials > 6 ? -1 : accuracy_by_enumeration(answers, s.token_limit, s.trials));
      cost.push_back(cost_by_formula(answers, find_model_shape(models[s.answerer]), s.token_limit, s.trials));
    }
    for (std::size_t s = 0; s < 36; ++s) {
      mean_accuracy[s] += accuracy[s] / 70;
      mean_cost[s] += cost[s] / 70;
    }
    for (std::size_t b = 0; b < budgets.size(); ++b) {
      double best = -1;
      for (std::size_t s = 0; s < 36; ++s) {
        if (cost[s] <= budgets[b]) best = std::max(best, accuracy[s]);
      }
      const TaskChoice& choice = allocation.choice(task, b);
      CHECK((choice.strategy < 0) == (best < 0));
      if (best < 0) continue;
      const auto chosen = static_cast<std::size_t>(choice.strategy);
      CHECK(std::abs(static_cast<double>(choice.accuracy) - best) < 1e-6);
      CHECK(std::abs(accuracy[chosen] - best) < 1e-12);
      CHECK(cost[chosen] <= budgets[b] * (1 + 1e-12));
      for (std::size_t s = 0; s < 36; ++s) {  // none as good is cheaper
        if (accuracy[s] > best - 1e-13) CHECK(cost[s] >= cost[chosen] * (1 - 1e-12));
      }
    }
  }
  for (std::size_t s = 0; s < 36; ++s) {
    const StrategyScore& score = allocation.strategies[s];
    CHECK(score.complete == (score.strategy.trials <= 6));
    if (!score.complete) continue;
    CHECK(std::abs(score.accuracy - mean_accuracy[s]) < 0x1p-40);
    CHECK(score.cost == doctest::Approx(mean_cost[s]).epsilon(1e-12));
  }
}

TEST_CASE("allocation: the same bits with any number of threads") {
  const std::vector<std::string> models{"qwen3-0.6b", "qwen3-8b"};
  const Traces traces = simulated(models, 333, 4);
  const AllocationGrid grid{.token_limits = {4096, kNever}, .trials = {1, 4}, .hardware = find_hardware("b200")};
  const auto run = [&](int threads) {
    return allocate(traces, settings_of(models), grid, log_spaced(1e14, 1e17, 10), threads);
  };
  const Allocation one = run(1), many = run(5);
  for (std::size_t s = 0; s < one.strategies.size(); ++s) {
    CHECK(one.strategies[s].accuracy == many.strategies[s].accuracy);
    CHECK(one.strategies[s].cost == many.strategies[s].cost);
    CHECK(one.strategies[s].accuracy_error == many.strategies[s].accuracy_error);
  }
  for (std::size_t i = 0; i < one.choices.size(); ++i) CHECK(one.choices[i].strategy == many.choices[i].strategy);
}

TEST_CASE("allocation: answers to other tasks, or without a length, are refused") {
  Traces traces = simulated({"qwen3-0.6b"}, 2, 2);
  traces.answerers[0].first_place = "runs.jsonl:1";
  const AllocationGrid grid{.hardware = find_hardware("b200")};
  const auto settings = settings_of({"qwen3-0.6b"});
  traces.tasks.emplace_back("What is left?");
  CHECK_THROWS_WITH(
      allocate(traces, settings, grid, {1e15}, 1),
      "runs.jsonl:1: qwen3-0.6b with dense attention has no answer to the task 'What is left?', so models "
      "would be compared on different tasks; add its answers or leave the model or the task out");
  traces.tasks.pop_back();
  traces.answerers[0].answers[3].tokens = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH(allocate(traces, settings, grid, {1e15}, 1), doctest::Contains("has no 'tokens'"));
  AllocationGrid with_length = grid;
  with_length.tokens = 1000;
  CHECK_NOTHROW(allocate(traces, settings, with_length, {1e15}, 1));
}

/// A strategy of an answerer with given results.
StrategyScore made(std::size_t answerer, double accuracy, double cost, double tokens, double compute = 0) {
  return {.strategy = {.answerer = answerer},
          .complete = true,
          .accuracy = accuracy,
          .cost = cost,
          .compute = compute,
          .generated_tokens = tokens};
}

TEST_CASE("frontier: the best for all tasks rises with the budget, and per task nothing is worse than for all") {
  const std::vector<std::string> models{"qwen3-0.6b", "qwen3-8b", "qwen3-32b"};
  const Traces traces = simulated(models, 200, 8);
  const AllocationGrid grid{
      .token_limits = {4096, 8192, 16384, kNever}, .trials = {1, 2, 4, 8}, .hardware = find_hardware("b200")};
  const Allocation allocation = allocate(traces, settings_of(models), grid, log_spaced(1e13, 1e18, 40), 1);
  const auto points = frontier(allocation);
  CHECK(points.front().strategy == -1);
  double last = 0, last_per_task = 0;
  for (const FrontierPoint& point : points) {
    double best = 0;
    for (const StrategyScore& s : allocation.strategies) {
      if (s.complete && s.cost <= point.budget) best = std::max(best, s.accuracy);
    }
    const double chosen =
        point.strategy < 0 ? 0 : allocation.strategies[static_cast<std::size_t>(point.strategy)].accuracy;
    CHECK(chosen == best);
    CHECK(chosen >= last);
    CHECK(point.per_task >= last_per_task);
    last = chosen;
    last_per_task = point.per_task;
  }
  // With every budget each task has the most that any strategy gives it.
  double mean = 0;
  for (std::uint32_t task = 0; task < 200; ++task) {
    double most = 0;
    for (const Answerer& answerer : traces.answerers) {
      for (const Answer& answer : answerer.answers) {
        if (answer.task == task) most = std::max(most, static_cast<double>(answer.score));
      }
    }
    mean += most / 200;
  }
  CHECK(points.back().per_task == doctest::Approx(mean).epsilon(1e-12));
}

TEST_CASE("frontier: the emergent size is where tokens begin to grow by more than sizes do") {
  const std::vector<double> sizes{1, 4, 16};
  // 1 is left at twice the tokens, for a model four times as large; 4 at eight times the tokens.
  const std::vector<StrategyScore> grows{made(0, 0.1, 1, 100),  made(0, 0.2, 2, 200),  made(1, 0.3, 3, 100),
                                         made(1, 0.4, 9, 800),  made(2, 0.5, 20, 100), made(2, 0.6, 40, 150),
                                         made(0, 0.15, 30, 900)};  // dominated
  const EmergentSize found = emergent_size(grows, sizes);
  REQUIRE(found.spans.size() == 3);
  CHECK(found.spans[0].token_growth == 2);
  CHECK(found.spans[0].size_growth == 4);
  CHECK(found.spans[1].token_growth == 8);
  CHECK(found.spans[2].size_growth == 1);
  CHECK(found.spans[1].first_cost == 3);
  CHECK(found.spans[1].last_cost == 9);
  CHECK(found.params == 4);
  // A larger model in between does not end a smaller one's span.
  const EmergentSize mixed =
      emergent_size(std::vector{made(0, 0.1, 1, 100), made(1, 0.2, 2, 50), made(0, 0.3, 3, 500)}, sizes);
  REQUIRE(mixed.spans.size() == 1);
  CHECK(mixed.spans[0].token_growth == 5);
  CHECK(mixed.params == 1);
  // All growth in size: only the largest is left to think longer.
  CHECK(emergent_size(std::vector{made(0, 0.1, 1, 9), made(1, 0.2, 2, 9), made(2, 0.3, 3, 9)}, sizes).params == 16);
  CHECK(std::isnan(emergent_size({}, sizes).params));
}

TEST_CASE("frontier: choices by FLOPs cost as much as others say, and nothing more where bytes are free") {
  // By FLOPs the small model with many tokens is best; its cache costs three times the large model.
  const auto choices = compare_with_flops(std::vector{made(0, 0.5, 300, 9000, 10), made(1, 0.5, 100, 900, 20)});
  REQUIRE(choices.size() == 1);
  CHECK(choices[0].by_flops == 0);
  CHECK(choices[0].by_cost == 1);
  CHECK(choices[0].excess == 3);

  const std::vector<std::string> models{"qwen3-0.6b", "qwen3-8b", "qwen3-32b"};
  const Traces traces = simulated(models, 100, 8);
  AllocationGrid grid{.token_limits = {4096, kNever}, .trials = {1, 2, 4, 8}, .hardware = find_hardware("b200")};
  const auto most = [&] {
    const Allocation allocation = allocate(traces, settings_of(models), grid, {1e15}, 1);
    double excess = 0;
    for (const FlopsChoice& choice : compare_with_flops(allocation.strategies)) {
      CHECK(choice.excess >= 1);
      excess = std::max(excess, choice.excess);
    }
    return excess;
  };
  CHECK(most() > 1.2);  // the point of arXiv:2506.05333
  grid.hardware.bytes_per_second = kNever;
  CHECK(most() == 1);
}

TEST_CASE("frontier: budgets are spaced by one factor") {
  const auto budgets = log_spaced(45, 1e5, 100);
  REQUIRE(budgets.size() == 100);
  CHECK(budgets.front() == 45);
  CHECK(budgets.back() == 1e5);
  for (std::size_t i = 1; i < 100; ++i) {
    CHECK(budgets[i] / budgets[i - 1] == doctest::Approx(std::pow(1e5 / 45, 1.0 / 99)).epsilon(1e-12));
  }
}

}  // namespace
}  // namespace bitlaw
