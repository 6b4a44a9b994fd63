#pragma once

#include "core/tensor/matrix.h"

namespace bitlaw {

/// Sum of (y - target)^2, in double precision; y becomes y - target in place, which times 2 is the derivative.
template <typename T>
double squared_error(MatrixView<T> y, ConstMatrixView<T> target) {
  BITLAW_CHECK(y.rows == target.rows && y.cols == target.cols, "y [{}, {}], target [{}, {}]", y.rows, y.cols,
               target.rows, target.cols);
  double sum = 0;
  for (std::int64_t r = 0; r < y.rows; ++r) {
    for (std::int64_t i = 0; i < y.cols; ++i) {
      y(r, i) -= target(r, i);
      sum += static_cast<double>(y(r, i)) * static_cast<double>(y(r, i));
    }
  }
  return sum;
}

}  // namespace bitlaw
