#pragma once

#include <cstdint>

#include "core/random/philox.h"
#include "core/tensor/matrix.h"

namespace bitlaw {

/// x <- x D H / sqrt(size) in consecutive pieces of `size` elements along the K axis: random signs D, then the
/// Walsh-Hadamard matrix H in natural (Sylvester) order. `size` is a power of two that divides the extent of K.
/// Signs are those of `stream`: element e of a piece is negated when bit 31 of random_bits(stream, e) is set.
/// Orthonormal, so that rotating both operands of a product leaves it unchanged in exact arithmetic.
void hadamard_rotate(MatrixView<float> x, KAxis k_axis, int size, const RandomStream& stream);

/// The inverse: x <- x H D / sqrt(size).
void hadamard_unrotate(MatrixView<float> x, KAxis k_axis, int size, const RandomStream& stream);

/// The same two, one element at a time: what the vectorised ones equal bit for bit. All steps are float32: signs, then
/// for h = 1, 2, 4, ... the pairs (a, b) at distance h become (a + b, a - b), then the product with
/// 1 / sqrt(size) rounded to float32; to invert, the signs come last.
/// Error: each output is within (log2(size) + 2) 2^-24 of the exact one, times its piece's sum of magnitudes /
/// sqrt(size).
void hadamard_rotate_reference(MatrixView<float> x, KAxis k_axis, int size, const RandomStream& stream);
void hadamard_unrotate_reference(MatrixView<float> x, KAxis k_axis, int size, const RandomStream& stream);

}  // namespace bitlaw
