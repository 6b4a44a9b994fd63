#include "simulators/quantized/surrogate.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/check.h"
#include "core/format/codes.h"

namespace bitlaw {
namespace {

constexpr double kLargestPowerDerivative = 3;  // arXiv:2501.17116, section 3.1

/// A block's largest element over a float32 scale may come out some units of float32 beyond the grid; it is its end.
constexpr double kEdge = 1 + 0x1p-20;

double published_parameter(Estimator estimator) {
  switch (estimator) {
    case Estimator::Power:
      return 5;
    case Estimator::Sigmoid:
      return 0.5;
    case Estimator::Spline:
      return 40;
    default:
      return 0;
  }
}

double logistic(double t) { return 1 / (1 + std::exp(-t)); }

}  // namespace

Surrogate::Surrogate(const GradientSpec& gradient, std::vector<double> grid)
    : estimator_(gradient.estimator),
      parameter_(gradient.parameter > 0 ? gradient.parameter : published_parameter(gradient.estimator)),
      grid_(std::move(grid)) {
  BITLAW_CHECK(grid_.size() >= 2, "a grid of {} values", grid_.size());
  for (std::size_t i = 1; i < grid_.size(); ++i) widest_ = std::max(widest_, grid_[i] - grid_[i - 1]);
}

Surrogate::Bin Surrogate::bin(double u) const {
  const auto above = std::upper_bound(grid_.begin() + 1, grid_.end() - 1, u);
  return {*(above - 1), *above};
}

double Surrogate::nearest(double u) const {
  if (u <= grid_.front()) return grid_.front();
  if (u >= grid_.back()) return grid_.back();
  const Bin b = bin(u);
  if (u == b.centre()) return std::abs(b.low) < std::abs(b.high) ? b.low : b.high;
  return u < b.centre() ? b.low : b.high;
}

double Surrogate::knot(std::int64_t index) const {
  return grid_.front() + (grid_.back() - grid_.front()) * static_cast<double>(index) / (parameter_ - 1);
}

double Surrogate::value(double u) const {
  if (estimator_ == Estimator::StraightThrough || estimator_ == Estimator::TrustMask) return u;
  u = std::clamp(u, grid_.front(), grid_.back());
  if (estimator_ == Estimator::Clipped) return u;
  if (estimator_ == Estimator::Spline) {
    const double position = (u - grid_.front()) / (grid_.back() - grid_.front()) * (parameter_ - 1);
    const auto left = std::min(static_cast<std::int64_t>(position), static_cast<std::int64_t>(parameter_) - 2);
    const double t = position - static_cast<double>(left);
    return (1 - t) * nearest(knot(left)) + t * nearest(knot(left + 1));
  }
  const Bin b = bin(u);
  if (estimator_ == Estimator::Sigmoid) {
    return b.low + b.width() * logistic(12 * (u - b.centre()) / (b.width() * parameter_));
  }
  const double t = 2 * (u - b.centre()) / b.width();
  return b.centre() + 0.5 * b.width() * std::copysign(std::pow(std::abs(t), 1 / parameter_), t);
}

double Surrogate::derivative(double u) const {
  if (estimator_ == Estimator::StraightThrough) return 1;
  if (estimator_ == Estimator::TrustMask) return std::abs(u - nearest(u)) <= 0.5 * widest_ ? 1 : 0;
  if (!(u >= grid_.front() * kEdge && u <= grid_.back() * kEdge)) return 0;
  u = std::clamp(u, grid_.front(), grid_.back());
  if (estimator_ == Estimator::Clipped) return 1;
  if (estimator_ == Estimator::Spline) {
    const double step = (grid_.back() - grid_.front()) / (parameter_ - 1);
    const auto left =
        std::min(static_cast<std::int64_t>((u - grid_.front()) / step), static_cast<std::int64_t>(parameter_) - 2);
    return (nearest(knot(left + 1)) - nearest(knot(left))) / step;
  }
  const Bin b = bin(u);
  if (estimator_ == Estimator::Sigmoid) {
    const double s = logistic(12 * (u - b.centre()) / (b.width() * parameter_));
    return 12 / parameter_ * s * (1 - s);
  }
  const double t = std::abs(2 * (u - b.centre()) / b.width());
  return std::min(kLargestPowerDerivative, std::pow(t, 1 / parameter_ - 1) / parameter_);
}

std::vector<double> element_grid(const BlockSpec& spec) {
  std::vector<double> grid;
  if (spec.codebook) {
    grid.assign(spec.codebook->values().begin(), spec.codebook->values().end());
  } else {
    BITLAW_CHECK(spec.element.total_bits() <= 16, "a grid of {}-bit values", spec.element.total_bits());
    for (std::uint64_t code = 0; code < (std::uint64_t{1} << spec.element.total_bits()); ++code) {
      const double value = decode(spec.element, code);
      if (std::isfinite(value) && is_value_code(spec.element, code)) grid.push_back(value);
    }
  }
  std::sort(grid.begin(), grid.end());
  grid.erase(std::unique(grid.begin(), grid.end()), grid.end());
  return grid;
}

}  // namespace bitlaw
