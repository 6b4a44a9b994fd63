#pragma once

#include <span>

#include "core/block/block_spec.h"

namespace bitlaw {

/// The largest magnitude, 0 of none; a NaN counts as larger than infinity. With NonFinite::Ignore, of the finite values
/// where there are any.
float largest_magnitude(std::span<const float> values, NonFinite non_finite);

/// a of BlockStatistic for a block, each row of it after the other along K. Sums run in that order, in float64; a is
/// rounded to float32 once. NonFinite::BlockNan: NaN or infinity where one of the values is. NonFinite::Ignore: of the
/// finite values; infinity or NaN where there are none.
float block_statistic(const BlockSpec& spec, std::span<const float> values);

/// The clip c with the least E[(q(x) - x)^2], x ~ N(0, 1), where q rounds to nearest among the element's values times c
/// / max: what BlockStatistic::Rms multiplies the root of the mean square with. Element formats of at most 16 bits.
/// Found on 1/2 <= c <= 16 to 8 digits: the error is flat there. E2M1: 2.92247856.
double gaussian_clip(const BlockSpec& spec);

}  // namespace bitlaw
