#pragma once

#include <array>
#include <cstddef>

namespace bitlaw {

/// Deterministic rounding to a codebook as a search: v becomes table[i] where thresholds[i - 1] <= v < thresholds[i].
/// Beyond the last threshold the list is filled with NaN: no v is at or above that.
template <typename W>
struct CodebookPlan {
  std::size_t size;  ///< of the codebook
  std::array<W, 256> thresholds, table;
  W nan_value;  ///< what a NaN becomes, unless it stays
  bool keeps_nan;
};

/// In vectors; out may be x.
void select_vectors(const CodebookPlan<float>& plan, const float* x, float* out, std::size_t count);
void select_vectors(const CodebookPlan<double>& plan, const double* x, double* out, std::size_t count);

}  // namespace bitlaw
