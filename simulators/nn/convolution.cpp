#include "simulators/nn/convolution.h"

#include <algorithm>

namespace bitlaw {
namespace {

void check_shapes(const ImageShape& shape, std::int64_t images, std::int64_t x_cols, std::int64_t patch_rows,
                  std::int64_t patch_cols) {
  BITLAW_CHECK(x_cols == shape.size() && patch_rows == images * shape.pixels() &&
                   patch_cols == kKernel * kKernel * shape.channels,
               "x [{}, {}], patches [{}, {}] of images [{}, {}, {}]", images, x_cols, patch_rows, patch_cols,
               shape.height, shape.width, shape.channels);
}

/// visit(patch row, first patch column, first column of x or -1 beyond the border) for each pixel of each window.
template <typename Visit>
void for_each_pixel(const ImageShape& shape, Visit visit) {
  constexpr std::int64_t kReach = kKernel / 2;
  for (std::int64_t i = 0; i < shape.height; ++i) {
    for (std::int64_t j = 0; j < shape.width; ++j) {
      for (std::int64_t k = 0; k < kKernel * kKernel; ++k) {
        const std::int64_t y = i + k / kKernel - kReach, x = j + k % kKernel - kReach;
        const bool inside = y >= 0 && y < shape.height && x >= 0 && x < shape.width;
        visit(i * shape.width + j, k * shape.channels, inside ? (y * shape.width + x) * shape.channels : -1);
      }
    }
  }
}

}  // namespace

template <typename T>
void image_patches(const ImageShape& shape, ConstMatrixView<T> x, MatrixView<T> patches) {
  check_shapes(shape, x.rows, x.cols, patches.rows, patches.cols);
  for (std::int64_t image = 0; image < x.rows; ++image) {
    const T* from = x.row(image);
    T* to = patches.row(image * shape.pixels());
    for_each_pixel(shape, [&](std::int64_t row, std::int64_t column, std::int64_t pixel) {
      T* window = to + row * patches.stride + column;
      if (pixel < 0) {
        std::fill_n(window, shape.channels, T(0));
      } else {
        std::copy_n(from + pixel, shape.channels, window);
      }
    });
  }
}

template <typename T>
void image_patches_backward(const ImageShape& shape, ConstMatrixView<T> dpatches, MatrixView<T> dx) {
  check_shapes(shape, dx.rows, dx.cols, dpatches.rows, dpatches.cols);
  for (std::int64_t image = 0; image < dx.rows; ++image) {
    T* to = dx.row(image);
    std::fill_n(to, dx.cols, T(0));
    const T* from = dpatches.row(image * shape.pixels());
    for_each_pixel(shape, [&](std::int64_t row, std::int64_t column, std::int64_t pixel) {
      if (pixel < 0) return;
      const T* window = from + row * dpatches.stride + column;
      for (std::int64_t c = 0; c < shape.channels; ++c) to[pixel + c] += window[c];
    });
  }
}

template void image_patches(const ImageShape&, ConstMatrixView<float>, MatrixView<float>);
template void image_patches(const ImageShape&, ConstMatrixView<double>, MatrixView<double>);
template void image_patches_backward(const ImageShape&, ConstMatrixView<float>, MatrixView<float>);
template void image_patches_backward(const ImageShape&, ConstMatrixView<double>, MatrixView<double>);

}  // namespace bitlaw
