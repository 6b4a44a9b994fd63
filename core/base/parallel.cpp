#include "core/base/parallel.h"

#include <algorithm>
#include <exception>
#include <vector>

#include "core/base/check.h"

namespace bitlaw {

namespace {

thread_local int team = 1;

/// Calls one(p) for p in [0, parts), each in a thread of its own.
void run_parts(std::size_t parts, const std::function<void(std::size_t)>& one) {
  std::vector<std::exception_ptr> errors(parts);
  // The team of OpenMP stays awake for a while after a loop, so that the next one starts within microseconds.
#pragma omp parallel for num_threads(static_cast <int>(parts)) schedule(static)
  for (std::size_t p = 0; p < parts; ++p) {
    try {
      one(p);
    } catch (...) {
      errors[p] = std::current_exception();
    }
  }
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

}  // namespace

void parallel_parts(std::size_t count, int threads, const std::function<void(std::size_t, std::size_t)>& part) {
  BITLAW_CHECK(threads >= 1, "{} threads", threads);
  if (count == 0) return;
  const std::size_t blocks = (count - 1) / kPartMultiple + 1;
  const std::size_t parts = std::min(blocks, static_cast<std::size_t>(threads));
  if (parts == 1) return part(0, count);
  const auto begin_of = [&](std::size_t p) { return std::min(count, blocks * p / parts * kPartMultiple); };
  run_parts(parts, [&](std::size_t p) { part(begin_of(p), begin_of(p + 1)); });
}

TeamScope::TeamScope(int threads) : before_(team) {
  BITLAW_CHECK(threads >= 1, "{} threads", threads);
  team = threads;
}

TeamScope::~TeamScope() { team = before_; }

int team_threads() { return team; }

void team_parts(std::int64_t count, std::int64_t least, const std::function<void(std::int64_t, std::int64_t)>& part) {
  const std::int64_t parts = std::min<std::int64_t>(team, count / least);
  if (parts <= 1) return part(0, count);
  run_parts(static_cast<std::size_t>(parts), [&](std::size_t p) {
    const TeamScope alone(1);
    const auto index = static_cast<std::int64_t>(p);
    part(count * index / parts, count * (index + 1) / parts);
  });
}

}  // namespace bitlaw
