#pragma once

namespace bitlaw {

/// A number without its derivatives.
inline double value_of(double x) { return x; }
template <typename Jet>
double value_of(const Jet& x) {
  return x.a;
}

}  // namespace bitlaw
