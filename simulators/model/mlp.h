#pragma once

#include <vector>

#include "simulators/model/affine_layers.h"
#include "simulators/model/network.h"
#include "simulators/nn/activation.h"

namespace bitlaw {

/// The products of a multilayer perceptron for `rows` rows: "layer0" from the inputs, ..., then "head" to the outputs.
std::vector<LinearShape> mlp_shapes(std::int64_t rows, std::int64_t inputs, int layers, std::int64_t width,
                                    std::int64_t outputs);

/// h_0 = x, h_{l+1} = a(W_l h_l + b_l), outputs W h_L + b: the layers of `shapes` with an activation between two.
template <typename T>
class Mlp : public Network<T> {
 public:
  /// `plan` is for `shapes`; the rows of a pass need not be theirs.
  Mlp(std::vector<LinearShape> shapes, Activation activation, Bias bias, LayerPlan plan, std::uint64_t seed);

  ParameterSet<T>& parameters() override { return layers_.parameters(); }
  void observe(LinearObserver* observer) override { layers_.observe(observer); }
  MatrixView<T> forward(ConstMatrixView<T> x, std::uint32_t step) override;
  void backward(ConstMatrixView<T> dy) override;

 private:
  std::vector<LinearShape> shapes_;
  Activation activation_;
  AffineLayers<T> layers_;

  // The last forward pass: z before and h after the activation of each layer, the last z being the outputs.
  std::uint32_t step_ = 0;
  ConstMatrixView<T> x_;
  std::vector<Matrix<T>> z_, h_;
  Matrix<T> dz_, dx_;
};

}  // namespace bitlaw
