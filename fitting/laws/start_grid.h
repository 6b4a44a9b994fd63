#pragma once

#include <cmath>
#include <initializer_list>
#include <vector>

namespace bitlaw {

/// exp of each value: a grid that papers give for the logarithm of a coefficient.
inline std::vector<double> exp_grid(std::initializer_list<double> logarithms) {
  std::vector<double> grid;
  for (const double value : logarithms) grid.push_back(std::exp(value));
  return grid;
}

}  // namespace bitlaw
