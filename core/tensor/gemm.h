#pragma once

#include <cstdint>

#include "core/tensor/matrix.h"

namespace bitlaw {

/// Whether an operand enters a product as stored or transposed.
enum class Op : std::uint8_t {
  AsIs,
  Transposed
};

/// What happens to the previous content of c.
enum class Accumulate : std::uint8_t {
  Overwrite,
  Add
};

/// c = op(a) op(b), or c += op(a) op(b).  Shapes: op(a) [m, k], op(b) [k, n], c [m, n].
///
/// Order of summation, part of the specification: every element of c is one chain of fused multiply-adds over k in
/// ascending order, s <- fma(a[i, k], b[k, j], s), starting from +0 or from c[i, j]. So the bits depend on neither
/// tile sizes nor vector width, and equal gemm_reference. float: Highway kernel, in parts by the team of threads
/// (core/base/team.h); double: the reference.
void gemm(Op op_a, Op op_b, ConstMatrixView<float> a, ConstMatrixView<float> b, MatrixView<float> c,
          Accumulate accumulate = Accumulate::Overwrite);
void gemm(Op op_a, Op op_b, ConstMatrixView<double> a, ConstMatrixView<double> b, MatrixView<double> c,
          Accumulate accumulate = Accumulate::Overwrite);

/// The same by definition, three loops.
void gemm_reference(Op op_a, Op op_b, ConstMatrixView<float> a, ConstMatrixView<float> b, MatrixView<float> c,
                    Accumulate accumulate = Accumulate::Overwrite);

}  // namespace bitlaw
