#pragma once

#include <span>
#include <vector>

#include "simulators/test_time/allocation.h"

namespace bitlaw {

/// What a budget buys: on average over tasks, or on each of them. The first may be more accurate: hard tasks then take
/// what easy ones leave.
struct FrontierPoint {
  double budget = 0;          ///< for a task [FLOP]
  int strategy = -1;          ///< the one for all tasks that is most accurate on average; -1: none is affordable
  double per_task = 0;        ///< mean accuracy where each task has the strategy that is best for it; 0 where none is
  double per_task_error = 0;  ///< its standard error, from the spread over tasks
};

/// A point for each budget of the allocation. Only complete strategies are chosen for all tasks.
std::vector<FrontierPoint> frontier(const Allocation& allocation);

/// The strategies that no cheaper one equals, cheapest first. `cost` is StrategyScore::cost or StrategyScore::compute.
std::vector<int> undominated(std::span<const StrategyScore> strategies, double StrategyScore::*cost);

/// A size of model on the way along undominated strategies, until the last use of it or of any smaller one.
struct SizeSpan {
  double params = 0;
  double first_cost = 0, last_cost = 0;  ///< of its own strategies within the span [FLOP]
  double token_growth = 1;               ///< by what factor its generated tokens grow meanwhile
  double size_growth = 1;                ///< the next size over this one; 1 for the last
};

/// Where more is spent on tokens than on parameters.
struct EmergentSize {
  std::vector<SizeSpan> spans;  ///< sizes in rising order
  /// The least size from which on every size's tokens grow by at least the factor that leads to the next size, before
  /// it is left: below, a larger budget is for a larger model; above, for more or longer answers (the threshold of
  /// arXiv:2506.05333, which it reads off figures; the rule is ours).
  double params = 0;
};

/// `params` [answerers].
EmergentSize emergent_size(std::span<const StrategyScore> strategies, std::span<const double> params);

/// What it costs to choose by products alone.
struct FlopsChoice {
  int by_flops = -1;  ///< undominated in FLOPs
  int by_cost = -1;   ///< the cheapest that is as accurate
  double excess = 1;  ///< cost of the first over cost of the second, at least 1
};

std::vector<FlopsChoice> compare_with_flops(std::span<const StrategyScore> strategies);

}  // namespace bitlaw
