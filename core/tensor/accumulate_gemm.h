#pragma once

#include <span>

#include "core/tensor/accumulator.h"
#include "core/tensor/matrix.h"

namespace bitlaw {

/// c = a b^T, every element summed by the model `spec`.  Shapes: a [m, k], b [n, k], c [m, n].
///
/// The bits depend neither on the instruction set nor on `threads`, of which each takes some columns of c. Equal bit
/// for bit to gemm_accumulate_reference, which does the work where is_accumulated_fast is false.
void gemm_accumulate(const AccumulatorSpec& spec, ConstMatrixView<float> a, ConstMatrixView<float> b,
                     MatrixView<float> c, int threads = 1);

/// The same by definition: accumulate_dot for each element.
void gemm_accumulate_reference(const AccumulatorSpec& spec, ConstMatrixView<float> a, ConstMatrixView<float> b,
                               MatrixView<float> c);

/// Whether gemm_accumulate has a vector kernel for this model and these operands.
///
/// All formats have subnormals, fraction bits and minus zero. Sequential: all elements are finite, or the sums are
/// float32 of rounded products, or those of gemm(). TensorCore: all elements are finite and none is subnormal in
/// float32, between_rounding is toward zero or ties to even, and
/// - aligned: so is `alignment`; alignment_bits + log2(4 group + 2) <= 37; k < 2^20; the most significant bits of
///   a's and b's elements are together 24 or fewer (E4M3, E5M2, E2M1 times E4M3 scales, bfloat16, binary16 are); the
///   exponents of all non-zero elements lie in [alignment_bits - 63, 48], those of one operand within 63 binades;
/// - exact: the largest exponents of a's and b's elements and 2 + log2 group are together at most 53 more than the
///   exponents of the lowest bits set in a and in b: sums of a group are exact in double.
bool is_accumulated_fast(const AccumulatorSpec& spec, ConstMatrixView<float> a, ConstMatrixView<float> b);

/// One element of c, the definition: sum over k of a[k] b[k]. a and b have the same size.
float accumulate_dot(const AccumulatorSpec& spec, std::span<const float> a, std::span<const float> b);

/// The running sum after one group of ChunkSum::TensorCore, from `running` and at most spec.group products: what the
/// hardware's instruction d = a b + c gives for one element.
float accumulate_group(const AccumulatorSpec& spec, float running, std::span<const float> a, std::span<const float> b);

}  // namespace bitlaw
