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

/// c = op(a) op(b) on and below the diagonal of c, as gemm gives it; above, c may hold anything. Saves up to half the
/// work: the scores of causal attention.
void gemm_lower(Op op_a, Op op_b, ConstMatrixView<float> a, ConstMatrixView<float> b, MatrixView<float> c);
void gemm_lower(Op op_a, Op op_b, ConstMatrixView<double> a, ConstMatrixView<double> b, MatrixView<double> c);

/// gemm of an `a` whose elements above the diagonal, as stored, are 0 (either sign): their products are left out, up to
/// half the work. The same bits where b is finite and no -0 is added to; 0 times infinity or NaN may be missing.
void gemm_of_lower(Op op_a, Op op_b, ConstMatrixView<float> a, ConstMatrixView<float> b, MatrixView<float> c,
                   Accumulate accumulate = Accumulate::Overwrite);
void gemm_of_lower(Op op_a, Op op_b, ConstMatrixView<double> a, ConstMatrixView<double> b, MatrixView<double> c,
                   Accumulate accumulate = Accumulate::Overwrite);

/// gemm by definition, three loops.
void gemm_reference(Op op_a, Op op_b, ConstMatrixView<float> a, ConstMatrixView<float> b, MatrixView<float> c,
                    Accumulate accumulate = Accumulate::Overwrite);

}  // namespace bitlaw
