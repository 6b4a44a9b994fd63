#pragma once

#include <cstddef>
#include <cstdint>
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

/// Gives the products, quantizers and layers that this thread calls `threads` threads to share their work among, until
/// the object's end; without one, and inside such a share, they have 1. Their results do not depend on it: only which
/// elements of a result a thread computes does.
class TeamScope {
 public:
  explicit TeamScope(int threads);
  ~TeamScope();
  TeamScope(const TeamScope&) = delete;
  TeamScope& operator=(const TeamScope&) = delete;

 private:
  int before_;
};

/// Rows of a layer's activations from which a part is worth a thread.
inline constexpr std::int64_t kLeastRows = 64;

/// How many threads this thread's team has.
int team_threads();

/// Calls part(first, last) for contiguous ranges that cover [0, count), one for each thread of the team, at the same
/// time; at most count / least ranges, so that none is too small to be worth it. The exception of the first range that
/// threw is thrown again.
void team_parts(std::int64_t count, std::int64_t least, const std::function<void(std::int64_t, std::int64_t)>& part);

}  // namespace bitlaw
