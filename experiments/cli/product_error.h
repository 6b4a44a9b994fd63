#pragma once

#include <cstdint>

#include "core/tensor/matrix.h"

namespace bitlaw {

/// How far C is from A B^T, summed in float64: |c - sum a b| / sum |a b| per element, 0 where both are 0. The float64
/// sum is itself off by at most (k - 1) 2^-53 in these units; products of float32 are exact in it.
struct ProductError {
  double max = 0, rms = 0;
  std::int64_t rows = 0;        ///< rows of C that were looked at, spread evenly
  std::int64_t not_finite = 0;  ///< elements there whose c, or sum, is infinite or NaN: left out
};

/// Products that product_error sums at most, but at least one row of C.
inline constexpr std::int64_t kMostErrorProducts = std::int64_t{1} << 31;

/// Shapes: a [m, k], b [n, k], c [m, n].
ProductError product_error(ConstMatrixView<float> a, ConstMatrixView<float> b, ConstMatrixView<float> c, int threads,
                           std::int64_t most_products = kMostErrorProducts);

}  // namespace bitlaw
