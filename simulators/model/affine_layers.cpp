#include "simulators/model/affine_layers.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace bitlaw {

template <typename T>
AffineLayers<T>::AffineLayers(std::span<const LinearShape> shapes, Bias bias, LayerPlan plan, std::uint64_t seed)
    : plan_(std::move(plan)), seed_(seed) {
  for (const LinearShape& shape : shapes) {
    const bool last = weights_.size() + 1 == shapes.size();
    const double deviation = last ? 0 : std::sqrt(2.0 / static_cast<double>(shape.in));
    weights_.push_back(parameters_.add(shape.name, shape.out, shape.in, deviation, 0));
    if (bias == Bias::Learned) biases_.push_back(parameters_.add(shape.name + ".bias", 1, shape.out, 0, 0));
  }
  learned_ = LearnedScales<T>(plan_, shapes, parameters_);
  parameters_.delayed() = DelayedScales(shapes);
  parameters_.initialise(seed);
}

template <typename T>
RandomStream AffineLayers<T>::stream(std::size_t layer, std::uint32_t step) const {
  return {.seed = seed_, .step = step, .layer = static_cast<std::uint16_t>(layer)};
}

template <typename T>
void AffineLayers<T>::bind(std::size_t layer) {
  scratch_.mean = parameters_.mean(weights_[layer]);
  scratch_.amax = &parameters_.delayed().of(layer);
  learned_.bind(layer, parameters_, scratch_);
}

template <typename T>
void AffineLayers<T>::forward(std::size_t layer, std::uint32_t step, ConstMatrixView<T> x, MatrixView<T> y) {
  bind(layer);
  quantized_linear_forward<T>(plan_.slots(layer, step), stream(layer, step), x, parameters_.weight(weights_[layer]), y,
                              scratch_);
  if (biases_.empty()) return;
  const T* b = parameters_.weight(biases_[layer]).data;
  for (std::int64_t r = 0; r < y.rows; ++r) {
    for (std::int64_t i = 0; i < y.cols; ++i) y(r, i) += b[i];
  }
}

template <typename T>
void AffineLayers<T>::backward(std::size_t layer, std::uint32_t step, ConstMatrixView<T> x, ConstMatrixView<T> dy,
                               MatrixView<T> dx) {
  bind(layer);
  quantized_linear_backward<T>(plan_.slots(layer, step), stream(layer, step), x, parameters_.weight(weights_[layer]),
                               dy, dx, parameters_.gradient(weights_[layer]), scratch_);
  if (biases_.empty()) return;
  T* db = parameters_.gradient(biases_[layer]).data;
  for (std::int64_t r = 0; r < dy.rows; ++r) {
    for (std::int64_t i = 0; i < dy.cols; ++i) db[i] += dy(r, i);
  }
}

template <typename T>
void AffineLayers<T>::zero_gradients() {
  std::ranges::fill(parameters_.gradients(), T(0));
}

LayerCounts count_layers(std::span<const LinearShape> shapes, Bias bias) {
  LayerCounts counts;
  for (const LinearShape& shape : shapes) {
    const std::int64_t params = shape.out * (shape.in + (bias == Bias::Learned ? 1 : 0));
    if (shape.kind != ProductKind::Head) counts.params += params;
    counts.params_total += params;
    counts.forward_flops += 2.0 * static_cast<double>(shape.rows * shape.in * shape.out);
  }
  return counts;
}

template class AffineLayers<float>;
template class AffineLayers<double>;

}  // namespace bitlaw
