#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace bitlaw {

class Team;

/// Gives the products, quantizers and layers that this thread calls `threads` threads to share their work among, until
/// the object's end; without one, and inside such a share, they have 1. Their results do not depend on it: only which
/// elements of a result a thread computes does.
///
/// Threads that wait stay awake for some microseconds, then sleep: work follows work quickly inside a training step,
/// and on a busy machine those that spin take the time of those that are waited for.
class TeamScope {
 public:
  explicit TeamScope(int threads);
  ~TeamScope();
  TeamScope(const TeamScope&) = delete;
  TeamScope& operator=(const TeamScope&) = delete;

 private:
  std::unique_ptr<Team> own_;
  Team* before_;
};

/// How many threads this thread's team has.
int team_threads();

/// Rows of a layer's activations from which a part is worth a thread.
inline constexpr std::int64_t kLeastRows = 64;

/// Calls part(first, last) for contiguous ranges that cover [0, count), one for each thread of the team, at the same
/// time; at most count / least ranges, so that none is too small to be worth it. The exception of the first range that
/// threw is thrown again.
void team_parts(std::int64_t count, std::int64_t least, const std::function<void(std::int64_t, std::int64_t)>& part);

}  // namespace bitlaw
