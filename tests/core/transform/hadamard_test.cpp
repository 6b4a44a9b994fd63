#include "core/transform/hadamard.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "tests/support/each_target.h"

using namespace bitlaw;

namespace {

constexpr RandomStream kStream{.seed = 8, .step = 1, .layer = 2, .slot = 32};

std::vector<float> normal_values(std::size_t count) {
  std::mt19937 engine(3);
  std::normal_distribution<float> normal;
  std::vector<float> x(count);
  for (float& v : x) v = normal(engine);
  return x;
}

/// Entry (i, j) of the Sylvester matrix: (-1)^(number of ones that i and j share).
double sylvester(unsigned i, unsigned j) { return std::popcount(i & j) % 2 == 0 ? 1 : -1; }

double sign_of(unsigned element) { return random_bits(kStream, element) >> 31 != 0 ? -1 : 1; }

std::vector<float> row_rotated(std::vector<float> x, int size) {
  hadamard_rotate({x.data(), 1, static_cast<std::int64_t>(x.size())}, KAxis::Cols, size, kStream);
  return x;
}

}  // namespace

TEST_CASE("hadamard: x D H / sqrt(size) by the matrix in double, within the stated error") {
  for (int size : {1, 2, 4, 8, 16, 32, 64, 256, 1024}) {
    CAPTURE(size);
    const auto n = static_cast<unsigned>(size);
    const std::vector<float> x = normal_values(n);
    const std::vector<float> y = row_rotated(x, size);
    double magnitudes = 0;
    for (float v : x) magnitudes += std::abs(v) / std::sqrt(size);
    const double bound = (std::log2(size) + 2) * 0x1p-24 * magnitudes;
    for (unsigned j = 0; j < n; ++j) {
      double exact = 0;
      for (unsigned i = 0; i < n; ++i) exact += x[i] * sign_of(i) * sylvester(i, j) / std::sqrt(size);
      CHECK(std::abs(static_cast<double>(y[j]) - exact) <= bound);
    }
  }
}

TEST_CASE("hadamard: pieces are independent and share the signs") {
  std::vector<float> x = normal_values(48);
  const std::vector<float> y = row_rotated(x, 16);
  for (std::size_t piece = 0; piece < 3; ++piece) {
    const auto first = x.begin() + static_cast<std::ptrdiff_t>(16 * piece);
    const std::vector<float> alone = row_rotated({first, first + 16}, 16);
    for (std::size_t e = 0; e < 16; ++e) CHECK(alone[e] == y[16 * piece + e]);
  }
}

TEST_CASE("hadamard: every instruction set gives the reference's bits, both ways, axes and any stride") {
  struct Shape {
    std::int64_t rows, cols, stride;
    int size;
  };
  for (const Shape& s :
       {Shape{2, 2, 2, 1}, Shape{2, 6, 7, 2}, Shape{4, 12, 12, 4}, Shape{8, 24, 25, 8}, Shape{16, 48, 48, 16},
        Shape{64, 32, 33, 32}, Shape{64, 128, 130, 64}, Shape{256, 256, 256, 256}}) {
    const std::vector<float> x = normal_values(static_cast<std::size_t>(s.rows * s.stride));
    for (KAxis axis : {KAxis::Cols, KAxis::Rows}) {
      std::vector<float> expected(x), returned(x);
      hadamard_rotate_reference({expected.data(), s.rows, s.cols, s.stride}, axis, s.size, kStream);
      hadamard_unrotate_reference({returned.data(), s.rows, s.cols, s.stride}, axis, s.size, kStream);
      for_each_target([&](const char* target) {
        CAPTURE(std::string(target));
        CAPTURE(s.size);
        CAPTURE(static_cast<int>(axis));
        std::vector<float> y(x);
        hadamard_rotate({y.data(), s.rows, s.cols, s.stride}, axis, s.size, kStream);
        CHECK(y == expected);
        y = x;
        hadamard_unrotate({y.data(), s.rows, s.cols, s.stride}, axis, s.size, kStream);
        CHECK(y == returned);
      });
    }
  }
}

TEST_CASE("hadamard: unrotate inverts rotate, exactly where no sum is rounded") {
  // Small integers and size 16: every sum is exact and so is 1 / sqrt(16).
  std::vector<float> x(64);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i * 7 % 23) - 11;
  for (KAxis axis : {KAxis::Cols, KAxis::Rows}) {
    std::vector<float> y(x);
    const MatrixView<float> view(y.data(), axis == KAxis::Cols ? 1 : 16, axis == KAxis::Cols ? 64 : 4);
    hadamard_rotate(view, axis, 16, kStream);
    CHECK(y != x);
    hadamard_unrotate(view, axis, 16, kStream);
    CHECK(y == x);
  }
}

TEST_CASE("hadamard: a product of two rotated operands is the product of the operands") {
  const std::vector<float> a = normal_values(64);
  std::vector<float> b = normal_values(128);
  b.erase(b.begin(), b.begin() + 64);
  const std::vector<float> ra = row_rotated(a, 32), rb = row_rotated(b, 32);
  double plain = 0, rotated = 0, magnitudes = 0;
  for (std::size_t i = 0; i < 64; ++i) {
    plain += static_cast<double>(a[i]) * b[i];
    rotated += static_cast<double>(ra[i]) * rb[i];
    magnitudes += std::abs(static_cast<double>(ra[i]) * rb[i]);
  }
  CHECK(std::abs(plain - rotated) < 32 * 0x1p-24 * magnitudes);
}

TEST_CASE("hadamard: one large element spreads evenly over its piece") {
  std::vector<float> x(32, 0.0F);
  x[5] = 64;
  const std::vector<float> y = row_rotated(x, 16);
  for (std::size_t i = 0; i < y.size(); ++i) CHECK(std::abs(y[i]) == (i < 16 ? 16 : 0));
}
