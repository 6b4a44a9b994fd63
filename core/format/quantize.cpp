#include "core/format/quantize.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/format/quantize.cpp"
#include <hwy/foreach_target.h>  // compiles this file once per instruction set
#include <hwy/highway.h>

#include <algorithm>
#include <array>

#include "core/base/check.h"
#include "core/format/round_vector-inl.h"
#include "core/format/rounding_plan.h"

HWY_BEFORE_NAMESPACE();
namespace bitlaw {
namespace HWY_NAMESPACE {
namespace {

/// The plan is a copy: behind a reference its floats could be those that `out` overwrites.
template <Rounding kRounding, bool kPlain>
void quantize_span(const RoundingPlan plan, const float* x, float* out, std::size_t count,
                   const std::uint32_t* random) {
  transform_vectors(x, out, count, [&](FloatVector v, std::size_t i) HWY_ATTR {
    const auto rounded = round_value<kRounding, kPlain>(plan, v, load_random<kRounding>(random, i));
    return hn::IfThenElse(hn::IsNaN(v), v, rounded);
  });
}

void quantize_kernel(const RoundingPlan& plan, Rounding rounding, const float* x, float* out, std::size_t count,
                     const std::uint32_t* random) {
  with_constants(rounding, plan.is_plain, [&]<Rounding kRounding, bool kPlain>() {
    quantize_span<kRounding, kPlain>(plan, x, out, count, random);
  });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace bitlaw
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlaw {
namespace {

HWY_EXPORT(quantize_kernel);

constexpr std::size_t kRandomChunk = 512;  ///< small, so that computing random bits and waiting for memory alternate
constexpr std::size_t kReadableBeyond = 16;

void quantize_stochastic(const RoundingPlan& plan, std::span<const float> x, std::span<float> out,
                         const RandomStream& stream) {
  std::array<std::uint32_t, kRandomChunk + kReadableBeyond> random;
  std::fill(random.begin() + kRandomChunk, random.end(), 0);
  for (std::size_t i = 0; i < x.size(); i += kRandomChunk) {
    const std::size_t count = std::min(kRandomChunk, x.size() - i);
    random_bits(stream, i, std::span(random).first(count));
    HWY_DYNAMIC_DISPATCH(quantize_kernel)(plan, Rounding::Stochastic, &x[i], &out[i], count, random.data());
  }
}

}  // namespace

void quantize(const FormatSpec& spec, Rounding rounding, Overflow overflow, std::span<const float> x,
              std::span<float> out, const RandomStream& stream) {
  BITLAW_CHECK(x.size() == out.size(), "x [{}] into out [{}]", x.size(), out.size());
  if (!spec.is_signed || !RoundingPlan::covers(spec)) {
    return quantize_reference(spec, rounding, overflow, x, out, stream);
  }
  const RoundingPlan plan(spec, overflow);
  if (rounding == Rounding::Stochastic) return quantize_stochastic(plan, x, out, stream);
  HWY_DYNAMIC_DISPATCH(quantize_kernel)(plan, rounding, x.data(), out.data(), x.size(), nullptr);
}

}  // namespace bitlaw
#endif
