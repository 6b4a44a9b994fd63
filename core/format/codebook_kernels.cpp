#include "core/format/codebook_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/format/codebook_kernels.cpp"
#include <hwy/foreach_target.h>  // compiles this file once per instruction set
#include <hwy/highway.h>

#include "core/format/transform-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bitlaw {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
template <typename W>
using Lanes = hn::CappedTag<W, 64 / sizeof(W)>;
template <typename W>
using Vector = hn::Vec<Lanes<W>>;

template <typename W>
HWY_INLINE Vector<W> select_by_chain(const CodebookPlan<W>& plan, Vector<W> v) {
  const Lanes<W> d;
  auto selected = hn::Set(d, plan.table[0]);
  for (std::size_t i = 1; i < plan.size; ++i) {
    selected = hn::IfThenElse(hn::Ge(v, hn::Set(d, plan.thresholds[i - 1])), hn::Set(d, plan.table[i]), selected);
  }
  return selected;
}

/// By bisection without branches.
template <typename W>
HWY_INLINE Vector<W> select_by_search(const CodebookPlan<W>& plan, Vector<W> v) {
  const Lanes<W> d;
  const hn::RebindToSigned<Lanes<W>> di;
  using Index = hn::TFromD<decltype(di)>;
  auto index = hn::Zero(di);
  for (Index step = 128; step > 0; step = static_cast<Index>(step / 2)) {
    const auto last_below = hn::Add(index, hn::Set(di, static_cast<Index>(step - 1)));
    const auto threshold = hn::GatherIndex(d, plan.thresholds.data(), last_below);
    const auto upper = hn::Add(index, hn::Set(di, step));
    index = hn::IfThenElse(hn::RebindMask(di, hn::Ge(v, threshold)), upper, index);
  }
  return hn::GatherIndex(d, plan.table.data(), index);
}

/// A chain of comparisons beats gathers up to here.
constexpr std::size_t kChainSize = 32;

template <typename W>
void select_kernel(const CodebookPlan<W>& plan, const W* x, W* out, std::size_t count) {
  const Lanes<W> d;
  const auto with_nan = [&](Vector<W> v, Vector<W> selected) HWY_ATTR {
    return hn::IfThenElse(hn::IsNaN(v), plan.keeps_nan ? v : hn::Set(d, plan.nan_value), selected);
  };
  if (plan.size <= kChainSize) {
    transform(d, d, x, out, count,
              [&](Vector<W> v, std::size_t) HWY_ATTR { return with_nan(v, select_by_chain(plan, v)); });
  } else {
    transform(d, d, x, out, count,
              [&](Vector<W> v, std::size_t) HWY_ATTR { return with_nan(v, select_by_search(plan, v)); });
  }
}

void select_floats(const CodebookPlan<float>& plan, const float* x, float* out, std::size_t count) {
  select_kernel(plan, x, out, count);
}
void select_doubles(const CodebookPlan<double>& plan, const double* x, double* out, std::size_t count) {
  select_kernel(plan, x, out, count);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace bitlaw
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlaw {
namespace {

HWY_EXPORT(select_floats);
HWY_EXPORT(select_doubles);

}  // namespace

void select_vectors(const CodebookPlan<float>& plan, const float* x, float* out, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(select_floats)(plan, x, out, count);
}
void select_vectors(const CodebookPlan<double>& plan, const double* x, double* out, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(select_doubles)(plan, x, out, count);
}

}  // namespace bitlaw
#endif
