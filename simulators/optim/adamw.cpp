#include "simulators/optim/adamw.h"

#include <cmath>

#include "core/base/check.h"
#include "core/base/team.h"
#include "core/tensor/vector_math.h"

namespace bitlaw {
namespace {

constexpr std::int64_t kLeastElements = 8192;  // of a thread's part

}  // namespace

double power(double base, std::int64_t exponent) {
  double result = 1.0;
  for (; exponent > 0; exponent /= 2, base *= base) {
    if (exponent % 2 == 1) result *= base;
  }
  return result;
}

template <typename T>
double gradient_norm(std::span<const T> gradient) {
  const T* g = gradient.data();
  return std::sqrt(striped_sum<double>(static_cast<std::int64_t>(gradient.size()), [g](std::int64_t i) {
    return static_cast<double>(g[i]) * static_cast<double>(g[i]);
  }));
}

double clip_factor(double norm, double clip) { return clip > 0 && norm > clip ? clip / norm : 1.0; }

template <typename T>
void adamw_update(const OptimizerConfig& config, double rate, double decay, double factor, std::int64_t step,
                  std::span<T> p, std::span<const T> gradient, std::span<T> m, std::span<T> v) {
  BITLAW_CHECK(p.size() == gradient.size() && p.size() == m.size() && p.size() == v.size(), "sizes {}, {}, {}, {}",
               p.size(), gradient.size(), m.size(), v.size());
  const T b1 = static_cast<T>(config.beta1), b2 = static_cast<T>(config.beta2);
  const T correct_m = static_cast<T>(1.0 / (1.0 - power(config.beta1, step + 1)));
  const T correct_v = static_cast<T>(1.0 / (1.0 - power(config.beta2, step + 1)));
  const T epsilon = static_cast<T>(config.epsilon), scale = static_cast<T>(factor);
  const T lr = static_cast<T>(rate), wd = static_cast<T>(decay);
  team_parts(static_cast<std::int64_t>(p.size()), kLeastElements, [=](std::int64_t first, std::int64_t last) {
    for (std::size_t i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i) {
      const T g = scale * gradient[i];
      m[i] = b1 * m[i] + (T(1) - b1) * g;
      v[i] = b2 * v[i] + (T(1) - b2) * g * g;
      p[i] -= lr * (m[i] * correct_m / (std::sqrt(v[i] * correct_v) + epsilon) + wd * p[i]);
    }
  });
}

template double gradient_norm(std::span<const float>);
template double gradient_norm(std::span<const double>);
template void adamw_update(const OptimizerConfig&, double, double, double, std::int64_t, std::span<float>,
                           std::span<const float>, std::span<float>, std::span<float>);
template void adamw_update(const OptimizerConfig&, double, double, double, std::int64_t, std::span<double>,
                           std::span<const double>, std::span<double>, std::span<double>);

void sgd_update(const OptimizerConfig& config, double rate, std::span<float> p, std::span<const float> g,
                std::span<float> m) {
  const auto momentum = static_cast<float>(config.momentum), lr = static_cast<float>(rate);
  for (std::size_t i = 0; i < p.size(); ++i) {
    m[i] = momentum * m[i] + g[i];
    p[i] -= lr * (config.nesterov ? g[i] + momentum * m[i] : m[i]);
  }
}

}  // namespace bitlaw
