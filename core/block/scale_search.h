#pragma once

#include <cstdint>
#include <span>

#include "core/block/block_scale.h"

namespace bitlaw {

/// The scale that BlockSpec::search takes for a block, where `unrounded` is unrounded_scale(). `values`: each row of
/// the block, along K, after the other. Values that are not finite do not count.
///
/// Mse: the rule's X, then the next lower and higher values of the scale format in turn, positive finite ones; sums of
/// squares in float64; the first of equal ones.
/// FourOverSix: X6 = the rule's, X4 = that of 1.5 times the unrounded scale; X4 where its error is less. In float32, as
/// TransformerEngine: an element's error is q X - v, with a second level ((q X) g) / T - v; errors of a row are added
/// in order, then the second half of the rows to the first half, and so on.
BlockScale searched_scale(const BlockSpec& spec, const TensorScale& tensor, float unrounded,
                          std::span<const float> values, std::int64_t row_length);

}  // namespace bitlaw
