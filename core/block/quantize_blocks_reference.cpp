#include "core/base/check.h"
#include "core/block/block_scales.h"
#include "core/block/quantize_blocks.h"

namespace bitlaw {

void quantize_blocks_reference(const BlockSpec& spec, const Rounding& rounding, KAxis k_axis, ConstMatrixView<float> x,
                               MatrixView<float> out, const RandomStream& stream, std::uint64_t first,
                               std::optional<float> held_amax) {
  BITLAW_CHECK(x.rows == out.rows && x.cols == out.cols, "x [{}, {}] into out [{}, {}]", x.rows, x.cols, out.rows,
               out.cols);
  const BlockScales scales = block_scales(spec, k_axis, x, held_amax);
  for (std::int64_t b = 0; b < scales.grid.count(); ++b) {
    const BlockRegion region = scales.grid.region(b);
    const BlockScale& scale = scales.blocks[static_cast<std::size_t>(b)];
    for (std::int64_t i = region.row; i < region.row + region.rows; ++i) {
      for (std::int64_t j = region.col; j < region.col + region.cols; ++j) {
        const std::uint64_t element = first + static_cast<std::uint64_t>(i * x.cols + j);
        out(i, j) = stored_element(spec, rounding, scale, x(i, j), stream, element) * scale.decode;
      }
    }
  }
}

}  // namespace bitlaw
