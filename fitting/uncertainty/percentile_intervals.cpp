#include "fitting/uncertainty/percentile_intervals.h"

#include <cmath>

#include "fitting/uncertainty/bootstrap.h"

namespace bitlaw {
namespace {

std::vector<double> values_of(const DerivedValue& value, std::span<const double> draws, std::size_t p) {
  std::vector<double> values;
  for (std::size_t at = 0; at < draws.size(); at += p) values.push_back(value(draws.subspan(at, p)));
  return values;
}

std::vector<double> logarithms(std::vector<double> values) {
  for (double& value : values) value = std::log(value);
  return values;
}

}  // namespace

std::pair<double, double> PercentileIntervals::of(const DerivedValue& value, double estimate, bool log,
                                                  double freedom) const {
  std::vector<double> first = values_of(value, draws, p);
  if (first.empty() || !widened) return percentile_interval(std::move(first), level);
  if (second.empty()) return percentile_interval(std::move(first), expanded_level(level, runs, unknowns, freedom));
  const std::vector<double> again = values_of(value, second, p);
  const double own = log ? calibrated_level(level, std::log(estimate), logarithms(first), logarithms(again))
                         : calibrated_level(level, estimate, first, again);
  return percentile_interval(std::move(first), expanded_level(own, runs, 0, freedom));
}

}  // namespace bitlaw
