#pragma once

#include "core/block/block_spec.h"

namespace bitlaw {

/// The second-level scale of an operand: what its values are multiplied by before blocks are scaled, and back.
struct TensorScale {
  float encode = 1;  ///< S of TensorOrder
  float decode = 1;  ///< D of TensorStore
  float amax = 0;    ///< g, the operand's largest magnitude

  friend bool operator==(const TensorScale&, const TensorScale&) = default;
};

/// A block's scale as stored, and the two multipliers that follow: v is stored as q(v encode), where BlockSpec::scaling
/// does not divide, and stands for q(...) decode.
struct BlockScale {
  float scale = 1;  ///< X
  float encode = 1;
  float decode = 1;

  friend bool operator==(const BlockScale&, const BlockScale&) = default;
};

/// The second-level scale of an operand whose largest magnitude is `amax` (g). S and D are 1 without a target, for an
/// operand of zeros, and where g / T or T / g underflows; S is at most the largest float32; both are NaN when amax is
/// infinite or NaN.
TensorScale tensor_scale(const BlockSpec& spec, float amax);

/// Whether the operand has a scale of its own: there is a target, and not all is zero.
inline bool has_second_level(const BlockSpec& spec, float amax) { return spec.tensor_target && amax != 0; }

/// The scale of a block whose statistic is `a` (block_statistic.h), every step rounded to float32, in this order:
///   OcpFloor, Ceil, Even, RoundUp:  b = min(a S, largest float32), Divisor order min(a / D, ...);
///                                   X = 2^e by the rule, -127 <= e <= 127
///   Divide, Reciprocal:             X as TensorOrder says; BlockStatistic::Step: X = p
///   Projection:                     X = a S, Divisor order a / D
///   then max(X, least_scale), rounded to the scale format (float32: not rounded), then ZeroScale; encode and decode
///   follow by ElementScaling and TensorStore.
/// For NVFP4 this is s_b = E4M3((amax_b / 6) s_enc), q = E2M1(x (s_enc / s_b)), x^ = q (s_b s_dec) of arXiv:2509.25149.
/// X = 0: decode is 0. a infinite or NaN: X and decode are NaN; with NonFinite::Ignore, infinity saturates.
BlockScale block_scale(const BlockSpec& spec, const TensorScale& tensor, float a);

/// The steps of block_scale(): X before it is rounded, X, and what follows from it.
float unrounded_scale(const BlockSpec& spec, const TensorScale& tensor, float a);
float rounded_scale(const BlockSpec& spec, float unrounded);
BlockScale with_multipliers(const BlockSpec& spec, const TensorScale& tensor, float scale);

/// Significand bits of an element that Even goes by, the implicit one included; at most 23, for float32 has no half
/// place below its own last bit.
int significand_bits(const FormatSpec& element);

/// decode of a block with the stored scale `scale`: TensorStore.
float block_decode(const BlockSpec& spec, const TensorScale& tensor, float scale);

}  // namespace bitlaw
