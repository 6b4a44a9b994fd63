#include <doctest/doctest.h>

#include <cmath>

#include "simulators/nn/activation.h"

using namespace bitlaw;

TEST_CASE("activation: the values are those of the formulas, worked out with the C library's tanh") {
  for (const double z : {-3.0, -0.5, 0.0, 0.7, 4.0}) {
    CAPTURE(z);
    double h = 0;
    const auto apply = [&](Activation a) {
      activation_forward<double>(a, {&z, 1}, {&h, 1});
      return h;
    };
    CHECK(apply(Activation::Relu) == std::max(z, 0.0));
    CHECK(apply(Activation::Silu) == doctest::Approx(z / (1 + std::exp(-z))).epsilon(1e-14));
    const double u = std::sqrt(2 / std::acos(-1.0)) * (z + 0.044715 * z * z * z);
    CHECK(apply(Activation::Gelu) == doctest::Approx(z / 2 * (1 + std::tanh(u))).epsilon(1e-14));
    CHECK(std::abs(h - z * (1 + std::erf(z / std::sqrt(2.0))) / 2) < 5e-4);  // the exact GELU, which it stands for
  }
}
