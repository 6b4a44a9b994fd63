#include "core/block/quantize_blocks.h"

namespace bitlaw {

void quantize_blocks(const BlockSpec& spec, Rounding rounding, KAxis k_axis, ConstMatrixView<float> x,
                     MatrixView<float> out, const RandomStream& stream) {
  quantize_blocks_reference(spec, rounding, k_axis, x, out, stream);
}

}  // namespace bitlaw
