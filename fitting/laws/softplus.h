#pragma once

#include <cmath>

namespace bitlaw {

/// ln(1 + e^z), without overflow.
template <typename T>
T softplus(const T& z) {
  using std::exp, std::log;
  return z > 30 ? z : log(1.0 + exp(z));
}

}  // namespace bitlaw
