#include "simulators/model/mlp.h"

#include <string>
#include <utility>

namespace bitlaw {

std::vector<LinearShape> mlp_shapes(std::int64_t rows, std::int64_t inputs, int layers, std::int64_t width,
                                    std::int64_t outputs) {
  std::vector<LinearShape> shapes;
  for (int l = 0; l < layers; ++l) {
    shapes.push_back({"layer" + std::to_string(l), ProductKind::Linear, rows, l == 0 ? inputs : width, width});
  }
  shapes.push_back({"head", ProductKind::Head, rows, layers == 0 ? inputs : width, outputs});
  return shapes;
}

template <typename T>
Mlp<T>::Mlp(std::vector<LinearShape> shapes, Activation activation, Bias bias, LayerPlan plan, std::uint64_t seed)
    : shapes_(std::move(shapes)),
      activation_(activation),
      layers_(shapes_, bias, std::move(plan), seed),
      z_(shapes_.size()),
      h_(shapes_.size() - 1) {}

template <typename T>
MatrixView<T> Mlp<T>::forward(ConstMatrixView<T> x, std::uint32_t step) {
  step_ = step;
  x_ = x;
  for (std::size_t l = 0; l < shapes_.size(); ++l) {
    z_[l].resize(x.rows, shapes_[l].out);
    layers_.forward(l, step, l == 0 ? x : h_[l - 1].view(), z_[l].view());
    if (l == h_.size()) break;
    h_[l].resize(x.rows, shapes_[l].out);
    activation_forward<T>(activation_, z_[l].values(), h_[l].values());
  }
  return z_.back().view();
}

template <typename T>
void Mlp<T>::backward(ConstMatrixView<T> dy) {
  layers_.zero_gradients();
  ConstMatrixView<T> dz = dy;
  for (std::size_t l = shapes_.size(); l-- > 0;) {
    if (l == 0) return layers_.backward(l, step_, x_, dz, {});
    dx_.resize(dy.rows, shapes_[l].in);
    layers_.backward(l, step_, h_[l - 1].view(), dz, dx_.view());
    activation_backward<T>(activation_, z_[l - 1].values(), dx_.values(), dx_.values());
    std::swap(dx_, dz_);
    dz = dz_.view();
  }
}

template class Mlp<float>;
template class Mlp<double>;

}  // namespace bitlaw
