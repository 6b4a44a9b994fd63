#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/tensor/accumulator.h"
#include "experiments/cli/element_progress.h"
#include "experiments/cli/product_error.h"

namespace bitlaw {

/// What `bitlaw gemm` was asked, as typed.
struct GemmRequest {
  std::string a, b, out;
  std::optional<std::string> accumulator;
  bool transpose_b = false;
  int threads = 1;
};

/// What a product of files has done. Shapes: A [m, k], C [m, n].
struct GemmReport {
  AccumulatorSpec accumulator;
  std::int64_t m = 0, k = 0, n = 0;
  std::int64_t fast_rows = 0;  ///< rows of C by the vector kernel; the others by definition
  double seconds = 0;          ///< of the product alone
  ProductError error;

  /// 2 m k n operations per second, in 10^9; 0 where there is nothing to time.
  double gflops() const;
};

/// Multiplies two float32 matrices in .npy files into a third. All three are in memory. C is in C order. InputErrors
/// name the file or the flag. Nothing when `go_on` said stop: then, and on an error, the output is as it was.
std::optional<GemmReport> gemm_file(const GemmRequest& request, const ElementsDone& go_on);

/// What is printed.
std::string gemm_text(const GemmRequest& request, const GemmReport& report);
std::string gemm_json(const GemmRequest& request, const GemmReport& report);

}  // namespace bitlaw
