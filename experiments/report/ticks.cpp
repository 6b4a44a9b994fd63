#include "experiments/report/ticks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "experiments/report/numbers.h"

namespace bitlaw {
namespace {

/// The round number nearest above `step`: 1, 2 or 5 times a power of ten.
double round_step(double step) {
  const double power = std::pow(10.0, std::floor(std::log10(step)));
  for (const double mantissa : {1.0, 2.0, 5.0}) {
    if (mantissa * power >= step * (1 - 1e-9)) return mantissa * power;
  }
  return 10 * power;
}

/// As many decimals as the step has; counts from 1000 on get their prefix.
std::string tick_label(double value, double step) {
  if (std::abs(value) >= 1000) return format_count(value);
  const int decimals = std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9)));
  return fmt::format("{:.{}f}", value, decimals);
}

std::vector<Tick> mantissa_ticks(double low, double high, std::span<const double> mantissas) {
  std::vector<Tick> ticks;
  for (int e = static_cast<int>(std::floor(std::log10(low))); std::pow(10.0, e) <= high; ++e) {
    for (const double mantissa : mantissas) {
      const double value = mantissa * std::pow(10.0, e);
      if (value >= low && value <= high) ticks.push_back({value, format_count(value)});
    }
  }
  return ticks;
}

}  // namespace

std::vector<Tick> linear_ticks(double low, double high, int count) {
  const double step = round_step((high - low) / count);
  std::vector<Tick> ticks;
  // Multiples of the step, not a running sum: no error adds up. "+ 0.0" makes -0 a plain zero.
  for (double i = std::ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; ++i) {
    ticks.push_back({i * step + 0.0, tick_label(i * step + 0.0, step)});
  }
  return ticks.size() < 3 ? linear_ticks(low, high, count + 1) : ticks;
}

std::vector<Tick> log_ticks(double low, double high, int count) {
  static const std::vector<std::vector<double>> kMantissas{{1}, {1, 3}, {1, 2, 5}, {1, 1.5, 2, 3, 5, 7}};
  const auto wanted = static_cast<std::size_t>(count);
  for (const auto& mantissas : kMantissas) {
    const auto ticks = mantissa_ticks(low, high, mantissas);
    if (ticks.size() >= std::min<std::size_t>(4, wanted) && ticks.size() <= wanted + 2) return ticks;
  }
  const auto decades = mantissa_ticks(low, high, kMantissas.front());
  if (decades.size() <= wanted) return linear_ticks(low, high, count);
  std::vector<Tick> some;  // so many decades that only every few of them fit
  const std::size_t every = (decades.size() + wanted - 1) / wanted;
  for (std::size_t i = 0; i < decades.size(); i += every) some.push_back(decades[i]);
  return some;
}

}  // namespace bitlaw
