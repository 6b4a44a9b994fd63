#pragma once

#include "core/tensor/matrix.h"

namespace bitlaw {

/// y = gain * x / rms,  rms = sqrt(mean of x^2 over the row + 1e-5).  Zhang & Sennrich 2019, arXiv:1910.07467.
///
/// Shapes: x, y [rows, features]; gain [features]; inverse_rms [rows], kept for the backward pass.
template <typename T>
void rms_norm_forward(ConstMatrixView<T> x, const T* gain, MatrixView<T> y, T* inverse_rms);

/// dx += the gradient with respect to x, dgain += with respect to gain. dx may hold the residual branch's gradient.
template <typename T>
void rms_norm_backward(ConstMatrixView<T> x, const T* gain, const T* inverse_rms, ConstMatrixView<T> dy,
                       MatrixView<T> dx, T* dgain);

}  // namespace bitlaw
