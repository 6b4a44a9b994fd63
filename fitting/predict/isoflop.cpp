#include "fitting/predict/isoflop.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/check.h"

namespace bitlaw {
namespace {

/// Akima's slopes at the points, [n], from the n - 1 chords.
std::vector<double> akima_slopes(const std::vector<double>& x, const std::vector<double>& y) {
  const std::size_t n = x.size();
  std::vector<double> chord(n + 3);  // two more on either side
  for (std::size_t i = 0; i + 1 < n; ++i) chord[i + 2] = (y[i + 1] - y[i]) / (x[i + 1] - x[i]);
  chord[1] = 2 * chord[2] - chord[3];
  chord[0] = 2 * chord[1] - chord[2];
  chord[n + 1] = 2 * chord[n] - chord[n - 1];
  chord[n + 2] = 2 * chord[n + 1] - chord[n];
  std::vector<double> slopes;
  for (std::size_t i = 0; i < n; ++i) {
    const double before = std::abs(chord[i + 1] - chord[i]), after = std::abs(chord[i + 3] - chord[i + 2]);
    const double both = before + after;
    slopes.push_back(both > 0 ? (after * chord[i + 1] + before * chord[i + 2]) / both
                              : (chord[i + 1] + chord[i + 2]) / 2);
  }
  return slopes;
}

}  // namespace

AkimaCurve::AkimaCurve(std::vector<double> x, std::vector<double> y) : x_(std::move(x)), y_(std::move(y)) {
  BITLAW_CHECK(x_.size() == y_.size() && x_.size() >= 3, "{} x, {} y", x_.size(), y_.size());
  BITLAW_CHECK(std::adjacent_find(x_.begin(), x_.end(), std::greater_equal<>()) == x_.end(), "x does not ascend");
  slope_ = akima_slopes(x_, y_);
}

std::array<double, 4> AkimaCurve::cubic(std::size_t i) const {
  const double width = x_[i + 1] - x_[i], chord = (y_[i + 1] - y_[i]) / width;
  return {y_[i], slope_[i], (3 * chord - 2 * slope_[i] - slope_[i + 1]) / width,
          (slope_[i] + slope_[i + 1] - 2 * chord) / (width * width)};
}

double AkimaCurve::operator()(double x) const {
  const auto above = static_cast<std::size_t>(std::upper_bound(x_.begin(), x_.end(), x) - x_.begin());
  const std::size_t i = std::clamp<std::size_t>(above, 1, x_.size() - 1) - 1;
  const auto [c0, c1, c2, c3] = cubic(i);
  const double h = x - x_[i];
  return c0 + h * (c1 + h * (c2 + h * c3));
}

double AkimaCurve::argmin() const {
  std::vector<double> candidates = x_;
  for (std::size_t i = 0; i + 1 < x_.size(); ++i) {
    const auto [c0, c1, c2, c3] = cubic(i);
    // c1 + 2 c2 h + 3 c3 h^2 = 0, both roots without cancellation.
    const double q = -(c2 + std::copysign(std::sqrt(std::fmax(0, c2 * c2 - 3 * c1 * c3)), c2));
    for (const double h : {q / (3 * c3), c1 / q}) {
      if (h > 0 && h < x_[i + 1] - x_[i]) candidates.push_back(x_[i] + h);  // not for infinity and NaN
    }
  }
  return *std::min_element(candidates.begin(), candidates.end(),
                           [&](double a, double b) { return (*this)(a) < (*this)(b); });
}

IsoflopOptimum isoflop_optimum(std::span<const double> params, std::span<const double> loss) {
  BITLAW_CHECK(params.size() == loss.size(), "{} sizes, {} losses", params.size(), loss.size());
  std::map<double, double> best;  // log loss by log N
  for (std::size_t i = 0; i < params.size(); ++i) {
    const auto [known, added] = best.try_emplace(std::log(params[i]), std::log(loss[i]));
    if (!added) known->second = std::min(known->second, std::log(loss[i]));
  }
  std::vector<double> x, y;
  for (const auto& [log_params, log_loss] : best) {
    x.push_back(log_params);
    y.push_back(log_loss);
  }
  const double first = x.front(), last = x.back();
  const AkimaCurve curve(std::move(x), std::move(y));
  const double at = curve.argmin();
  return {.params = std::exp(at), .loss = std::exp(curve(at)), .inside = at > first && at < last};
}

}  // namespace bitlaw
