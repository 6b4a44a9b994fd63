#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "experiments/cli/element_progress.h"
#include "experiments/cli/quantize_request.h"
#include "experiments/cli/rounding_statistics.h"

namespace bitlaw {

/// What was written of blocks besides their values.
struct StoredBlocks {
  double bits_per_element = 0;        ///< bits_per_element() of block_storage.h
  std::optional<float> tensor_scale;  ///< BlockStorage::tensor_scale
};

/// What a conversion of a file has done.
struct QuantizeReport {
  ArrayInfo input, output;
  RoundingStatistics statistics;
  std::optional<StoredBlocks> stored;
};

/// Elements that are read, rounded and written at a time; with blocks whole rows, of longer rows whole blocks.
inline constexpr std::int64_t kQuantizePart = 1 << 20;

/// Rounds the numbers of one file into another, part by part: the arrays may be larger than memory. In memory are a
/// row where it has one scale, and the whole array where a scale needs to see all numbers (second-level scales, one
/// scale per tensor), blocks run across the order of the file (Fortran order), or their scales are written. Element i
/// of the file takes the random numbers of element i of the seed's stream; the signs of rotations are those of slot 1.
///
/// The type and the shape stay; with codes, the numbers are unsigned integers of the least width of 8, 16, 32, 64 bits.
/// Blocks and rotations run along the last axis; what is written and counted is rotated. Codes and scales of blocks are
/// bytes in the order of the file, of block_storage.h with BitOrder::LowFirst: codes packed without gaps [bytes],
/// scales [blocks down, blocks across], and a third axis for scales of several bytes. Nothing when `go_on` said stop:
/// then, and on an InputError, the output is as it was.
std::optional<QuantizeReport> quantize_file(const QuantizePlan& plan, const ElementsDone& go_on);

/// What is printed.
std::string quantize_text(const QuantizePlan& plan, const QuantizeReport& report);
std::string quantize_json(const QuantizePlan& plan, const QuantizeReport& report);

}  // namespace bitlaw
