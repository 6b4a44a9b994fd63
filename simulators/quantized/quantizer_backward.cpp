#include "simulators/quantized/quantizer_backward.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/base/check.h"
#include "core/block/block_scales.h"

namespace bitlaw {
namespace {

double largest_magnitude(std::span<const double> x) {
  double a = 0;
  for (const double v : x) a = std::max(a, std::abs(v));
  return a;
}

/// g_j += total da/dx_j.
void add_scale_gradient(const GradientSpec& gradient, std::span<const double> x, double total, std::span<double> g) {
  const double a = largest_magnitude(x);
  if (a == 0) return;
  if (gradient.scale == ScaleGradient::Absmax) {
    const auto largest = std::find_if(x.begin(), x.end(), [a](double v) { return std::abs(v) == a; });
    g[static_cast<std::size_t>(largest - x.begin())] += *largest > 0 ? total : -total;
    return;
  }
  double sum = 0;
  for (const double v : x) sum += std::exp(gradient.sharpness * (std::abs(v) / a - 1));
  for (std::size_t j = 0; j < x.size(); ++j) {
    const double weight = std::exp(gradient.sharpness * (std::abs(x[j]) / a - 1)) / sum;
    g[j] += total * weight * (x[j] > 0 ? 1 : x[j] < 0 ? -1 : 0);
  }
}

}  // namespace

double block_backward(const Surrogate& surrogate, const GradientSpec& gradient, double scale, double slope,
                      std::span<const double> x, std::span<const double> q, std::span<double> g) {
  BITLAW_CHECK(x.size() == q.size() && x.size() == g.size(), "blocks of {}, {} and {}", x.size(), q.size(), g.size());
  double scale_gradient = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double u = x[i] / scale, derivative = surrogate.derivative(u);
    scale_gradient += g[i] * (q[i] - u * derivative);
    g[i] *= derivative;
  }
  if (gradient.scale != ScaleGradient::None) add_scale_gradient(gradient, x, slope * scale_gradient, g);
  return scale_gradient;
}

std::vector<double> quantizer_backward(const BlockSpec& spec, const GradientSpec& gradient, KAxis k_axis,
                                       ConstMatrixView<float> x, ConstMatrixView<float> quantized, MatrixView<float> d,
                                       const GivenScales& given) {
  const Surrogate surrogate(gradient, element_grid(spec));
  const BlockScales scales = block_scales(spec, k_axis, x, given.held_amax, given.parameters);
  const bool is_held = given.held_amax && spec.shape == BlockShape::Tensor;
  const bool follows_amax = spec.statistic != BlockStatistic::Step && !is_held;
  std::vector<double> parameter_gradients(std::max<std::size_t>(1, given.parameters.size()));
  std::vector<double> values, q, g;
  for (std::int64_t block = 0; block < scales.grid.count(); ++block) {
    const double scale = scales.blocks[static_cast<std::size_t>(block)].decode;
    if (!(scale > 0)) continue;
    const BlockRegion region = scales.grid.region(block);
    values.clear();
    q.clear();
    g.clear();
    for (std::int64_t i = region.row; i < region.row + region.rows; ++i) {
      for (std::int64_t j = region.col; j < region.col + region.cols; ++j) {
        values.push_back(x(i, j));
        q.push_back(quantized(i, j) / scale);
        g.push_back(d(i, j));
      }
    }
    const double a = largest_magnitude(values);
    const double slope = a > 0 && follows_amax ? scale / a : 0;
    parameter_gradients[static_cast<std::size_t>(block) % parameter_gradients.size()] +=
        scale * block_backward(surrogate, gradient, scale, slope, values, q, g);
    auto next = g.begin();
    for (std::int64_t i = region.row; i < region.row + region.rows; ++i) {
      for (std::int64_t j = region.col; j < region.col + region.cols; ++j) d(i, j) = static_cast<float>(*next++);
    }
  }
  return parameter_gradients;
}

}  // namespace bitlaw
