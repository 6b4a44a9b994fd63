#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "core/format/rounding_plan.h"

#define BITLAW_FOR_EACH_NEAREST_CODE_KERNEL(F) \
  F(float, std::uint8_t, f32_u8)               \
  F(float, std::uint16_t, f32_u16)             \
  F(double, std::uint8_t, f64_u8)              \
  F(double, std::uint16_t, f64_u16)

namespace bitlaw {

/// Whether codes_of_nearest does what rounding by `plan` and then encoding does.
template <typename T>
bool rounds_into_codes(const RoundingPlan<T>& plan) {
  return (plan.kernel == RoundingKernel::Nearest || plan.kernel == RoundingKernel::OnBits) && plan.spec.is_signed &&
         plan.has_minus_zero && !plan.spec.is_twos_complement();
}

// codes[i] = the code of x[i] rounded by a plan that rounds_into_codes, without the values in between. False when there
// is a NaN; the codes then mean nothing.
#define BITLAW_DECLARE(T, Code, name) \
  bool codes_of_nearest(const RoundingPlan<T>& plan, const T* x, Code* codes, std::size_t count);
BITLAW_FOR_EACH_NEAREST_CODE_KERNEL(BITLAW_DECLARE)
#undef BITLAW_DECLARE

}  // namespace bitlaw
