#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/format/quantize.h"
#include "core/format/rounding_plan.h"

namespace bitlaw {

/// quantize() of one thread with its preparations done once, for callers that work piece by piece. T: float, double.
template <typename T>
class Quantizer {
 public:
  Quantizer(const FormatSpec& spec, const Conversion& conversion, const RandomStream& stream);

  /// out[i] = x[i] rounded with the random bits of element first + i. out may be x.
  void operator()(std::span<const T> x, std::span<T> out, std::uint64_t first) const;

  /// How vectors of T round, or null where they cannot.
  const RoundingPlan<T>* plan() const { return plan_ ? &*plan_ : nullptr; }

 private:
  FormatSpec spec_;
  Conversion conversion_;
  RandomStream stream_;
  std::optional<RoundingPlan<T>> plan_;          ///< where vectors of T can do it
  std::optional<RoundingPlan<double>> through_;  ///< float32 only: where those of float64 can
};

extern template class Quantizer<float>;
extern template class Quantizer<double>;

}  // namespace bitlaw
