#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/base/limits.h"
#include "fitting/predict/isoflop.h"

namespace bitlaw {

/// A training run of a budget.
struct IsoflopRun {
  double compute = 0;    ///< C [FLOP]
  double params = 0;     ///< N
  double tokens = kNan;  ///< D; unknown: C / (6 N)
  double loss = 0;
};

/// How the best size of a budget is found from its runs.
enum class IsoflopCurve {
  Akima,     ///< isoflop_optimum()
  Parabola,  ///< parabola_optimum()
};

struct IsoflopOptions {
  IsoflopCurve curve = IsoflopCurve::Akima;
  double same = 0.02;      ///< budgets that differ by no more than this share are one
  double seed_noise = 0;   ///< standard deviation of log loss between seeds; 0: the optima are taken as exact
  int draws = 1000;        ///< of that noise
  double level = 0.95;     ///< of intervals
  std::uint64_t seed = 0;  ///< of the draws
};

/// The runs of one budget.
struct IsoflopBudget {
  double compute = 0;  ///< geometric mean
  std::size_t runs = 0, sizes = 0;
  IsoflopOptimum optimum{};
  double tokens = kNan;                          ///< D of the optimum, interpolated in (log N, log D)
  double params_low = kNan, params_high = kNan;  ///< of the optimum, over draws of seed noise
};

/// coefficient * C^exponent, a line through (log C, log optimum) by least squares. Intervals of the exponent:
/// Student's, as the optima lie about the line; over draws of seed noise.
struct ComputeLaw {
  double coefficient = kNan, exponent = kNan;
  double ci_low = kNan, ci_high = kNan;      ///< needs three budgets
  double boot_low = kNan, boot_high = kNan;  ///< needs seed noise
};

struct IsoflopFrontier {
  std::vector<IsoflopBudget> budgets;  ///< those with at least three sizes, by compute
  ComputeLaw params, tokens;           ///< through the budgets whose optimum lies inside their sizes
  std::vector<std::string> warnings;   ///< budgets that say nothing, and why
};

/// The vertex of the parabola through loss over log N by least squares, runs of equal N all counted: Approach 2 of
/// Hoffmann et al. 2022, arXiv:2203.15556, §3.2. Biased even without noise unless losses rise alike on both sides
/// (arXiv:2603.22339). Not inside where it opens downwards or its vertex lies beyond the sizes: the end with the lower
/// loss then. At least three different N.
IsoflopOptimum parabola_optimum(std::span<const double> params, std::span<const double> loss);

/// N*(C) and D*(C) of runs in budgets of compute. The draws give every run's log loss its own noise and find all optima
/// again (Porian et al. 2024, arXiv:2406.19146, App. B). InputError where fewer than two budgets show an optimum.
IsoflopFrontier isoflop_frontier(std::span<const IsoflopRun> runs, const IsoflopOptions& options = {});

}  // namespace bitlaw
