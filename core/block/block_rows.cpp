#include "core/block/block_rows.h"

#include "core/block/quantize_blocks.h"
#include "core/format/quantizer.h"

namespace bitlaw {
namespace {

template <typename T>
void quantize_rows(const BlockSpec& spec, const Rounding& rounding, const BlockScales& scales, ConstMatrixView<float> x,
                   MatrixView<float> out, const RandomStream& stream, std::uint64_t first) {
  std::vector<T> row(static_cast<std::size_t>(x.cols));
  std::optional<Quantizer<T>> quantizer;
  if (!spec.codebook) quantizer.emplace(spec.element, rounding, stream);
  for (std::int64_t i = 0; i < x.rows; ++i) {
    scale_row<T>(spec, scales, x, i, row);
    if (quantizer) {
      (*quantizer)(row, row, first + static_cast<std::uint64_t>(i * x.cols));
    } else {
      quantize<T>(*spec.codebook, rounding, row, row);
    }
    const std::size_t first_block = static_cast<std::size_t>(i / scales.grid.height * scales.grid.across());
    for (std::int64_t j = 0; j < x.cols; ++j) {
      const BlockScale& scale = scales.blocks[first_block + static_cast<std::size_t>(j / scales.grid.width)];
      out(i, j) = static_cast<float>(row[static_cast<std::size_t>(j)]) * scale.decode;
    }
  }
}

}  // namespace

template <typename T>
void scale_row(const BlockSpec& spec, const BlockScales& scales, ConstMatrixView<float> x, std::int64_t row,
               std::span<T> scaled) {
  const std::size_t first_block = static_cast<std::size_t>(row / scales.grid.height * scales.grid.across());
  for (std::int64_t j = 0; j < x.cols; ++j) {
    const BlockScale& scale = scales.blocks[first_block + static_cast<std::size_t>(j / scales.grid.width)];
    scaled[static_cast<std::size_t>(j)] = scaled_value<T>(spec, scale, x(row, j));
  }
}

template void scale_row<float>(const BlockSpec&, const BlockScales&, ConstMatrixView<float>, std::int64_t,
                               std::span<float>);
template void scale_row<double>(const BlockSpec&, const BlockScales&, ConstMatrixView<float>, std::int64_t,
                                std::span<double>);

void quantize_block_rows(const BlockSpec& spec, const Rounding& rounding, KAxis k_axis, ConstMatrixView<float> x,
                         MatrixView<float> out, const RandomStream& stream, std::uint64_t first,
                         std::optional<float> held_amax, std::span<const float> parameters) {
  if (spec.codebook && rounding.is_stochastic()) {
    BITLAW_CHECK(parameters.empty(), "a parameter for each block of a codebook that is rounded stochastically");
    return quantize_blocks_reference(spec, rounding, k_axis, x, out, stream, first, held_amax);
  }
  const BlockScales scales = block_scales(spec, k_axis, x, held_amax, parameters);
  if (spec.scaling == ElementScaling::DivideExact) {
    quantize_rows<double>(spec, rounding, scales, x, out, stream, first);
  } else {
    quantize_rows<float>(spec, rounding, scales, x, out, stream, first);
  }
}

void quantize_blocks_by_parameters(const BlockSpec& spec, const Rounding& rounding, KAxis k_axis,
                                   ConstMatrixView<float> x, MatrixView<float> out, const RandomStream& stream,
                                   std::span<const float> parameters) {
  quantize_block_rows(spec, rounding, k_axis, x, out, stream, 0, std::nullopt, parameters);
}

}  // namespace bitlaw
