#include "simulators/model/convnet.h"

#include <algorithm>
#include <string>
#include <utility>

#include "simulators/nn/pooling.h"

namespace bitlaw {
namespace {

/// The memory of a row-major matrix in another shape of the same size.
template <typename T>
MatrixView<T> reshaped(Matrix<T>& m, std::int64_t rows) {
  return {m.data(), rows, m.size() / rows};
}

}  // namespace

int most_stages(const ImageShape& image) {
  int stages = 0;
  for (std::int64_t side = std::min(image.height, image.width); side > 1; side /= 2) ++stages;
  return stages;
}

std::vector<LinearShape> convnet_shapes(std::int64_t images, const ImageShape& image, int layers, std::int64_t width,
                                        std::int64_t outputs) {
  std::vector<LinearShape> shapes;
  ImageShape shape = image;
  for (int l = 0; l < layers; ++l) {
    shapes.push_back({"conv" + std::to_string(l), ProductKind::Linear, images * shape.pixels(),
                      kKernel * kKernel * shape.channels, width << l});
    shape = pooled({shape.height, shape.width, width << l});
  }
  shapes.push_back({"head", ProductKind::Head, images, shape.size(), outputs});
  return shapes;
}

template <typename T>
ConvNet<T>::ConvNet(std::vector<LinearShape> shapes, const ImageShape& image, Activation activation, LayerPlan plan,
                    std::uint64_t seed)
    : activation_(activation), layers_(shapes, Bias::Learned, std::move(plan), seed) {
  ImageShape shape = image;
  for (std::size_t l = 0; l + 1 < shapes.size(); ++l) {
    Stage stage;
    stage.in = shape;
    stage.out = {shape.height, shape.width, shapes[l].out};
    shape = pooled(stage.out);
    stages_.push_back(std::move(stage));
  }
  outputs_.resize(0, shapes.back().out);
}

template <typename T>
MatrixView<T> ConvNet<T>::forward(ConstMatrixView<T> x, std::uint32_t step) {
  step_ = step;
  const std::int64_t images = x.rows;
  for (std::size_t l = 0; l < stages_.size(); ++l) {
    Stage& s = stages_[l];
    s.patches.resize(images * s.in.pixels(), kKernel * kKernel * s.in.channels);
    s.z.resize(images * s.in.pixels(), s.out.channels);
    s.h.resize(images, s.out.size());
    s.y.resize(images, pooled(s.out).size());
    image_patches<T>(s.in, x, s.patches.view());
    layers_.forward(l, step, s.patches.view(), s.z.view());
    activation_forward<T>(activation_, s.z.values(), s.h.values());
    max_pool_forward<T>(s.out, s.h.view(), s.y.view(), s.chosen);
    x = s.y.view();
  }
  outputs_.resize(images, outputs_.cols());
  layers_.forward(stages_.size(), step, x, outputs_.view());
  return outputs_.view();
}

template <typename T>
void ConvNet<T>::backward(ConstMatrixView<T> dy) {
  layers_.zero_gradients();
  const std::int64_t images = dy.rows;
  dx_.resize(images, stages_.back().y.cols());
  layers_.backward(stages_.size(), step_, stages_.back().y.view(), dy, dx_.view());
  for (std::size_t l = stages_.size(); l-- > 0;) {
    Stage& s = stages_[l];
    dh_.resize(images, s.out.size());
    max_pool_backward<T>(s.out, s.chosen, dx_.view(), dh_.view());
    activation_backward<T>(activation_, s.z.values(), dh_.values(), dh_.values());
    const MatrixView<T> dz = reshaped(dh_, s.z.rows());
    if (l == 0) return layers_.backward(l, step_, s.patches.view(), dz, {});
    dpatches_.resize(s.patches.rows(), s.patches.cols());
    layers_.backward(l, step_, s.patches.view(), dz, dpatches_.view());
    dx_.resize(images, s.in.size());
    image_patches_backward<T>(s.in, dpatches_.view(), dx_.view());
  }
}

template class ConvNet<float>;
template class ConvNet<double>;

}  // namespace bitlaw
