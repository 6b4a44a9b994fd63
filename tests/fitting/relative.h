#pragma once

#include <doctest/doctest.h>

namespace bitlaw {

/// Equal to `value` within `tolerance` relative. (doctest's own epsilon is absolute for values below one.)
inline doctest::Approx relative(double value, double tolerance) {
  return doctest::Approx(value).epsilon(tolerance).scale(0);
}

}  // namespace bitlaw
