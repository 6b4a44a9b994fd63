#pragma once

#include <cstdint>
#include <span>

#include "core/format/rounding_plan.h"
#include "core/random/philox.h"

namespace bitlaw {

/// out[i] = x[i] rounded by `plan` with the random bits of element first + i of `stream`, in vectors.
void quantize_vectors(const RoundingPlan<float>& plan, const RandomStream& stream, std::span<const float> x,
                      std::span<float> out, std::uint64_t first);
void quantize_vectors(const RoundingPlan<double>& plan, const RandomStream& stream, std::span<const double> x,
                      std::span<double> out, std::uint64_t first);
/// The same in vectors of float64, for formats that those of float32 cannot do.
void quantize_vectors(const RoundingPlan<double>& plan, const RandomStream& stream, std::span<const float> x,
                      std::span<float> out, std::uint64_t first);

}  // namespace bitlaw
