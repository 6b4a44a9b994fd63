#pragma once

#include <optional>

#include "core/block/block_spec.h"
#include "core/tensor/matrix.h"

namespace bitlaw {

/// Rounds each weight to that of its two neighbours, at the scale of its block, which is nearer to the weight's mean
/// over the steps so far, so that a weight close to a midpoint does not change sides with every small update (Q-EMA of
/// TetraJet, arXiv:2502.20853). At a tie it is the lower one.
///
/// All [rows, cols], `held_amax` as in quantize_blocks; `x` and `q` may be the same. A weight beyond the largest value
/// of its block becomes that one.
void quantize_guided(const BlockSpec& spec, KAxis k_axis, ConstMatrixView<float> x, ConstMatrixView<float> mean,
                     MatrixView<float> q, Matrix<float>& scratch, std::optional<float> held_amax = std::nullopt);

}  // namespace bitlaw
