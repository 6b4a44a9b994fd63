#include "core/format/storage_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/format/storage_kernels.cpp"
#include <hwy/foreach_target.h>  // compiles this file once per instruction set
#include <hwy/highway.h>

#include <algorithm>

#include "core/base/check.h"
#include "core/format/transform-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bitlaw {
namespace HWY_NAMESPACE {
namespace {

// Highway's own conversions make signalling NaNs quiet on some processors and flush on none; these do neither.

namespace hn = hwy::HWY_NAMESPACE;
using U32 = hn::CappedTag<std::uint32_t, 16>;
using F32 = hn::RebindToFloat<U32>;
using U16 = hn::Rebind<std::uint16_t, U32>;
using Bits = hn::Vec<U32>;

HWY_INLINE Bits bfloat16_to_float(Bits v) { return hn::ShiftLeft<16>(v); }

HWY_INLINE Bits float16_to_float(Bits v) {
  const F32 d;
  const U32 du;
  const auto magnitude = hn::And(v, hn::Set(du, 0x7FFFU));
  const auto sign = hn::ShiftLeft<16>(hn::Xor(v, magnitude));
  const auto top =
      hn::IfThenElse(hn::Gt(magnitude, hn::Set(du, 0x7BFFU)), hn::Set(du, 224U << 23), hn::Set(du, 112U << 23));
  const auto normal = hn::Add(hn::ShiftLeft<13>(magnitude), top);
  const auto half = hn::Set(d, 0.5F);  // one ulp of 0.5 is the least subnormal, 2^-24
  const auto subnormal = hn::Sub(hn::BitCast(d, hn::Add(magnitude, hn::BitCast(du, half))), half);
  const auto is_subnormal = hn::Lt(magnitude, hn::Set(du, 0x400U));
  return hn::Or(sign, hn::IfThenElse(is_subnormal, hn::BitCast(du, subnormal), normal));
}

/// Adds what makes the shift to the right by kShift round to nearest, ties to even.
template <int kShift>
HWY_INLINE Bits round_shift(Bits v) {
  const U32 du;
  const auto odd = hn::And(hn::ShiftRight<kShift>(v), hn::Set(du, 1U));
  return hn::ShiftRight<kShift>(hn::Add(hn::Add(v, hn::Set(du, (1U << (kShift - 1)) - 1)), odd));
}

/// The upper bits of a NaN's magnitude, or a quiet NaN where these are those of infinity.
HWY_INLINE Bits shortened_nan(Bits upper, std::uint32_t infinity, std::uint32_t quiet) {
  const U32 du;
  const auto missing = hn::VecFromMask(du, hn::Eq(upper, hn::Set(du, infinity)));
  return hn::Or(upper, hn::And(missing, hn::Set(du, quiet)));
}

HWY_INLINE Bits float_to_bfloat16(Bits v) {
  const U32 du;
  const auto magnitude = hn::And(v, hn::Set(du, 0x7FFFFFFFU));
  const auto sign = hn::ShiftRight<16>(hn::Xor(v, magnitude));
  const auto nan = shortened_nan(hn::ShiftRight<16>(magnitude), 0x7F80U, 0x40U);
  const auto is_nan = hn::Gt(magnitude, hn::Set(du, 0x7F800000U));
  return hn::Or(sign, hn::IfThenElse(is_nan, nan, round_shift<16>(magnitude)));
}

HWY_INLINE Bits float_to_float16(Bits v) {
  const F32 d;
  const U32 du;
  const auto magnitude = hn::And(v, hn::Set(du, 0x7FFFFFFFU));
  const auto sign = hn::ShiftRight<16>(hn::Xor(v, magnitude));
  const auto infinity = hn::Set(du, 0x7C00U);
  const auto normal = hn::Min(hn::Sub(round_shift<13>(magnitude), hn::Set(du, 112U << 10)), infinity);
  const auto half = hn::Set(d, 0.5F);  // one ulp of 0.5 is the least subnormal, 2^-24
  const auto sum = hn::BitCast(du, hn::Add(hn::BitCast(d, magnitude), half));
  const auto subnormal = hn::Sub(sum, hn::BitCast(du, half));
  const auto is_subnormal = hn::Lt(magnitude, hn::Set(du, 113U << 23));
  const auto number = hn::IfThenElse(is_subnormal, subnormal, normal);
  const auto upper = hn::Or(hn::And(hn::ShiftRight<13>(magnitude), hn::Set(du, 0x3FFU)), infinity);
  const auto is_nan = hn::Gt(magnitude, hn::Set(du, 0x7F800000U));
  return hn::Or(sign, hn::IfThenElse(is_nan, shortened_nan(upper, 0x7C00U, 0x200U), number));
}

template <class F>
HWY_INLINE void widen_all(const std::uint16_t* x, float* out, std::size_t count, const F& f) {
  transform(U16(), F32(), x, out, count,
            [&](auto v, std::size_t) HWY_ATTR { return hn::BitCast(F32(), f(hn::PromoteTo(U32(), v))); });
}

template <class F>
HWY_INLINE void narrow_all(const float* x, std::uint16_t* out, std::size_t count, const F& f) {
  transform(F32(), U16(), x, out, count,
            [&](auto v, std::size_t) HWY_ATTR { return hn::TruncateTo(U16(), f(hn::BitCast(U32(), v))); });
}

void widen_bfloat16(const std::uint16_t* x, float* out, std::size_t count) {
  widen_all(x, out, count, [](Bits v) HWY_ATTR { return bfloat16_to_float(v); });
}
void widen_float16(const std::uint16_t* x, float* out, std::size_t count) {
  widen_all(x, out, count, [](Bits v) HWY_ATTR { return float16_to_float(v); });
}
void narrow_bfloat16(const float* x, std::uint16_t* out, std::size_t count) {
  narrow_all(x, out, count, [](Bits v) HWY_ATTR { return float_to_bfloat16(v); });
}
void narrow_float16(const float* x, std::uint16_t* out, std::size_t count) {
  narrow_all(x, out, count, [](Bits v) HWY_ATTR { return float_to_float16(v); });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace bitlaw
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlaw {
namespace {

HWY_EXPORT(widen_bfloat16);
HWY_EXPORT(widen_float16);
HWY_EXPORT(narrow_bfloat16);
HWY_EXPORT(narrow_float16);

static_assert(sizeof(BFloat16) == sizeof(std::uint16_t) && sizeof(Float16) == sizeof(std::uint16_t));
template <typename T>
const std::uint16_t* bits_of(std::span<const T> x) {
  return reinterpret_cast<const std::uint16_t*>(x.data());
}
template <typename T>
std::uint16_t* bits_of(std::span<T> x) {
  return reinterpret_cast<std::uint16_t*>(x.data());
}

template <typename T, typename U, typename F>
void convert_each(std::span<const T> x, std::span<U> out, F f) {
  BITLAW_CHECK(x.size() == out.size(), "x [{}] into out [{}]", x.size(), out.size());
  std::transform(x.begin(), x.end(), out.begin(), f);
}

}  // namespace

void convert(std::span<const BFloat16> x, std::span<float> out) {
  BITLAW_CHECK(x.size() == out.size(), "x [{}] into out [{}]", x.size(), out.size());
  HWY_DYNAMIC_DISPATCH(widen_bfloat16)(bits_of(x), out.data(), x.size());
}
void convert(std::span<const Float16> x, std::span<float> out) {
  BITLAW_CHECK(x.size() == out.size(), "x [{}] into out [{}]", x.size(), out.size());
  HWY_DYNAMIC_DISPATCH(widen_float16)(bits_of(x), out.data(), x.size());
}
void convert(std::span<const float> x, std::span<BFloat16> out) {
  BITLAW_CHECK(x.size() == out.size(), "x [{}] into out [{}]", x.size(), out.size());
  HWY_DYNAMIC_DISPATCH(narrow_bfloat16)(x.data(), bits_of(out), x.size());
}
void convert(std::span<const float> x, std::span<Float16> out) {
  BITLAW_CHECK(x.size() == out.size(), "x [{}] into out [{}]", x.size(), out.size());
  HWY_DYNAMIC_DISPATCH(narrow_float16)(x.data(), bits_of(out), x.size());
}

void convert(std::span<const float> x, std::span<double> out) {
  convert_each(x, out, [](float v) { return static_cast<double>(v); });
}
void convert(std::span<const double> x, std::span<float> out) {
  convert_each(x, out, [](double v) { return static_cast<float>(v); });
}
void convert(std::span<const BFloat16> x, std::span<double> out) {
  convert_each(x, out, [](BFloat16 v) { return static_cast<double>(to_float(v)); });
}
void convert(std::span<const Float16> x, std::span<double> out) {
  convert_each(x, out, [](Float16 v) { return static_cast<double>(to_float(v)); });
}
void convert(std::span<const double> x, std::span<BFloat16> out) {
  convert_each(x, out, [](double v) { return to_bfloat16(v); });
}
void convert(std::span<const double> x, std::span<Float16> out) {
  convert_each(x, out, [](double v) { return to_float16(v); });
}

}  // namespace bitlaw
#endif
