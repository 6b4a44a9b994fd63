#include "simulators/quantized/guided_rounding.h"

#include "core/base/check.h"
#include "core/block/quantize_blocks.h"

namespace bitlaw {

void quantize_guided(const BlockSpec& spec, KAxis k_axis, ConstMatrixView<float> x, ConstMatrixView<float> mean,
                     MatrixView<float> q, Matrix<float>& scratch, std::optional<float> held_amax) {
  BITLAW_CHECK(mean.rows == x.rows && mean.cols == x.cols, "weights [{}, {}] and their means [{}, {}]", x.rows, x.cols,
               mean.rows, mean.cols);
  scratch.resize(x.rows, x.cols);
  const MatrixView<float> above = scratch.view();
  quantize_blocks_by_team(spec, RoundingMode::TowardPositive, k_axis, x, above, {}, held_amax);
  quantize_blocks_by_team(spec, RoundingMode::TowardNegative, k_axis, x, q, {}, held_amax);
  for (std::int64_t i = 0; i < x.rows; ++i) {
    for (std::int64_t j = 0; j < x.cols; ++j) {
      if (above(i, j) - mean(i, j) < mean(i, j) - q(i, j)) q(i, j) = above(i, j);
    }
  }
}

}  // namespace bitlaw
