#pragma once

#include <cstdint>
#include <span>

namespace bitlaw {

/// `pass@k`, the chance that the best of k answers succeeds, from n answers of which c did: 1 - C(n - c, k) / C(n, k),
/// which is unbiased (Chen et al. 2021, arXiv:2107.03374, Eq. 1). 0 <= c <= n, 1 <= k <= n.
///
/// As -expm1 of a sum of min(c, k) logarithms: relative error below 1e-15 min(c, k) for small chances too, and no
/// binomial that could overflow.
double pass_at_k(std::int64_t n, std::int64_t c, std::int64_t k);

/// The expected best score of k of n answers drawn without replacement, unbiased: pass_at_k for scores 0 and 1, summed
/// over the levels between for others. `scores` [n] in falling order, 1 <= k <= n.
double best_of_k(std::span<const float> falling_scores, std::int64_t k);

}  // namespace bitlaw
