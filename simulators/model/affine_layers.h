#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "simulators/model/learned_scales.h"
#include "simulators/model/parameters.h"
#include "simulators/quantized/layer_plan.h"
#include "simulators/quantized/quantized_linear.h"

namespace bitlaw {

/// Whether layers add a vector b that is learned.
enum class Bias : std::uint8_t {
  None,
  Learned
};

/// The layers y = x W^T + b of a network, each rounded as the plan says; b is added in full precision.
///
/// Weights start with the standard deviation sqrt(2 / in) (He et al. 2015, arXiv:1502.01852, Eq. 10), those of the last
/// layer and all b at zero, so that a network starts by predicting zeros.
template <typename T>
class AffineLayers {
 public:
  /// `plan` is for `shapes`.
  AffineLayers(std::span<const LinearShape> shapes, Bias bias, LayerPlan plan, std::uint64_t seed);

  /// Shapes: x [rows, in], y [rows, out].
  void forward(std::size_t layer, std::uint32_t step, ConstMatrixView<T> x, MatrixView<T> y);

  /// dx, and the gradients of W and b added to those of the parameters.
  void backward(std::size_t layer, std::uint32_t step, ConstMatrixView<T> x, ConstMatrixView<T> dy, MatrixView<T> dx);

  void observe(LinearObserver* observer) { scratch_.observer = observer; }
  void zero_gradients();
  ParameterSet<T>& parameters() { return parameters_; }
  std::size_t size() const { return weights_.size(); }

 private:
  RandomStream stream(std::size_t layer, std::uint32_t step) const;
  /// Hands what belongs to the layer's weights to the products that follow.
  void bind(std::size_t layer);

  LayerPlan plan_;
  std::uint64_t seed_;
  ParameterSet<T> parameters_;
  std::vector<std::size_t> weights_, biases_;  ///< indices into parameters_; biases_ is empty without
  LearnedScales<T> learned_;
  LinearScratch<T> scratch_;
};

/// What counts as the size of such layers: of the layers before the head, or of all.
struct LayerCounts {
  std::int64_t params = 0, params_total = 0;
  double forward_flops = 0;  ///< of the products with the rows of their shapes; a multiply-add counts 2
};
LayerCounts count_layers(std::span<const LinearShape> shapes, Bias bias);

}  // namespace bitlaw
