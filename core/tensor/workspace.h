#pragma once

#include "core/tensor/matrix.h"

namespace bitlaw {

/// A matrix [rows, cols] in memory that others have used before, for intermediate results of changing shapes; what it
/// holds is unspecified. The memory grows where it must and never shrinks: Matrix::resize writes zeros into what it
/// grows by, each time again after a smaller shape.
template <typename T>
MatrixView<T> matrix_in(Matrix<T>& memory, std::int64_t rows, std::int64_t cols) {
  if (memory.size() < rows * cols) memory.resize(rows, cols);
  return {memory.data(), rows, cols};
}

}  // namespace bitlaw
