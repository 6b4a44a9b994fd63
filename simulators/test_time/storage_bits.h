#pragma once

#include <string_view>

namespace bitlaw {

/// Bits that one element takes in memory, its share of the block's scale included. `name`: a block preset (mxfp4: 4.25)
/// or an element format or codebook of core/format (e4m3: 8, bfloat16: 16, nf4: 4). `columns` is the length of the axis
/// that products sum over: scales of a channel are shared by that many elements, and a last block may be ragged. Scales
/// for a whole tensor are one number for millions and are not counted.
///
/// InputError without a place, with the nearest name, where there is no such format.
double storage_bits(std::string_view name, int columns);

}  // namespace bitlaw
