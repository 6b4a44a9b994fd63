#include "core/base/parallel_for.h"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace bitlaw;

TEST_CASE("parallel_for: each index once, whatever the number of threads") {
  for (const int threads : {1, 2, 5}) {
    std::vector<int> calls(100);
    parallel_for(calls.size(), threads, [&](std::size_t i) { ++calls[i]; });
    CHECK(calls == std::vector<int>(100, 1));
  }
}

TEST_CASE("parallel_for: an exception of a body leaves on the calling thread, and no body starts after it") {
  for (const int threads : {1, 4}) {
    std::atomic<int> calls{0};
    const auto body = [&](std::size_t) {
      ++calls;
      throw std::runtime_error("no value");
    };
    CHECK_THROWS_WITH_AS(parallel_for(1000, threads, body), "no value", std::runtime_error);
    CHECK(calls <= threads);
  }
}

TEST_CASE("parallel_for: of several exceptions the one that a plain loop would have met leaves") {
  for (int repeat = 0; repeat < 200; ++repeat) {
    std::atomic<bool> later_failed{false};
    const auto body = [&](std::size_t i) {
      if (i == 1) {
        while (!later_failed) std::this_thread::yield();
        throw std::runtime_error("first");
      }
      if (i == 2) {
        later_failed = true;
        throw std::runtime_error("second");
      }
    };
    CHECK_THROWS_WITH_AS(parallel_for(1000, 3, body), "first", std::runtime_error);
  }
}
