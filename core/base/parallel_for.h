#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace bitlaw {

/// Calls body(i) once for each i in [0, count), on at most `threads` threads: fewer where the system gives no more.
/// Bodies must not depend on one another; each writes to its own place, so that results do not depend on `threads`.
/// After a body throws, no other starts; when all threads have ended, the exception of the least i leaves: the one that
/// a plain loop would have ended with, since bodies start in order. Unlike parallel_parts, no thread outlives the call,
/// so the process may fork after it.
template <typename Body>
void parallel_for(std::size_t count, int threads, const Body& body) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::exception_ptr first_error;
  std::size_t first_failed = count;
  const auto work = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      try {
        body(i);
      } catch (...) {
        next = count;
        const std::lock_guard lock(mutex);
        if (i < first_failed) first_error = std::current_exception();
        first_failed = std::min(first_failed, i);
      }
    }
  };
  {
    std::vector<std::jthread> others;  // joined at the end of this block, however it is left
    try {
      for (int t = 1; t < threads; ++t) others.emplace_back(work);
    } catch (const std::system_error&) {
      // No more threads to be had: those that run do all the work.
    }
    work();
  }
  if (first_error) std::rethrow_exception(first_error);
}

}  // namespace bitlaw
