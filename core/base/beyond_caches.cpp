#include "core/base/beyond_caches.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/base/beyond_caches.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>  // compiles this file once per instruction set
#include <hwy/highway.h>

#include <algorithm>
#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace bitlaw {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

void copy_past(const std::uint8_t* from, std::uint8_t* to, std::size_t bytes) {
  const hn::CappedTag<std::uint8_t, 64> d;
  const std::size_t lanes = hn::Lanes(d);
  const std::size_t beyond_vector = reinterpret_cast<std::uintptr_t>(to) % lanes;
  std::size_t i = std::min(bytes, beyond_vector == 0 ? 0 : lanes - beyond_vector);
  std::memcpy(to, from, i);
  for (; i + lanes <= bytes; i += lanes) hn::Stream(hn::LoadU(d, from + i), d, to + i);
  std::memcpy(to + i, from + i, bytes - i);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace bitlaw
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlaw {
namespace {

HWY_EXPORT(copy_past);

}  // namespace

void copy_past_caches(const void* from, void* to, std::size_t bytes) {
  HWY_DYNAMIC_DISPATCH(copy_past)(static_cast<const std::uint8_t*>(from), static_cast<std::uint8_t*>(to), bytes);
}

void finish_past_caches() { hwy::FlushStream(); }

}  // namespace bitlaw
#endif
