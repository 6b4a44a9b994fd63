#pragma once

#include <cstdint>

#include "core/block/block_spec.h"
#include "core/random/philox.h"
#include "core/tensor/matrix.h"

namespace bitlaw {

/// out = the values that `spec` stores for x, as float32 ("fake quantization"): scale, round, multiply back.
/// x and out have the same shape; out may be x. Element (i, j) takes the random bits of element i * cols + j.
///
/// With the block's multipliers encode and decode of block_scale.h: out = q(x * encode) * decode in float32, where q
/// rounds to spec.element, or spec.codebook, and saturates. So a block of zeros, or one whose scale rounds to zero,
/// becomes zeros that keep their signs. A block with a NaN or an infinity has the scale NaN and becomes NaN throughout
/// (OCP MX v1.0 §5.1); with a second-level scale the whole operand does. Codebooks have no minus zero, and run by
/// definition. NaNs written are the quiet one without payload.
void quantize_blocks(const BlockSpec& spec, const Rounding& rounding, KAxis k_axis, ConstMatrixView<float> x,
                     MatrixView<float> out, const RandomStream& stream);

/// The same by definition, one element at a time: what quantize_blocks equals bit for bit.
void quantize_blocks_reference(const BlockSpec& spec, const Rounding& rounding, KAxis k_axis, ConstMatrixView<float> x,
                               MatrixView<float> out, const RandomStream& stream);

}  // namespace bitlaw
