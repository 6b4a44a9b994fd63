// Loops over arrays in vectors, compiled once per instruction set: include it in files that use foreach_target.h.

#if defined(BITLAW_TRANSFORM_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef BITLAW_TRANSFORM_INL
#undef BITLAW_TRANSFORM_INL
#else
#define BITLAW_TRANSFORM_INL
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstdint>

#include "core/base/beyond_caches.h"

HWY_BEFORE_NAMESPACE();
namespace bitlaw {
namespace HWY_NAMESPACE {

/// Where the arrays of a loop lie. FetchedAhead: the input is asked for ahead of the loop. BeyondCaches: so it is, and
/// whole vectors are written to memory at once where the output is aligned, which saves reading the lines first; they
/// have 16 bytes or more, and hwy::FlushStream() is called at the end.
enum class Arrays {
  InCaches,
  FetchedAhead,
  BeyondCaches
};

constexpr Arrays arrays(bool past_caches) { return past_caches ? Arrays::BeyondCaches : Arrays::InCaches; }

/// Whether a vector of D may be written past the caches from `p` on.
template <class D>
HWY_INLINE bool is_aligned(D d, const hwy::HWY_NAMESPACE::TFromD<D>* p) {
  const std::size_t bytes = hwy::HWY_NAMESPACE::Lanes(d) * sizeof(*p);
  return reinterpret_cast<std::uintptr_t>(p) % bytes == 0;
}

/// out[i] = f(in[i], i) in vectors of at most 16 lanes, f(vector, index of its first element); DIn and DOut have the
/// same number of lanes. The last vector is filled with zeros, of which nothing is written: whatever f reads at an
/// index must be readable a vector past `count`. out may be in.
template <class DIn, class DOut, class F>
HWY_INLINE void transform(DIn din, DOut dout, const hwy::HWY_NAMESPACE::TFromD<DIn>* in,
                          hwy::HWY_NAMESPACE::TFromD<DOut>* out, std::size_t count, const F& f,
                          Arrays where = Arrays::InCaches) {
  namespace hn = hwy::HWY_NAMESPACE;
  const std::size_t lanes = hn::Lanes(dout);
  std::size_t i = 0;
  if (where == Arrays::FetchedAhead) {
    for (; i + lanes <= count; i += lanes) {
      fetch_ahead(in + i);
      hn::StoreU(f(hn::LoadU(din, in + i), i), dout, out + i);
    }
  }
  if (where == Arrays::BeyondCaches && is_aligned(dout, out)) {
    for (; i + lanes <= count; i += lanes) {
      fetch_ahead(in + i);
      hn::Stream(f(hn::LoadU(din, in + i), i), dout, out + i);
    }
  }
  for (; i + lanes <= count; i += lanes) hn::StoreU(f(hn::LoadU(din, in + i), i), dout, out + i);
  if (HWY_UNLIKELY(i < count)) {
    hn::TFromD<DIn> rest_in[16] = {};
    hn::TFromD<DOut> rest_out[16];
    std::copy(in + i, in + count, rest_in);
    hn::StoreU(f(hn::LoadU(din, rest_in), i), dout, rest_out);
    std::copy_n(rest_out, count - i, out + i);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace bitlaw
HWY_AFTER_NAMESPACE();

#endif
