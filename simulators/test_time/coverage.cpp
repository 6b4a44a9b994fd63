#include "simulators/test_time/coverage.h"

#include <algorithm>
#include <cmath>

#include "core/base/check.h"

namespace bitlaw {

double pass_at_k(std::int64_t n, std::int64_t c, std::int64_t k) {
  BITLAW_CHECK(c >= 0 && c <= n && k >= 1 && k <= n, "pass@{} of {} with {} right", k, n, c);
  if (n - c < k) return 1;  // every draw of k has a right one
  // C(n - c, k) / C(n, k) is symmetric in c and k: the product over the smaller of 1 - larger / i.
  const std::int64_t few = std::min(c, k), many = std::max(c, k);
  double log_none = 0;
  for (std::int64_t i = n - few + 1; i <= n; ++i) {
    log_none += std::log1p(-static_cast<double>(many) / static_cast<double>(i));
  }
  return -std::expm1(log_none);
}

double best_of_k(std::span<const float> falling_scores, std::int64_t k) {
  const auto n = static_cast<std::int64_t>(falling_scores.size());
  double best = 0;
  for (std::int64_t i = 0; i < n;) {
    const float level = falling_scores[static_cast<std::size_t>(i)];
    while (i < n && falling_scores[static_cast<std::size_t>(i)] == level) ++i;
    const double below = i < n ? falling_scores[static_cast<std::size_t>(i)] : 0.0;
    best += (static_cast<double>(level) - below) * pass_at_k(n, i, k);  // i answers reach this level
  }
  return best;
}

}  // namespace bitlaw
