#include "core/tensor/vector_math.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/each_target.h"

using namespace bitlaw;

namespace {

float exp_of(float x) {
  float y = 0;
  exp(std::span<const float>(&x, 1), std::span<float>(&y, 1));
  return y;
}

}  // namespace

TEST_CASE("exp: within 1 ulp of the C library's double exp over its range") {
  double worst = 0;
  for (float x = -87.0F; x <= 88.0F; x += 0x1p-10F) {
    const double exact = std::exp(static_cast<double>(x));
    const double ulp = std::ldexp(1.0, std::ilogb(exact) - 23);
    worst = std::max(worst, std::abs(exp_of(x) - exact) / ulp);
  }
  CHECK(worst < 1.0);
}

TEST_CASE("exp: exact at 0, zero far below, bounded far above, NaN stays") {
  CHECK(exp_of(0.0F) == 1.0F);
  CHECK(exp_of(-0.0F) == 1.0F);
  CHECK(exp_of(-87.5F) == 0.0F);
  CHECK(exp_of(-std::numeric_limits<float>::infinity()) == 0.0F);
  CHECK(exp_of(std::numeric_limits<float>::infinity()) == exp_of(88.0F));
  CHECK(std::isnan(exp_of(std::numeric_limits<float>::quiet_NaN())));
}

TEST_CASE("exp: every instruction set gives the reference's bits at every length") {
  for_each_target([](const char* target) {
    CAPTURE(target);
    for (std::size_t count : {1UL, 3UL, 8UL, 15UL, 16UL, 17UL, 1000UL}) {
      std::vector<float> x(count), y(count);
      for (std::size_t i = 0; i < count; ++i) x[i] = -90.0F + 0.17991F * static_cast<float>(i);
      exp(x, y);
      for (std::size_t i = 0; i < count; ++i) {
        CHECK(std::bit_cast<std::uint32_t>(y[i]) == std::bit_cast<std::uint32_t>(exp_reference(x[i])));
      }
    }
  });
}

TEST_CASE("striped_sum: sixteen partial sums, then halves") {
  // 1 at index 0 and 16, 2^24 at index 8: partial 0 is 2 and 2^24 + 2 is exact; in plain order 1 would be lost twice.
  std::vector<float> x(17, 0.0F);
  x[0] = 1.0F, x[8] = 0x1p24F, x[16] = 1.0F;
  CHECK(striped_sum<float>(17, [&](std::int64_t i) { return x[static_cast<std::size_t>(i)]; }) == 0x1p24F + 2.0F);
  std::vector<double> ones(1000, 1.0);
  CHECK(dot(ones.data(), ones.data(), 1000) == 1000.0);
}

TEST_CASE("striped_max: the largest, wherever it lies and however many there are") {
  for (std::int64_t count = 1; count <= 40; ++count) {
    for (std::int64_t at = 0; at < count; ++at) {
      std::vector<float> x(static_cast<std::size_t>(count), -3.0F);
      x[static_cast<std::size_t>(at)] = -2.0F;
      CHECK(striped_max(x.data(), count) == -2.0F);
    }
  }
  const std::vector<double> infinite{1, std::numeric_limits<double>::infinity(), 2};
  CHECK(striped_max(infinite.data(), 3) == infinite[1]);
}
