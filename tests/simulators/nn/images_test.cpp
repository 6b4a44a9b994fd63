#include <doctest/doctest.h>

#include <cmath>

#include "simulators/nn/activation.h"
#include "simulators/nn/pooling.h"
#include "tests/support/gradient_check.h"

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

TEST_CASE("image_patches: a product with them is the convolution by definition, zeros beyond the border") {
  const ImageShape shape{.height = 4, .width = 5, .channels = 2};
  const std::vector<double> x = rough_values(3 * shape.size(), 1), w = rough_values(9 * shape.channels, 2);
  Matrix<double> patches(3 * shape.pixels(), 9 * shape.channels);
  image_patches<double>(shape, {x.data(), 3, shape.size()}, patches.view());
  const auto pixel = [&](int image, int i, int j, int c) {
    const bool inside = i >= 0 && i < 4 && j >= 0 && j < 5;
    return inside ? x[static_cast<std::size_t>(((image * 4 + i) * 5 + j) * 2 + c)] : 0;
  };
  for (int image = 0; image < 3; ++image) {
    for (int i = 0; i < 4; ++i) {
      for (int j = 0; j < 5; ++j) {
        double by_definition = 0;
        for (int k = 0; k < 18; ++k) {
          by_definition += w[static_cast<std::size_t>(k)] * pixel(image, i + k / 6 - 1, j + k / 2 % 3 - 1, k % 2);
        }
        const double* row = patches.view().row((image * 4 + i) * 5 + j);
        CHECK(weighted_sum(w, {row, 18}) == doctest::Approx(by_definition).epsilon(1e-14));
      }
    }
  }
}

TEST_CASE("image_patches: backward is the adjoint, <p, patches(x)> = <backward(p), x>") {
  const ImageShape shape{.height = 3, .width = 4, .channels = 3};
  const std::vector<double> x = rough_values(2 * shape.size(), 1), p = rough_values(2 * shape.pixels() * 27, 2);
  Matrix<double> patches(2 * shape.pixels(), 27), dx(2, shape.size());
  image_patches<double>(shape, {x.data(), 2, shape.size()}, patches.view());
  image_patches_backward<double>(shape, {p.data(), patches.rows(), 27}, dx.view());
  CHECK(weighted_sum(p, {patches.data(), p.size()}) ==
        doctest::Approx(weighted_sum(x, {dx.data(), x.size()})).epsilon(1e-13));
}

TEST_CASE("max_pool: the largest of each square, an odd border left out, and its gradient goes where it came from") {
  const ImageShape shape{.height = 3, .width = 4, .channels = 1};
  const std::vector<float> x{1, 5, 2,  2,  //
                             3, 4, -1, 2,  //
                             9, 9, 9,  9};
  Matrix<float> y(1, 2), dx(1, 12);
  std::vector<std::uint8_t> chosen;
  max_pool_forward<float>(shape, {x.data(), 1, 12}, y.view(), chosen);
  CHECK(y(0, 0) == 5);
  CHECK(y(0, 1) == 2);
  const std::vector<float> dy{10, 20};
  max_pool_backward<float>(shape, chosen, {dy.data(), 1, 2}, dx.view());
  const std::vector<float> expected{0, 10, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  CHECK(std::equal(expected.begin(), expected.end(), dx.data()));
}
