#include "simulators/test_time/frontier.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/limits.h"

namespace bitlaw {
namespace {

const StrategyScore& strategy_at(std::span<const StrategyScore> strategies, int index) {
  return strategies[static_cast<std::size_t>(index)];
}

/// Mean and standard error of what each task can have at a budget.
void set_per_task(const Allocation& allocation, std::size_t budget, FrontierPoint& point) {
  const auto n = static_cast<double>(allocation.tasks);
  double sum = 0, squares = 0;
  for (std::size_t task = 0; task < allocation.tasks; ++task) {
    const auto accuracy = static_cast<double>(allocation.choice(task, budget).accuracy);
    sum += accuracy;
    squares += accuracy * accuracy;
  }
  point.per_task = sum / n;
  const double variance = std::max(0.0, squares / n - point.per_task * point.per_task);
  point.per_task_error = n > 1 ? std::sqrt(variance / (n - 1)) : kNan;
}

}  // namespace

std::vector<int> undominated(std::span<const StrategyScore> strategies, double StrategyScore::*cost) {
  std::vector<int> order;
  for (std::size_t s = 0; s < strategies.size(); ++s) {
    if (strategies[s].complete) order.push_back(static_cast<int>(s));
  }
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    const StrategyScore &x = strategy_at(strategies, a), &y = strategy_at(strategies, b);
    return x.*cost < y.*cost || (x.*cost == y.*cost && x.accuracy > y.accuracy);
  });
  std::vector<int> best;
  double accuracy = 0;  // what answers nothing right is no strategy
  for (const int s : order) {
    if (strategy_at(strategies, s).accuracy <= accuracy) continue;
    best.push_back(s);
    accuracy = strategy_at(strategies, s).accuracy;
  }
  return best;
}

std::vector<FrontierPoint> frontier(const Allocation& allocation) {
  const std::vector<int> best = undominated(allocation.strategies, &StrategyScore::cost);
  std::vector<FrontierPoint> points;
  std::size_t next = 0;
  for (std::size_t b = 0; b < allocation.budgets.size(); ++b) {
    FrontierPoint point{.budget = allocation.budgets[b]};
    while (next < best.size() && strategy_at(allocation.strategies, best[next]).cost <= point.budget) ++next;
    if (next > 0) point.strategy = best[next - 1];
    set_per_task(allocation, b, point);
    points.push_back(point);
  }
  return points;
}

EmergentSize emergent_size(std::span<const StrategyScore> strategies, std::span<const double> params) {
  const std::vector<int> path = undominated(strategies, &StrategyScore::cost);
  const auto size_of = [&](int s) { return params[strategy_at(strategies, s).strategy.answerer]; };
  // The smallest size still to be used from each step on: rising along the path.
  std::vector<double> smallest(path.size());
  double least = kInfinity;
  for (std::size_t i = path.size(); i-- > 0;) smallest[i] = least = std::min(least, size_of(path[i]));
  EmergentSize result;
  double first_tokens = 0;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const double size = size_of(path[i]);
    if (size != smallest[i]) continue;  // a larger model for a while
    const StrategyScore& score = strategy_at(strategies, path[i]);
    if (result.spans.empty() || result.spans.back().params != size) {
      if (!result.spans.empty()) result.spans.back().size_growth = size / result.spans.back().params;
      result.spans.push_back({.params = size, .first_cost = score.cost});
      first_tokens = score.generated_tokens;
    }
    result.spans.back().last_cost = score.cost;
    result.spans.back().token_growth = score.generated_tokens / first_tokens;
  }
  result.params = kNan;
  for (auto span = result.spans.rbegin(); span != result.spans.rend(); ++span) {
    if (span->token_growth < span->size_growth) break;
    result.params = span->params;
  }
  return result;
}

std::vector<FlopsChoice> compare_with_flops(std::span<const StrategyScore> strategies) {
  const std::vector<int> by_cost = undominated(strategies, &StrategyScore::cost);
  std::vector<FlopsChoice> choices;
  for (const int s : undominated(strategies, &StrategyScore::compute)) {
    const auto cheapest = std::find_if(by_cost.begin(), by_cost.end(), [&](int c) {
      return strategy_at(strategies, c).accuracy >= strategy_at(strategies, s).accuracy;
    });
    choices.push_back({s, *cheapest, strategy_at(strategies, s).cost / strategy_at(strategies, *cheapest).cost});
  }
  return choices;
}

}  // namespace bitlaw
