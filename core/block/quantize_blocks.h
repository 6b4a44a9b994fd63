#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/block/block_spec.h"
#include "core/random/philox.h"
#include "core/tensor/matrix.h"

namespace bitlaw {

/// out = the values that `spec` stores for x, as float32 ("fake quantization"): scale, round, multiply back.
/// x and out have the same shape; out may be x. Element (i, j) takes the random bits of element
/// first + i * cols + j: parts of an array, whole blocks each, give what the array gives in one call. `held_amax`
/// stands for the largest magnitude of x: the g of TensorOrder, and the a of BlockShape::Tensor (delayed scaling).
///
/// out = q(x * encode) * decode in float32 with the block's multipliers of block_scale.h, or as ElementScaling says; q
/// rounds to spec.element, or spec.codebook, and saturates. So a block of zeros, or one whose scale rounds to zero,
/// becomes zeros that keep their signs where the element has a minus zero. A block with a NaN or an infinity has the
/// scale NaN and becomes NaN throughout (OCP MX v1.0 §5.1); with a second-level scale the whole operand does.
/// NonFinite::Ignore: NaN stays and infinity saturates. NaNs of blocks are the quiet one without payload.
///
/// Speed: blocks scaled by their largest magnitude, with multipliers, run in vectors as a whole, 4-over-6 in blocks of
/// one row or column too. Other statistics, divisions, codebooks and double quantization take their scales by
/// definition, tens of times slower, then round rows in vectors; MSE searches and square 4-over-6 a thousand times.
void quantize_blocks(const BlockSpec& spec, const Rounding& rounding, KAxis k_axis, ConstMatrixView<float> x,
                     MatrixView<float> out, const RandomStream& stream, std::uint64_t first = 0,
                     std::optional<float> held_amax = std::nullopt);

/// quantize_blocks of a whole array, in parts by the team of threads (core/base/team.h). Where blocks go from the first
/// row to the last, or scales depend on each other, or one scale is not of the largest magnitude, the caller works
/// alone.
void quantize_blocks_by_team(const BlockSpec& spec, const Rounding& rounding, KAxis k_axis, ConstMatrixView<float> x,
                             MatrixView<float> out, const RandomStream& stream,
                             std::optional<float> held_amax = std::nullopt);

/// The same with a BlockSpec::parameter for each block: block b, in the order of BlockGrid, has parameters[b % n], so n
/// is the number of blocks, or of those side by side, which all rows of blocks then share. Scales by definition.
void quantize_blocks_by_parameters(const BlockSpec& spec, const Rounding& rounding, KAxis k_axis,
                                   ConstMatrixView<float> x, MatrixView<float> out, const RandomStream& stream,
                                   std::span<const float> parameters);

/// The largest magnitude of x, found by the team; NaN where an element is not finite.
float finite_amax(ConstMatrixView<float> x);

/// The same by definition, one element at a time: what quantize_blocks equals bit for bit.
void quantize_blocks_reference(const BlockSpec& spec, const Rounding& rounding, KAxis k_axis, ConstMatrixView<float> x,
                               MatrixView<float> out, const RandomStream& stream, std::uint64_t first = 0,
                               std::optional<float> held_amax = std::nullopt);

}  // namespace bitlaw
