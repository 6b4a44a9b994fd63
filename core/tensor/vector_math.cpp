#include "core/tensor/vector_math.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/tensor/vector_math.cpp"
#include <hwy/foreach_target.h>  // compiles this file once per instruction set
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "core/base/check.h"

#ifndef BITLAW_EXP_CONSTANTS
#define BITLAW_EXP_CONSTANTS
namespace bitlaw {
namespace exp_detail {

// e^x = 2^n e^r with n = round(x / ln 2), |r| <= ln(2) / 2. ln 2 is split so that n * kLn2High is exact for |n| < 2^9
// (Cody & Waite 1980); e^r is its Taylor polynomial, whose remainder r^8 / 8! is below 2^-27.
inline constexpr float kLog2E = 0x1.715476p+0F;
inline constexpr float kLn2High = 0x1.62ep-1F;
inline constexpr float kLn2Low = 0x1.0bfbe8p-15F;
inline constexpr std::array<float, 8> kTaylor{1.0F / 5040, 1.0F / 720, 1.0F / 120, 1.0F / 24,
                                              1.0F / 6,    0.5F,       1.0F,       1.0F};
inline constexpr float kLeast = -87.0F;
inline constexpr float kMost = 88.0F;

}  // namespace exp_detail
}  // namespace bitlaw
#endif

HWY_BEFORE_NAMESPACE();
namespace bitlaw {
namespace HWY_NAMESPACE {
namespace {

#if HWY_TARGET == HWY_SSSE3 || HWY_TARGET == HWY_SSE4 || HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128

// No fused multiply-add in these instruction sets: the C library's gives the specified bits.
void exp_kernel(const float* x, float* y, std::size_t count) { std::transform(x, x + count, y, exp_reference); }

#else

namespace hn = hwy::HWY_NAMESPACE;

template <class D>
HWY_INLINE hn::Vec<D> exp_vector(D d, hn::Vec<D> x) {
  const hn::RebindToSigned<D> di;
  const auto clamped = hn::Min(hn::Max(x, hn::Set(d, exp_detail::kLeast)), hn::Set(d, exp_detail::kMost));
  const auto n = hn::Round(hn::Mul(clamped, hn::Set(d, exp_detail::kLog2E)));
  auto r = hn::NegMulAdd(n, hn::Set(d, exp_detail::kLn2High), clamped);
  r = hn::NegMulAdd(n, hn::Set(d, exp_detail::kLn2Low), r);
  auto sum = hn::Set(d, exp_detail::kTaylor[0]);
  for (std::size_t i = 1; i < exp_detail::kTaylor.size(); ++i)
    sum = hn::MulAdd(sum, r, hn::Set(d, exp_detail::kTaylor[i]));
  const auto power = hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(hn::ConvertTo(di, n), hn::Set(di, 127))));
  const auto result = hn::IfThenElse(hn::Lt(x, hn::Set(d, exp_detail::kLeast)), hn::Zero(d), hn::Mul(sum, power));
  return hn::IfThenElse(hn::IsNaN(x), x, result);
}

void exp_kernel(const float* x, float* y, std::size_t count) {
  const hn::CappedTag<float, 16> d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) hn::StoreU(exp_vector(d, hn::LoadU(d, x + i)), d, y + i);
  if (i < count) {
    std::array<float, 16> rest{};
    std::copy(x + i, x + count, rest.begin());
    hn::StoreU(exp_vector(d, hn::LoadU(d, rest.data())), d, rest.data());
    std::copy_n(rest.begin(), count - i, y + i);
  }
}

#endif

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace bitlaw
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlaw {
namespace {
HWY_EXPORT(exp_kernel);
}

float exp_reference(float x) {
  if (std::isnan(x)) return x;
  if (x < exp_detail::kLeast) return 0.0F;
  const float clamped = std::min(x, exp_detail::kMost);
  const float n = std::nearbyint(clamped * exp_detail::kLog2E);
  float r = std::fma(-n, exp_detail::kLn2High, clamped);
  r = std::fma(-n, exp_detail::kLn2Low, r);
  float sum = exp_detail::kTaylor[0];
  for (std::size_t i = 1; i < exp_detail::kTaylor.size(); ++i) sum = std::fma(sum, r, exp_detail::kTaylor[i]);
  return sum * std::bit_cast<float>((static_cast<std::int32_t>(n) + 127) << 23);
}

void exp(std::span<const float> x, std::span<float> y) {
  BITLAW_CHECK(x.size() == y.size(), "x [{}] into y [{}]", x.size(), y.size());
  HWY_DYNAMIC_DISPATCH(exp_kernel)(x.data(), y.data(), x.size());
}

void exp(std::span<const double> x, std::span<double> y) {
  BITLAW_CHECK(x.size() == y.size(), "x [{}] into y [{}]", x.size(), y.size());
  std::transform(x.begin(), x.end(), y.begin(), [](double v) { return std::exp(v); });
}

}  // namespace bitlaw
#endif
