#include "simulators/nn/embedding.h"

#include <algorithm>

namespace bitlaw {

template <typename T>
void embedding_forward(ConstMatrixView<T> table, std::span<const std::uint16_t> tokens, MatrixView<T> x) {
  for (std::int64_t r = 0; r < x.rows; ++r) {
    std::copy_n(table.row(tokens[static_cast<std::size_t>(r)]), x.cols, x.row(r));
  }
}

template <typename T>
void embedding_backward(std::span<const std::uint16_t> tokens, ConstMatrixView<T> dx, MatrixView<T> dtable) {
  for (std::int64_t r = 0; r < dx.rows; ++r) {
    T* target = dtable.row(tokens[static_cast<std::size_t>(r)]);
    const T* gradient = dx.row(r);
    for (std::int64_t i = 0; i < dx.cols; ++i) target[i] += gradient[i];
  }
}

template void embedding_forward(ConstMatrixView<float>, std::span<const std::uint16_t>, MatrixView<float>);
template void embedding_forward(ConstMatrixView<double>, std::span<const std::uint16_t>, MatrixView<double>);
template void embedding_backward(std::span<const std::uint16_t>, ConstMatrixView<float>, MatrixView<float>);
template void embedding_backward(std::span<const std::uint16_t>, ConstMatrixView<double>, MatrixView<double>);

}  // namespace bitlaw
