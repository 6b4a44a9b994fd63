#include "core/format/quantize.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/format/quantize.cpp"
#include <hwy/foreach_target.h>  // compiles this file once per instruction set
#include <hwy/highway.h>

#include <algorithm>

#include "core/base/check.h"
#include "core/format/round_vector-inl.h"
#include "core/format/rounding_plan.h"

HWY_BEFORE_NAMESPACE();
namespace bitlaw {
namespace HWY_NAMESPACE {
namespace {

/// The plan is a copy: behind a reference its floats could be those that `out` overwrites.
template <RoundingMode kRounding, bool kPlain>
void quantize_span(const RoundingPlan plan, const float* x, float* out, std::size_t count,
                   const std::uint32_t* random) {
  transform_vectors(x, out, count, [&](FloatVector v, std::size_t i) HWY_ATTR {
    const auto rounded = round_value<kRounding, kPlain>(plan, v, load_random<kRounding>(random, i));
    return hn::IfThenElse(hn::IsNaN(v), v, rounded);
  });
}

void quantize_kernel(const RoundingPlan& plan, RoundingMode rounding, const float* x, float* out, std::size_t count,
                     const std::uint32_t* random) {
  with_constants(rounding, plan.is_plain, [&]<RoundingMode kRounding, bool kPlain>() {
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

}  // namespace

void quantize(const FormatSpec& spec, const Conversion& conversion, std::span<const float> x, std::span<float> out,
              const RandomStream& stream, int) {
  BITLAW_CHECK(x.size() == out.size(), "x [{}] into out [{}]", x.size(), out.size());
  if (!RoundingPlan::covers(spec, conversion)) return quantize_reference(spec, conversion, x, out, stream);
  const RoundingPlan plan(spec, conversion.overflow);
  HWY_DYNAMIC_DISPATCH(quantize_kernel)(plan, conversion.rounding.mode, x.data(), out.data(), x.size(), nullptr);
}

void quantize(const FormatSpec& spec, const Conversion& conversion, std::span<const double> x, std::span<double> out,
              const RandomStream& stream, int) {
  quantize_reference(spec, conversion, x, out, stream);
}

}  // namespace bitlaw
#endif
