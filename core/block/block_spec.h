#pragma once

#include <cmath>
#include <cstdint>
#include <optional>

#include "core/format/codebook.h"
#include "core/format/format_spec.h"
#include "core/format/rounding.h"

namespace bitlaw {

/// Which elements of an operand share one scale. K is the axis that the matrix product sums over.
enum class BlockShape : std::uint8_t {
  AlongK,   ///< 1 x k consecutive elements along K; the last block of a row may be shorter
  Channel,  ///< the whole extent of K: one scale per row of x, per output row of W
  Tensor,   ///< one scale for the operand
};

/// How a block's scale X follows from its largest magnitude amax. max and emax are the element format's largest value
/// and its exponent. block_scale.h says the order of operations.
enum class ScaleRule : std::uint8_t {
  OcpFloor,     ///< X = 2^(floor(log2 amax) - emax), from exponent bits (OCP MX v1.0 §6.3); clips when amax > X max
  RoundUp,      ///< X = amax / max rounded up to a power of two (NVIDIA "RCEIL"); never clips
  AmaxNearest,  ///< X = amax / max rounded to nearest in the scale format, ties to even; float32 scale: not rounded
                ///< again
};

/// How an operand of a matrix product is stored in few bits.
struct BlockSpec {
  FormatSpec element;
  BlockShape shape = BlockShape::AlongK;
  int size = 32;                                   ///< k, elements per scale along K; only for AlongK
  std::optional<FormatSpec> scale = std::nullopt;  ///< format of the scales; unset: float32
  ScaleRule rule = ScaleRule::AmaxNearest;
  /// Second-level float32 scale for the whole operand, chosen so that its amax maps to this value: block scales are
  /// rounded after multiplication by target / amax(tensor). NVFP4: 448 * 6 = 2688. Unset: none.
  std::optional<double> tensor_target = std::nullopt;
  /// Elements that are values of a list, in place of `element`, which then means nothing. Its largest magnitude is the
  /// max, and the exponent of that is the emax of ScaleRule.
  std::optional<Codebook> codebook = std::nullopt;

  /// max and emax of ScaleRule.
  double element_max() const {
    return codebook ? static_cast<double>(codebook->max_magnitude()) : element.max_finite();
  }
  int element_emax() const { return codebook ? std::ilogb(codebook->max_magnitude()) : element.emax(); }

  friend bool operator==(const BlockSpec&, const BlockSpec&) = default;
};

}  // namespace bitlaw
