#pragma once

#include <cstdint>
#include <vector>

#include "simulators/model/affine_layers.h"
#include "simulators/model/network.h"
#include "simulators/nn/activation.h"
#include "simulators/nn/convolution.h"

namespace bitlaw {

/// How many times both sides of an image can be halved.
int most_stages(const ImageShape& image);

/// The products of a convolution net for `images` images: "conv0", ... of width, 2 width, 4 width, ... channels on
/// images of half the sides from one to the next, then "head" from all that is left to the outputs.
std::vector<LinearShape> convnet_shapes(std::int64_t images, const ImageShape& image, int layers, std::int64_t width,
                                        std::int64_t outputs);

/// Per stage: x <- max_pool(a(W patches(x) + b)), then the head on all pixels; the layout of LeNet-5 (LeCun et al.
/// 1998) with padding. The products round as the plan says, convolutions as x W^T of their patches.
template <typename T>
class ConvNet : public Network<T> {
 public:
  /// `shapes` are those of convnet_shapes for `image`, `plan` is for them; the images of a pass may be more or fewer.
  ConvNet(std::vector<LinearShape> shapes, const ImageShape& image, Activation activation, LayerPlan plan,
          std::uint64_t seed);

  ParameterSet<T>& parameters() override { return layers_.parameters(); }
  void observe(LinearObserver* observer) override { layers_.observe(observer); }
  /// x [images, H W C].
  MatrixView<T> forward(ConstMatrixView<T> x, std::uint32_t step) override;
  void backward(ConstMatrixView<T> dy) override;

 private:
  struct Stage {
    ImageShape in, out;                ///< before pooling: of the convolution
    Matrix<T> patches, z, h, y;        ///< windows, before and after the activation, pooled
    std::vector<std::uint8_t> chosen;  ///< by the pooling
  };

  Activation activation_;
  AffineLayers<T> layers_;
  std::vector<Stage> stages_;

  std::uint32_t step_ = 0;  ///< of the last forward pass
  Matrix<T> outputs_, dx_, dh_, dpatches_;
};

}  // namespace bitlaw
