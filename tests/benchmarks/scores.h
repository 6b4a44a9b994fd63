#pragma once

#include <string>
#include <vector>

#include "tests/benchmarks/against_memcpy.h"

namespace bitlaw {

/// Least ratios to the yardstick; 0 where none is set.
struct Goals {
  double memory = 0;  ///< 64 Mi elements
  double cache = 0;   ///< 1 Mi elements
};

constexpr std::size_t kCacheCount = std::size_t{1} << 20, kMemoryCount = std::size_t{1} << 26;

/// The best times of each operation over all its runs, and the table of what they reach.
class Scores {
 public:
  void add(const std::string& operation, Goals goals, Input input, std::size_t count, const Times& times);
  /// One line for each operation, in the order of their first runs: ratios, speed, goals, whether they are met.
  std::string table() const;

 private:
  struct Line {
    std::string operation;
    Goals goals;
    Times memory[2], cache[2];  ///< by Input
  };
  std::vector<Line> lines_;
};

}  // namespace bitlaw
