#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/block/block_grid.h"
#include "core/block/block_scales.h"
#include "core/format/pack.h"

namespace bitlaw {

/// An operand [rows, cols] in its few bits.
struct BlockStorage {
  BlockGrid grid;
  BitOrder order = BitOrder::LowFirst;
  std::vector<std::uint8_t> codes;  ///< of the elements in the order of memory, packed: packed_size(rows cols, bits)
  /// Codes of the scales in the order of blocks [grid.down(), grid.across()], scale_bytes() each, low byte first. E8M0,
  /// UE4M3, UE5M3: one byte. float32 scales: four. Double quantization: those of its format.
  std::vector<std::uint8_t> scales;
  std::optional<float> tensor_scale;  ///< second level, in the form of BlockSpec::store
  std::optional<ScaleGroups> groups;  ///< double quantization: mean and steps; its offsets are in `scales`

  friend bool operator==(const BlockStorage&, const BlockStorage&) = default;
};

/// Bytes per scale: 1, 2 or 4.
int scale_bytes(const BlockSpec& spec);

/// Bits of all codes, bytes of scales, mean, steps and tensor scale over the number of elements. mxfp4: 4.25;
/// nvfp4: 4.5 and 32 / (rows cols).
double bits_per_element(const BlockSpec& spec, KAxis k_axis, std::int64_t rows, std::int64_t cols);

/// x in storage: unpack_blocks() gives what quantize_blocks() gives, bit for bit. Element (i, j) takes the random bits
/// of element i * cols + j. Blocks with the scale NaN have elements of zero. InputError when an element has more than 8
/// bits, when a block is NaN and the scale format has none (the message gives the block), or when NonFinite::Ignore
/// leaves a NaN that the element format cannot hold (the message gives the element).
BlockStorage pack_blocks(const BlockSpec& spec, const Rounding& rounding, KAxis k_axis, ConstMatrixView<float> x,
                         const RandomStream& stream = {}, BitOrder order = BitOrder::LowFirst,
                         std::optional<float> held_amax = std::nullopt);

/// out [rows, cols] = the values that are stored.
void unpack_blocks(const BlockSpec& spec, const BlockStorage& storage, MatrixView<float> out);

}  // namespace bitlaw
