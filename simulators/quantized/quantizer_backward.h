#pragma once

#include <span>
#include <vector>

#include "core/block/block_spec.h"
#include "core/tensor/matrix.h"
#include "simulators/quantized/given_scales.h"
#include "simulators/quantized/surrogate.h"

namespace bitlaw {

/// One block: x^_i = S q_i with u_i = x_i / S and S proportional to a, the largest magnitude (ScaleGradient).
/// g <- J^T g, the vector-Jacobian product with f for rounding:
///   g_j f'(u_j) + (S / a) da/dx_j sum_i g_i (q_i - u_i f'(u_i))
/// Returns sum_i g_i (q_i - u_i f'(u_i)), the derivative with respect to S.
///
/// It is exact for x^ = S f(x / S) when q_i = f(u_i); with the q of the forward pass it is the usual estimate.
/// `slope` is dS/da = S / a. Blocks of zeros keep g f'(0).
double block_backward(const Surrogate& surrogate, const GradientSpec& gradient, double scale, double slope,
                      std::span<const double> x, std::span<const double> q, std::span<double> g);

/// Replaces d, the gradient of the quantized operand, by that of the operand x. `quantized` is what quantize_blocks
/// made of x with `given`, on which no element has an influence. All [rows, cols]. Blocks whose scale is zero or NaN
/// pass d through. Returns the derivatives with respect to ln p of BlockStatistic::Step or ClipRatio, to whose p S is
/// proportional: for each of given.parameters, or for the only one, the sum of S dL/dS over its blocks.
///
/// The rounding of scales passes straight through, so the second-level scale, on which S then does not depend, has no
/// gradient of its own.
std::vector<double> quantizer_backward(const BlockSpec& spec, const GradientSpec& gradient, KAxis k_axis,
                                       ConstMatrixView<float> x, ConstMatrixView<float> quantized, MatrixView<float> d,
                                       const GivenScales& given = {});

}  // namespace bitlaw
