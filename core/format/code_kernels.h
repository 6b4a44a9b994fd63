#pragma once

#include <cstddef>
#include <cstdint>

#include "core/format/code_plan.h"

// The kernels by the type of the values, of the codes, and the name of both.
#define BITLAW_FOR_EACH_CODE_KERNEL(F) \
  F(float, std::uint8_t, f32_u8)       \
  F(float, std::uint16_t, f32_u16)     \
  F(float, std::uint32_t, f32_u32)     \
  F(double, std::uint8_t, f64_u8)      \
  F(double, std::uint16_t, f64_u16)    \
  F(double, std::uint32_t, f64_u32)    \
  F(double, std::uint64_t, f64_u64)

namespace bitlaw {

// codes_of_values: codes[i] = the code of values[i], a value of the format, infinity where it has one, or NaN. False
// when there is a NaN without a code; the codes then mean nothing.
// values_of_codes: the inverse. False when a code has too many bits; the values then mean nothing. `past_caches`: so
// the values are written; call finish_past_caches() at the end.
#define BITLAW_DECLARE(W, Code, name)                                                             \
  bool codes_of_values(const CodePlan<W>& plan, const W* values, Code* codes, std::size_t count); \
  bool values_of_codes(const CodePlan<W>& plan, const Code* codes, W* values, std::size_t count, bool past_caches);
BITLAW_FOR_EACH_CODE_KERNEL(BITLAW_DECLARE)
#undef BITLAW_DECLARE

}  // namespace bitlaw
