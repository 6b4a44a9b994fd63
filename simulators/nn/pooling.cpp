#include "simulators/nn/pooling.h"

#include <algorithm>
#include <array>

namespace bitlaw {
namespace {

/// visit(first column of y, first columns of x of the four pixels) for each square, whose channels follow.
template <typename Visit>
void for_each_square(const ImageShape& shape, Visit visit) {
  std::int64_t out = 0;
  for (std::int64_t i = 0; i + 1 < shape.height; i += 2) {
    for (std::int64_t j = 0; j + 1 < shape.width; j += 2, out += shape.channels) {
      const std::int64_t above = (i * shape.width + j) * shape.channels, below = above + shape.width * shape.channels;
      visit(out, std::array{above, above + shape.channels, below, below + shape.channels});
    }
  }
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
    for_each_square(shape, [&](std::int64_t out, const std::array<std::int64_t, 4>& squares) {
      for (std::int64_t c = 0; c < shape.channels; ++c) {
        T best = from[squares[0] + c];
        std::uint8_t chosen_one = 0;
        for (std::uint8_t k = 1; k < 4; ++k) {
          const T value = from[squares[k] + c];
          const bool better = !(value <= best) && best == best;
          best = better ? value : best;
          chosen_one = better ? k : chosen_one;
        }
        to[out + c] = best;
        which[out + c] = chosen_one;
      }
    });
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
    for_each_square(shape, [&](std::int64_t out, const std::array<std::int64_t, 4>& squares) {
      for (std::int64_t c = 0; c < shape.channels; ++c) to[squares[which[out + c]] + c] = from[out + c];
    });
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
