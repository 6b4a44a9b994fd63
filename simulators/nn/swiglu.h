#pragma once

#include "core/tensor/matrix.h"

namespace bitlaw {

/// h = silu(g) * u,  silu(g) = g / (1 + e^-g).  Shazeer 2020, arXiv:2002.05202, SwiGLU.
///
/// Shapes: gate_up [rows, 2 F] holds g in its first F columns and u in the rest; h [rows, F].
template <typename T>
void swiglu_forward(ConstMatrixView<T> gate_up, MatrixView<T> h);

/// dgate_up from dh.
template <typename T>
void swiglu_backward(ConstMatrixView<T> gate_up, ConstMatrixView<T> dh, MatrixView<T> dgate_up);

}  // namespace bitlaw
