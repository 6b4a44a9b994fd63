#include "core/format/quantize_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/format/quantize_kernels.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>  // compiles this file once per instruction set
#include <hwy/highway.h>

#include <algorithm>
#include <type_traits>

#include "core/base/beyond_caches.h"
#include "core/format/random_fields.h"
#include "core/format/round_vector-inl.h"
#include "core/random/philox_vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bitlaw {
namespace HWY_NAMESPACE {
namespace {

/// float32 from float64, as the language converts. Highway's emulated targets would take infinity to the largest float.
template <class D32>
HWY_INLINE hn::Vec<D32> narrow(D32 d32, Vector<double> v) {
#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128
  double wide[kMostLanes<double>];
  float lanes[kMostLanes<double>];
  hn::StoreU(v, Tag<double>(), wide);
  for (std::size_t i = 0; i < hn::Lanes(d32); ++i) lanes[i] = static_cast<float>(wide[i]);
  return hn::LoadU(d32, lanes);
#else
  return hn::DemoteTo(d32, v);
#endif
}

/// out[i] = x[i] rounded with the random numbers at index i of `random`. S: T, or float32 that is rounded as float64,
/// which holds it exactly, and then becomes float32 again.
template <RoundingKernel kKernel, typename T, typename S>
HWY_INLINE void quantize_piece(const RoundingPlan<T>& plan, const LoopRandom& random, const S* x, S* out,
                               std::size_t count, bool past_caches, [[maybe_unused]] Doubts<T>* doubts = nullptr) {
  [[maybe_unused]] const Tag<T> d;
  const hn::Rebind<S, Tag<T>> ds;
  const auto quantize = [&](auto v, std::size_t i) HWY_ATTR {
    auto nan = v;
    if constexpr (!is_plain(kKernel)) {
      if (!plan.keeps_nan) nan = hn::Set(ds, static_cast<S>(plan.nan));
    }
    if constexpr (std::is_same_v<S, T>) {
      return hn::IfThenElse(hn::IsNaN(v), nan, round_value<kKernel>(plan, v, random, i, doubts));
    } else {
      const auto rounded = round_value<kKernel>(plan, hn::PromoteTo(d, v), random, i, doubts);
      return hn::IfThenElse(hn::IsNaN(v), nan, narrow(ds, rounded));
    }
  };
  transform(ds, ds, x, out, count, quantize, arrays(past_caches));
  if constexpr (is_stochastic(kKernel)) {
    if (HWY_LIKELY(doubts->count == 0)) return;
    settle(*doubts, random, count, [&](T value, std::size_t i) { out[i] = static_cast<S>(value); });
    doubts->count = 0;
  }
}

/// The same in pieces for which one step of Philox suffices: memory is read while the next numbers are computed.
template <RoundingKernel kKernel, typename T, typename S>
HWY_INLINE void quantize_stochastically(const RoundingPlan<T>& plan, const RoundingDefinition& definition,
                                        std::uint64_t first, const S* x, S* out, std::size_t count, bool past_caches) {
  const std::uint64_t per_word = 32 / static_cast<unsigned>(plan.field_bits);
  const std::uint64_t per_high_word = per_word << 34;
  HWY_ALIGN std::uint32_t words[PhiloxSteps::kMostWords + kMostLanes<float>] = {};
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(words);
  Doubts<T> doubts;
  while (count > 0) {
    const PhiloxSteps steps(definition.stream, static_cast<std::uint32_t>(first / per_high_word));
    std::size_t left = static_cast<std::size_t>(std::min<std::uint64_t>(count, per_high_word - first % per_high_word));
    count -= left;
    while (left > 0) {
      const std::uint64_t skipped = first % (4 * per_word);
      const std::size_t piece = std::min(
          left, PhiloxSteps::per_step() * static_cast<std::size_t>(per_word) - static_cast<std::size_t>(skipped));
      steps.step(first / (4 * per_word), words);
      quantize_piece<kKernel>(plan, LoopRandom{&definition, first, bytes + skipped * 4 / per_word}, x, out, piece,
                              past_caches, &doubts);
      first += piece;
      x += piece;
      out += piece;
      left -= piece;
    }
  }
}

/// The plan is a copy: behind a reference its numbers could be those that `out` overwrites.
template <RoundingKernel kKernel, typename T, typename S>
void quantize_with(const RoundingPlan<T> plan, const RoundingDefinition& definition, std::uint64_t first, const S* x,
                   S* out, std::size_t count) {
  const bool past_caches = is_beyond_caches(static_cast<std::int64_t>(count * sizeof(S)));
  if constexpr (is_stochastic(kKernel)) {
    quantize_stochastically<kKernel>(plan, definition, first, x, out, count, past_caches);
  } else {
    quantize_piece<kKernel>(plan, LoopRandom(), x, out, count, past_caches);
  }
  if (past_caches) hwy::FlushStream();
}

template <typename T, typename S>
void quantize_any(const RoundingPlan<T>& plan, const RoundingDefinition& definition, std::uint64_t first, const S* x,
                  S* out, std::size_t count) {
  with_kernel(plan.kernel,
              [&]<RoundingKernel kKernel>() { quantize_with<kKernel>(plan, definition, first, x, out, count); });
}

void quantize_floats(const RoundingPlan<float>& plan, const RoundingDefinition& definition, std::uint64_t first,
                     const float* x, float* out, std::size_t count) {
  quantize_any(plan, definition, first, x, out, count);
}

void quantize_doubles(const RoundingPlan<double>& plan, const RoundingDefinition& definition, std::uint64_t first,
                      const double* x, double* out, std::size_t count) {
  quantize_any(plan, definition, first, x, out, count);
}

void quantize_floats_as_doubles(const RoundingPlan<double>& plan, const RoundingDefinition& definition,
                                std::uint64_t first, const float* x, float* out, std::size_t count) {
  quantize_any(plan, definition, first, x, out, count);
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
HWY_EXPORT(quantize_floats_as_doubles);

template <typename T, typename S, typename Kernel>
void call(Kernel kernel, const RoundingPlan<T>& plan, const RandomStream& stream, std::span<const S> x,
          std::span<S> out, std::uint64_t first) {
  kernel(plan, RoundingDefinition{plan.spec, plan.conversion, stream}, first, x.data(), out.data(), x.size());
}

}  // namespace

void quantize_vectors(const RoundingPlan<float>& plan, const RandomStream& stream, std::span<const float> x,
                      std::span<float> out, std::uint64_t first) {
  call(HWY_DYNAMIC_DISPATCH(quantize_floats), plan, stream, x, out, first);
}

void quantize_vectors(const RoundingPlan<double>& plan, const RandomStream& stream, std::span<const double> x,
                      std::span<double> out, std::uint64_t first) {
  call(HWY_DYNAMIC_DISPATCH(quantize_doubles), plan, stream, x, out, first);
}

void quantize_vectors(const RoundingPlan<double>& plan, const RandomStream& stream, std::span<const float> x,
                      std::span<float> out, std::uint64_t first) {
  call(HWY_DYNAMIC_DISPATCH(quantize_floats_as_doubles), plan, stream, x, out, first);
}

}  // namespace bitlaw
#endif
