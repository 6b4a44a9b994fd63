#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace bitlaw {

/// AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101) with clipping of the global gradient norm.
struct OptimizerConfig {
  double learning_rate = 3e-3;  ///< peak
  double beta1 = 0.9;
  double beta2 = 0.95;
  double epsilon = 1e-8;
  double weight_decay = 0.1;  ///< on matrices only
  double clip = 1.0;          ///< global gradient norm; 0: no clipping
};

/// First and second moments of all parameters, in their order.
template <typename T>
struct AdamWState {
  std::vector<T> m, v;
  explicit AdamWState(std::size_t parameters) : m(parameters), v(parameters) {}
};

/// Euclidean norm, in double precision and a stated order.
template <typename T>
double gradient_norm(std::span<const T> gradient);

/// The factor that brings a gradient of this norm to at most `clip`; 1 when clip is 0.
double clip_factor(double norm, double clip);

/// One update of the parameters [first, first + p.size()) of `state`; `step` counts from 0. With g = factor * gradient:
///   m <- b1 m + (1 - b1) g,  v <- b2 v + (1 - b2) g^2,
///   p <- p - rate (m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + epsilon) + decay p),  t = step + 1.
template <typename T>
void adamw_update(const OptimizerConfig& config, double rate, double decay, double factor, std::int64_t step,
                  std::span<T> p, std::span<const T> gradient, AdamWState<T>& state, std::size_t first);

}  // namespace bitlaw
