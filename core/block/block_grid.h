#pragma once

#include <algorithm>
#include <cstdint>

#include "core/base/check.h"
#include "core/block/block_spec.h"
#include "core/tensor/matrix.h"

namespace bitlaw {

/// Rows and columns of an operand that share one scale.
struct BlockRegion {
  std::int64_t row, col, rows, cols;
};

/// How an operand [rows, cols] is cut into blocks of `height` x `width`, numbered along the rows of blocks.
struct BlockGrid {
  std::int64_t rows, cols, height, width;

  std::int64_t down() const { return (rows + height - 1) / height; }
  std::int64_t across() const { return (cols + width - 1) / width; }
  std::int64_t count() const { return down() * across(); }
  BlockRegion region(std::int64_t block) const {
    const std::int64_t row = block / across() * height, col = block % across() * width;
    return {row, col, std::min(height, rows - row), std::min(width, cols - col)};
  }

  friend bool operator==(const BlockGrid&, const BlockGrid&) = default;
};

inline BlockGrid block_grid(const BlockSpec& spec, KAxis k_axis, std::int64_t rows, std::int64_t cols) {
  BITLAW_CHECK(spec.size > 0, "blocks of {} elements", spec.size);
  const bool along_cols = k_axis == KAxis::Cols;
  const std::int64_t all_of_k = std::max<std::int64_t>(1, along_cols ? cols : rows);
  const std::int64_t all_across = std::max<std::int64_t>(1, along_cols ? rows : cols);
  std::int64_t in_k = spec.size, across_k = 1;
  if (spec.shape == BlockShape::Channel || spec.shape == BlockShape::Tensor) in_k = all_of_k;
  if (spec.shape == BlockShape::Square) across_k = spec.size;
  if (spec.shape == BlockShape::AcrossK) in_k = 1;
  if (spec.shape == BlockShape::AcrossK || spec.shape == BlockShape::Tensor) across_k = all_across;
  in_k = std::min(in_k, all_of_k);
  across_k = std::min(across_k, all_across);
  return {rows, cols, along_cols ? across_k : in_k, along_cols ? in_k : across_k};
}

}  // namespace bitlaw
