#pragma once

#include <cstdint>
#include <span>

#include "simulators/optim/optimizer_config.h"

namespace bitlaw {

/// What one parameter's gradients have been like, as exponential means that start at 0.
struct SpikeStatistics {
  float norm = 0;         ///< of the gradient's norm
  float square_norm = 0;  ///< of its square
  float largest = 0;      ///< of the gradient's largest magnitude
};

/// The gradient of one parameter without spikes: AdaClip, then AdaGN of Stable-SPAM (Huang et al. 2025,
/// arXiv:2502.17055, Algorithm 1), in place. With a = max |g|, t = step + 1 and ^ for division by 1 - gamma^t:
///   largest <- gamma3 largest + (1 - gamma3) a;         g_i <- g_i largest^ / a  where |g_i| > largest^
///   norm <- gamma1 norm + (1 - gamma1) |g|;  square_norm <- gamma2 square_norm + (1 - gamma2) |g|^2
///   g <- g / |g| * norm^ / (sqrt(square_norm^) + 1e-8).
/// A gradient of zeros stays one. The norm that results does not depend on the gradient's scale: the clip of the global
/// norm, which comes before, changes only what it changes of the direction.
void calm_gradient(const StableSpamConfig& config, std::int64_t step, SpikeStatistics& statistics, std::span<float> g);

}  // namespace bitlaw
