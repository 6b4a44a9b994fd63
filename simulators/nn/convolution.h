#pragma once

#include <cstdint>

#include "core/tensor/matrix.h"

namespace bitlaw {

/// An image is one row of a matrix [images, height width channels], its channels innermost.
struct ImageShape {
  std::int64_t height = 0, width = 0, channels = 0;
  constexpr std::int64_t pixels() const { return height * width; }
  constexpr std::int64_t size() const { return pixels() * channels; }
};

inline constexpr std::int64_t kKernel = 3;  ///< side of a convolution's window

/// The window of side kKernel around each pixel, zeros beyond the border, so that a convolution is patches W^T
/// ("im2col"; Chellapilla et al. 2006).
///
/// Shapes: x [images, H W C], patches [images H W, kKernel kKernel C] with the channels innermost, W [out, 9 C]; the
/// product [images H W, out] is again images, of `out` channels.
template <typename T>
void image_patches(const ImageShape& shape, ConstMatrixView<T> x, MatrixView<T> patches);

/// dx from dpatches: each pixel sums over the windows that it is in, in ascending order.
template <typename T>
void image_patches_backward(const ImageShape& shape, ConstMatrixView<T> dpatches, MatrixView<T> dx);

}  // namespace bitlaw
