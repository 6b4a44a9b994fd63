#pragma once

#include <cstddef>
#include <functional>

namespace bitlaw {

/// Parts of parallel_parts begin at multiples of this: one part's elements share no cache line with another's, down to
/// one byte per element.
inline constexpr std::size_t kPartMultiple = 64;

/// Calls part(first, last) for contiguous ranges that cover [0, count), one per thread, at the same time.
///
/// The ranges depend on count and threads alone; all but the last end at a multiple of kPartMultiple, and none is
/// empty. threads >= 1; with 1, or where there is one range, the caller's thread does everything and no team of threads
/// is touched. The exception of the first range that threw is thrown again.
void parallel_parts(std::size_t count, int threads, const std::function<void(std::size_t, std::size_t)>& part);

}  // namespace bitlaw
