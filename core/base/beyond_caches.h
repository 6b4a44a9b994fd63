#pragma once

#include <cstddef>
#include <cstdint>

namespace bitlaw {

/// Whether an output of so many bytes is written past the caches: it is as large as those of a processor, so little of
/// it could be found there, and an ordinary store to a line that is not there reads the memory first.
constexpr bool is_beyond_caches(std::int64_t bytes) { return bytes >= std::int64_t{32} << 20; }

/// Copies what lies in a cache past the caches. Call finish_past_caches() before another thread reads it.
void copy_past_caches(const void* from, void* to, std::size_t bytes);
void finish_past_caches();

/// How far ahead of a loop over an array that is not in a cache its memory is asked for: the processor's own
/// prefetching ends at a page of 4 KiB.
constexpr std::size_t kBytesAhead = 8192;

/// Asks for the line that is kBytesAhead beyond `p`, into the second-level cache. Any address is allowed.
/// Inlined at once: g++ 12 takes a function that only prefetches for one without effect and drops calls of it.
[[gnu::always_inline]] inline void fetch_ahead(const void* p) {
  __builtin_prefetch(reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(p) + kBytesAhead), 0, 2);
}

}  // namespace bitlaw
