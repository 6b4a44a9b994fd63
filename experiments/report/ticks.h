#pragma once

#include <string>
#include <vector>

namespace bitlaw {

/// A mark on an axis.
struct Tick {
  double value = 0;
  std::string label;
};

/// Round values (1, 2 or 5 times a power of ten apart) within [low, high], low < high: about `count` of
/// them and at least three.
std::vector<Tick> linear_ticks(double low, double high, int count);

/// Round values within [low, high], 0 < low < high, that suit a logarithmic axis: powers of ten over many decades,
/// 1-2-5 over a few, closer ones within one, so that at least three show wherever the axis lies.
std::vector<Tick> log_ticks(double low, double high, int count);

}  // namespace bitlaw
