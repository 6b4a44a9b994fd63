#pragma once

#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace bitlaw {

/// Calls body(i) once for each i in [0, count), on `threads` threads. Bodies must not depend on one another; each
/// writes to its own place, so that results do not depend on `threads`.
template <typename Body>
void parallel_for(std::size_t count, int threads, const Body& body) {
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < count; i = next++) body(i);
  };
  std::vector<std::thread> others;
  for (int t = 1; t < threads; ++t) others.emplace_back(work);
  work();
  for (std::thread& other : others) other.join();
}

}  // namespace bitlaw
