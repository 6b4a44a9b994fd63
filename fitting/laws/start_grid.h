#pragma once

#include <cmath>
#include <initializer_list>
#include <string_view>
#include <utility>
#include <vector>

#include "fitting/laws/law.h"

namespace bitlaw {

/// exp of each value: a grid that papers give for the logarithm of a coefficient.
inline std::vector<double> exp_grid(std::initializer_list<double> logarithms) {
  std::vector<double> grid;
  for (const double value : logarithms) grid.push_back(std::exp(value));
  return grid;
}

/// A positive number, fitted as its logarithm.
inline LawParameter coefficient(std::string_view name, std::string_view units, std::vector<double> starts,
                                double lower = 1e-12, double upper = 1e30) {
  return {name, units, Transform::Log, lower, upper, std::move(starts)};
}

/// The same parameter, marked as one in which the law is affine.
inline LawParameter linear(LawParameter parameter) {
  parameter.linear = true;
  return parameter;
}

/// A number without unit, fitted as itself.
inline LawParameter exponent(std::string_view name, std::vector<double> starts, double lower = 0, double upper = 5) {
  return {name, "1", Transform::Identity, lower, upper, std::move(starts)};
}

}  // namespace bitlaw
