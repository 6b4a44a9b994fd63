#pragma once

#include <cstdint>
#include <span>

#include "simulators/optim/optimizer_config.h"

namespace bitlaw {

/// base^exponent by squaring: the same bits with every C library.
double power(double base, std::int64_t exponent);

/// Euclidean norm, in double precision and a stated order.
template <typename T>
double gradient_norm(std::span<const T> gradient);

/// The factor that brings a gradient of this norm to at most `clip`; 1 when clip is 0.
double clip_factor(double norm, double clip);

/// One update of AdamW; `step` counts from 0, all spans have one size. With g = factor * gradient:
///   m <- b1 m + (1 - b1) g,  v <- b2 v + (1 - b2) g^2,
///   p <- p - rate (m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + epsilon) + decay p),  t = step + 1.
template <typename T>
void adamw_update(const OptimizerConfig& config, double rate, double decay, double factor, std::int64_t step,
                  std::span<T> p, std::span<const T> gradient, std::span<T> m, std::span<T> v);

/// One update of gradient descent with momentum, as PyTorch 2's SGD with dampening 0:
///   m <- momentum m + g,  p <- p - rate d,  d = g + momentum m with Nesterov's momentum, else m.
void sgd_update(const OptimizerConfig& config, double rate, std::span<float> p, std::span<const float> g,
                std::span<float> m);

}  // namespace bitlaw
