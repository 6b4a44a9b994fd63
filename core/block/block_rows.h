#pragma once

#include <span>

#include "core/block/block_scales.h"

namespace bitlaw {

/// scaled[j] = what element (row, j) of x is before it is rounded to the element format: x * encode or x / decode, as
/// BlockSpec::scaling says; NaN in blocks of NaN. T: float; double for ElementScaling::DivideExact.
template <typename T>
void scale_row(const BlockSpec& spec, const BlockScales& scales, ConstMatrixView<float> x, std::int64_t row,
               std::span<T> scaled);

/// quantize_blocks() of every specification: scales by definition, then elements a row at a time.
void quantize_block_rows(const BlockSpec& spec, const Rounding& rounding, KAxis k_axis, ConstMatrixView<float> x,
                         MatrixView<float> out, const RandomStream& stream, std::uint64_t first,
                         std::optional<float> held_amax, std::span<const float> parameters = {});

}  // namespace bitlaw
