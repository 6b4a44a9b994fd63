#include "core/base/parallel.h"

#include <algorithm>
#include <exception>
#include <vector>

#include "core/base/check.h"

namespace bitlaw {

void parallel_parts(std::size_t count, int threads, const std::function<void(std::size_t, std::size_t)>& part) {
  BITLAW_CHECK(threads >= 1, "{} threads", threads);
  if (count == 0) return;
  const std::size_t blocks = (count - 1) / kPartMultiple + 1;
  const std::size_t parts = std::min(blocks, static_cast<std::size_t>(threads));
  if (parts == 1) return part(0, count);
  const auto begin_of = [&](std::size_t p) { return std::min(count, blocks * p / parts * kPartMultiple); };
  std::vector<std::exception_ptr> errors(parts);
  // The team of OpenMP stays awake for a while after a loop, so that the next one starts within microseconds.
#pragma omp parallel for num_threads(static_cast <int>(parts)) schedule(static)
  for (std::size_t p = 0; p < parts; ++p) {
    try {
      part(begin_of(p), begin_of(p + 1));
    } catch (...) {
      errors[p] = std::current_exception();
    }
  }
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

}  // namespace bitlaw
