#include "core/base/parallel.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace bitlaw;

namespace {

using Range = std::pair<std::size_t, std::size_t>;

std::vector<Range> ranges(std::size_t count, int threads) {
  std::mutex mutex;
  std::vector<Range> found;
  parallel_parts(count, threads, [&](std::size_t first, std::size_t last) {
    const std::lock_guard lock(mutex);
    found.emplace_back(first, last);
  });
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

TEST_CASE("parallel_parts: the ranges follow each other without a gap, end at multiples of 64, and none is empty") {
  for (std::size_t count : {1UL, 63UL, 64UL, 65UL, 128UL, 129UL, 1000UL, 4096UL, 1048577UL}) {
    for (int threads : {1, 2, 3, 7, 100}) {
      CAPTURE(count);
      CAPTURE(threads);
      std::size_t next = 0;
      for (const Range& range : ranges(count, threads)) {
        CHECK(range.first == next);
        CHECK(range.second > range.first);
        CHECK((range.second % 64 == 0 || range.second == count));
        next = range.second;
      }
      CHECK(next == count);
    }
  }
}

TEST_CASE("parallel_parts: as many ranges as threads where there is work for them, equal to one step of 64") {
  CHECK(ranges(1 << 20, 2) == std::vector<Range>{{0, 1 << 19}, {1 << 19, 1 << 20}});
  CHECK(ranges(640, 3) == std::vector<Range>{{0, 192}, {192, 384}, {384, 640}});
  CHECK(ranges(100, 8) == std::vector<Range>{{0, 64}, {64, 100}});
  CHECK(ranges(0, 2).empty());
}

TEST_CASE("parallel_parts: one thread is the caller's own, two are two") {
  std::mutex mutex;
  std::vector<std::thread::id> ids;
  const auto note = [&](std::size_t, std::size_t) {
    const std::lock_guard lock(mutex);
    ids.push_back(std::this_thread::get_id());
  };
  parallel_parts(1000, 1, note);
  CHECK(ids == std::vector{std::this_thread::get_id()});
  parallel_parts(1000, 2, note);
  CHECK(ids[1] != ids[2]);
}

TEST_CASE("parallel_parts: the exception of the first range comes out, whichever thread was faster") {
  const auto fail = [](std::size_t first, std::size_t) {
    if (first > 0) throw std::runtime_error(std::to_string(first));
  };
  CHECK_THROWS_WITH(parallel_parts(256, 4, fail), "64");
  CHECK_NOTHROW(parallel_parts(256, 1, fail));
}
