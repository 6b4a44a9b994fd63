#include "core/base/team.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace bitlaw;

TEST_CASE("team: its threads share a count once, part by part, and have no teams of their own") {
  CHECK(team_threads() == 1);
  for (const int threads : {1, 2, 3, 7}) {
    CAPTURE(threads);
    const TeamScope team(threads);
    CHECK(team_threads() == threads);
    for (const std::int64_t count : {0, 1, 5, 64, 1000}) {
      std::mutex mutex;
      std::vector<std::pair<std::int64_t, std::int64_t>> found;
      std::vector<int> inside;
      team_parts(count, 3, [&](std::int64_t first, std::int64_t last) {
        const std::lock_guard lock(mutex);
        found.emplace_back(first, last);
        inside.push_back(team_threads());
      });
      std::sort(found.begin(), found.end());
      CHECK(static_cast<std::int64_t>(found.size()) ==
            std::max<std::int64_t>(1, std::min<std::int64_t>(threads, count / 3)));
      std::int64_t next = 0;
      for (const auto& [first, last] : found) {
        CHECK(first == next);
        next = last;
      }
      CHECK(next == count);
      if (found.size() > 1) CHECK(inside == std::vector<int>(found.size(), 1));
    }
  }
  CHECK(team_threads() == 1);
}

TEST_CASE("team: what a part throws arrives where the work was asked for") {
  const TeamScope team(3);
  CHECK_THROWS_WITH_AS(
      team_parts(9, 1, [](std::int64_t first, std::int64_t) { throw std::runtime_error(std::to_string(first)); }), "0",
      std::runtime_error);
}

TEST_CASE("team: ten thousand short rounds lose none") {
  const TeamScope team(3);
  std::vector<std::int64_t> sums(3);
  for (int round = 0; round < 10000; ++round) {
    team_parts(3, 1, [&](std::int64_t first, std::int64_t) { sums[static_cast<std::size_t>(first)] += first + round; });
  }
  for (std::int64_t i = 0; i < 3; ++i) CHECK(sums[static_cast<std::size_t>(i)] == 10000 * i + 10000 * 9999 / 2);
}
