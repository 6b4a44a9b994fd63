#pragma once

#include "core/block/block_spec.h"

namespace bitlaw {

/// The two multipliers of a block: an element v is stored as q(v * encode) and stands for q(v * encode) * decode.
struct BlockScale {
  float encode = 1;
  float decode = 1;

  friend bool operator==(const BlockScale&, const BlockScale&) = default;
};

/// The second-level encode multiplier S of an operand whose largest magnitude is `amax`: target / amax in float32.
/// 1 without a target or for an operand of zeros; the largest float32 where the quotient overflows; NaN when amax is
/// infinite or NaN.
float tensor_encode(const BlockSpec& spec, float amax);

/// The multipliers of a block whose largest magnitude is `amax`, every step rounded to float32, in this order:
///   OcpFloor, RoundUp:  a = amax * S;  X = 2^e by the rule, -127 <= e <= 127, then rounded to the scale format
///   AmaxNearest:        X = (amax / max) * S, then rounded to the scale format
///   encode = min(S / X, largest float32);  decode = X * (1 / S)
/// S is tensor_encode, 1 without a second level. Rounding to a scale format is to nearest, ties to even, and
/// saturates; subnormal scales are kept. For NVFP4 this is s_b = E4M3((amax_b / 6) s_enc), q = E2M1(x (s_enc / s_b)),
/// x^ = q (s_b s_dec) of arXiv:2509.25149. X = 0 (amax = 0, or below half of the least scale): decode is 0.
/// amax infinite or NaN: decode is NaN.
BlockScale block_scale(const BlockSpec& spec, float amax, float tensor_encode);

}  // namespace bitlaw
