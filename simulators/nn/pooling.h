#pragma once

#include <cstdint>
#include <vector>

#include "simulators/nn/convolution.h"

namespace bitlaw {

/// Half the height and width, rounded down: the last row or column of an odd number is left out.
inline ImageShape pooled(const ImageShape& shape) { return {shape.height / 2, shape.width / 2, shape.channels}; }

/// y = the largest of each square of 2 x 2 pixels, the first of equals; NaN wins. `chosen` is which, 0 to 3, for
/// backward.
///
/// Shapes: x [images, H W C], y [images, H/2 W/2 C], chosen as many as y.
template <typename T>
void max_pool_forward(const ImageShape& shape, ConstMatrixView<T> x, MatrixView<T> y,
                      std::vector<std::uint8_t>& chosen);

/// dx: dy where x was chosen, elsewhere 0.
template <typename T>
void max_pool_backward(const ImageShape& shape, const std::vector<std::uint8_t>& chosen, ConstMatrixView<T> dy,
                       MatrixView<T> dx);

}  // namespace bitlaw
