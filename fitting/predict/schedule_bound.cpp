#include "fitting/predict/schedule_bound.h"

#include <cmath>

#include "core/base/check.h"

namespace bitlaw {

double ScheduleBound::best_rate() const { return std::sqrt(first / (second + third)); }

double ScheduleBound::at_best() const { return 2 * std::sqrt(first * (second + third)); }

ScheduleBound schedule_bound(std::span<const double> rates, double distance, double gradient) {
  while (!rates.empty() && rates.back() == 0) rates = rates.first(rates.size() - 1);
  BITLAW_CHECK(!rates.empty(), "no positive rate");
  ScheduleBound bound;
  double area = rates.back(), squares = rates.back() * rates.back() * gradient * gradient;  // of the steps from k on
  for (std::size_t k = rates.size() - 1; k-- > 0;) {
    const double behind = area;
    area += rates[k];
    squares += rates[k] * rates[k] * gradient * gradient;
    bound.third += rates[k] / behind * (squares / area) / 2;
  }
  bound.first = distance * distance / (2 * area);
  bound.second = squares / (2 * area);
  return bound;
}

}  // namespace bitlaw
