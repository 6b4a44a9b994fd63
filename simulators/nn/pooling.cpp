#include "simulators/nn/pooling.h"

#include <algorithm>

namespace bitlaw {
namespace {

/// Column of x of pixel `which` (0 to 3) in the square of the column `out` of y.
std::int64_t source(const ImageShape& shape, std::int64_t out, int which) {
  const std::int64_t channel = out % shape.channels, square = out / shape.channels;
  const std::int64_t width = shape.width / 2;
  const std::int64_t i = 2 * (square / width) + which / 2, j = 2 * (square % width) + which % 2;
  return (i * shape.width + j) * shape.channels + channel;
}

void check_shapes(const ImageShape& shape, std::int64_t x_cols, std::int64_t y_cols) {
  BITLAW_CHECK(x_cols == shape.size() && y_cols == pooled(shape).size(), "x [, {}] to y [, {}] of images [{}, {}, {}]",
               x_cols, y_cols, shape.height, shape.width, shape.channels);
}

}  // namespace

template <typename T>
void max_pool_forward(const ImageShape& shape, ConstMatrixView<T> x, MatrixView<T> y,
                      std::vector<std::uint8_t>& chosen) {
  check_shapes(shape, x.cols, y.cols);
  chosen.resize(static_cast<std::size_t>(y.rows * y.cols));
  for (std::int64_t image = 0; image < y.rows; ++image) {
    const T* from = x.row(image);
    T* to = y.row(image);
    std::uint8_t* which = chosen.data() + image * y.cols;
    for (std::int64_t out = 0; out < y.cols; ++out) {
      to[out] = from[source(shape, out, 0)];
      which[out] = 0;
      for (std::uint8_t k = 1; k < 4; ++k) {
        const T value = from[source(shape, out, k)];
        if (value <= to[out] || to[out] != to[out]) continue;
        to[out] = value;
        which[out] = k;
      }
    }
  }
}

template <typename T>
void max_pool_backward(const ImageShape& shape, const std::vector<std::uint8_t>& chosen, ConstMatrixView<T> dy,
                       MatrixView<T> dx) {
  check_shapes(shape, dx.cols, dy.cols);
  for (std::int64_t image = 0; image < dy.rows; ++image) {
    T* to = dx.row(image);
    std::fill_n(to, dx.cols, T(0));
    const T* from = dy.row(image);
    const std::uint8_t* which = chosen.data() + image * dy.cols;
    for (std::int64_t out = 0; out < dy.cols; ++out) to[source(shape, out, which[out])] = from[out];
  }
}

template void max_pool_forward(const ImageShape&, ConstMatrixView<float>, MatrixView<float>,
                               std::vector<std::uint8_t>&);
template void max_pool_forward(const ImageShape&, ConstMatrixView<double>, MatrixView<double>,
                               std::vector<std::uint8_t>&);
template void max_pool_backward(const ImageShape&, const std::vector<std::uint8_t>&, ConstMatrixView<float>,
                                MatrixView<float>);
template void max_pool_backward(const ImageShape&, const std::vector<std::uint8_t>&, ConstMatrixView<double>,
                                MatrixView<double>);

}  // namespace bitlaw
