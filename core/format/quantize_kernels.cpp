#include "core/format/quantize_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/format/quantize_kernels.cpp"
#include <hwy/foreach_target.h>  // compiles this file once per instruction set
#include <hwy/highway.h>

#include <algorithm>

#include "core/format/random_fields.h"
#include "core/format/round_vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bitlaw {
namespace HWY_NAMESPACE {
namespace {

/// The plan is a copy: behind a reference its numbers could be those that `out` overwrites.
template <RoundingKernel kKernel, typename T>
void quantize_piece(const RoundingPlan<T> plan, const LoopRandom random, const T* x, T* out, std::size_t count) {
  const Tag<T> d;
  transform_vectors(x, out, count, [&](Vector<T> v, std::size_t i) HWY_ATTR {
    auto nan = v;
    if constexpr (!is_plain(kKernel)) {
      if (!plan.keeps_nan) nan = hn::Set(d, plan.nan);
    }
    return hn::IfThenElse(hn::IsNaN(v), nan, round_value<kKernel>(plan, v, random, i));
  });
}

template <typename T>
void quantize_any(const RoundingPlan<T>& plan, const LoopRandom& random, const T* x, T* out, std::size_t count) {
  with_kernel(plan.kernel, [&]<RoundingKernel kKernel>() { quantize_piece<kKernel>(plan, random, x, out, count); });
}

void quantize_floats(const RoundingPlan<float>& plan, const LoopRandom& random, const float* x, float* out,
                     std::size_t count) {
  quantize_any(plan, random, x, out, count);
}

void quantize_doubles(const RoundingPlan<double>& plan, const LoopRandom& random, const double* x, double* out,
                      std::size_t count) {
  quantize_any(plan, random, x, out, count);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace bitlaw
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlaw {
namespace {

HWY_EXPORT(quantize_floats);
HWY_EXPORT(quantize_doubles);

/// Random bits are drawn for as many elements as stay in the L1 cache.
template <typename T, typename Kernel>
void quantize_pieces(const RoundingPlan<T>& plan, const RandomStream& stream, std::span<const T> x, std::span<T> out,
                     std::uint64_t first, Kernel kernel) {
  if (!plan.conversion.rounding.is_stochastic()) return kernel(plan, {}, x.data(), out.data(), x.size());
  RandomFields fields({plan.spec, plan.conversion, stream});
  for (std::size_t i = 0; i < x.size(); i += RandomFields::kMostElements) {
    const std::size_t count = std::min(RandomFields::kMostElements, x.size() - i);
    kernel(plan, fields.of(first + i, count), &x[i], &out[i], count);
  }
}

}  // namespace

void quantize_vectors(const RoundingPlan<float>& plan, const RandomStream& stream, std::span<const float> x,
                      std::span<float> out, std::uint64_t first) {
  quantize_pieces(plan, stream, x, out, first, HWY_DYNAMIC_DISPATCH(quantize_floats));
}

void quantize_vectors(const RoundingPlan<double>& plan, const RandomStream& stream, std::span<const double> x,
                      std::span<double> out, std::uint64_t first) {
  quantize_pieces(plan, stream, x, out, first, HWY_DYNAMIC_DISPATCH(quantize_doubles));
}

}  // namespace bitlaw
#endif
