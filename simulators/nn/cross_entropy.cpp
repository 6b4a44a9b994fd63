#include "simulators/nn/cross_entropy.h"

#include <cmath>

#include "core/base/team.h"
#include "core/tensor/vector_math.h"

namespace bitlaw {

template <typename T>
double cross_entropy_forward(MatrixView<T> logits, std::span<const std::uint16_t> targets) {
  double total = 0;
  for (std::int64_t r = 0; r < logits.rows; ++r) {
    T* row = logits.row(r);
    const T largest = striped_max(row, logits.cols);
    for (std::int64_t i = 0; i < logits.cols; ++i) row[i] -= largest;
    const double target = row[targets[static_cast<std::size_t>(r)]];
    const std::span<T> all(row, static_cast<std::size_t>(logits.cols));
    exp(std::span<const T>(all), all);
    const T sum = striped_sum<T>(logits.cols, [=](std::int64_t i) { return row[i]; });
    total += std::log(static_cast<double>(sum)) - target;
    const T inverse = T(1) / sum;
    for (std::int64_t i = 0; i < logits.cols; ++i) row[i] *= inverse;
  }
  return total;
}

template <typename T>
void cross_entropy_backward(MatrixView<T> probabilities, std::span<const std::uint16_t> targets, T scale) {
  team_parts(probabilities.rows, kLeastRows, [=](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r) {
      T* row = probabilities.row(r);
      row[targets[static_cast<std::size_t>(r)]] -= T(1);
      for (std::int64_t i = 0; i < probabilities.cols; ++i) row[i] *= scale;
    }
  });
}

template double cross_entropy_forward(MatrixView<float>, std::span<const std::uint16_t>);
template double cross_entropy_forward(MatrixView<double>, std::span<const std::uint16_t>);
template void cross_entropy_backward(MatrixView<float>, std::span<const std::uint16_t>, float);
template void cross_entropy_backward(MatrixView<double>, std::span<const std::uint16_t>, double);

}  // namespace bitlaw
