#include "experiments/cli/product_error.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/base/parallel.h"

namespace bitlaw {
namespace {

/// NaN where the element is left out.
double relative_error(const float* a, const float* b, std::int64_t k, float c) {
  double sum = 0, magnitude = 0;
  for (std::int64_t i = 0; i < k; ++i) {
    const double product = double{a[i]} * double{b[i]};
    sum += product;
    magnitude += std::abs(product);
  }
  if (!std::isfinite(c) || !std::isfinite(magnitude)) return NAN;
  const double error = std::abs(double{c} - sum);
  return error == 0 ? 0 : error / magnitude;
}

}  // namespace

ProductError product_error(ConstMatrixView<float> a, ConstMatrixView<float> b, ConstMatrixView<float> c, int threads,
                           std::int64_t most_products) {
  ProductError result;
  const std::int64_t row_products = std::max<std::int64_t>(1, b.size());
  result.rows = std::min(c.rows, std::max<std::int64_t>(1, most_products / row_products));
  std::vector<double> errors(static_cast<std::size_t>(result.rows * c.cols));
  parallel_parts(errors.size(), threads, [&](std::size_t first, std::size_t last) {
    for (std::size_t e = first; e < last; ++e) {
      const std::int64_t i = static_cast<std::int64_t>(e) / c.cols * c.rows / result.rows;
      const std::int64_t j = static_cast<std::int64_t>(e) % c.cols;
      errors[e] = relative_error(a.row(i), b.row(j), a.cols, c(i, j));
    }
  });
  double squares = 0;
  for (const double error : errors) {
    if (std::isnan(error)) {
      ++result.not_finite;
      continue;
    }
    result.max = std::max(result.max, error);
    squares += error * error;
  }
  const std::int64_t counted = static_cast<std::int64_t>(errors.size()) - result.not_finite;
  if (counted > 0) result.rms = std::sqrt(squares / static_cast<double>(counted));
  return result;
}

}  // namespace bitlaw
