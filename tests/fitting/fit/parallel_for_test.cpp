#include "fitting/fit/parallel_for.h"

#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
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
