#include "experiments/cli/rounding_statistics.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>

#include "core/block/block_presets.h"
#include "experiments/cli/element_progress.h"

namespace bitlaw {
namespace {

TEST_CASE("rounding statistics: counts and sums of a conversion to E4M3 worked out by hand") {
  const std::array<float, 9> x{1, 3, -500, 450, 0x1p-12F, 0, NAN, INFINITY, -INFINITY};
  const std::array<float, 9> q{1, 3.25F, -448, 448, 0, 0, NAN, 448, -448};
  RoundingStatistics s;
  s.add<float>(x, q, -448, 448);
  CHECK(s.elements == 9);
  CHECK(s.nan_in == 1);
  CHECK(s.nan_out == 1);
  CHECK(s.inf_in == 2);
  CHECK(s.inf_out == 0);
  CHECK(s.finite() == 6);
  CHECK(s.nonzero == 5);
  CHECK(s.clipped == 2);
  CHECK(s.clip_rate() == 2.0 / 6);
  CHECK(s.underflowed == 1);
  CHECK(s.underflow_rate() == 0.2);
  CHECK(s.max_abs_error == 52);
  CHECK(s.signal == 1.0L + 9 + 250000 + 202500 + 0x1p-24L);
  CHECK(s.noise == 0.0625L + 2704 + 4 + 0x1p-24L);
}

TEST_CASE("rounding statistics: the ends of the range are not clipped, what lies beyond is") {
  const double most = 448, beyond = std::nextafter(most, INFINITY);
  const std::array<double, 4> x{most, -most, beyond, -beyond}, q{most, -most, most, -most};
  RoundingStatistics s;
  s.add<double>(x, q, -most, most);
  CHECK(s.clipped == 2);
}

TEST_CASE("rounding statistics: a tenth of error is 20 dB, also where squares leave float64") {
  for (const double v : {1.0, 0x1p-900, 0x1p900}) {
    RoundingStatistics s;
    const std::array<double, 2> x{10 * v, -10 * v}, q{11 * v, -9 * v};
    s.add<double>(x, q, -INFINITY, INFINITY);
    CHECK(std::abs(s.snr_db() - 20) < 1e-13);  // 64 ulp of the answer
  }
}

TEST_CASE("rounding statistics: parts add up, and what has no ratio says so") {
  RoundingStatistics s;
  CHECK(std::isnan(s.snr_db()));
  CHECK(s.clip_rate() == 0);
  const std::array<float, 2> x{3, 4}, q{3, 4};
  s.add<float>(x, q, -6, 6);
  CHECK(s.snr_db() == INFINITY);
  const std::array<float, 1> y{5}, r{0};
  s.add<float>(y, r, -6, 6);
  CHECK(s.snr_db() == doctest::Approx(10 * std::log10(50.0 / 25.0)).epsilon(1e-15));
  const std::array<float, 1> finite{7}, infinite{INFINITY};
  s.add<float>(finite, infinite, -6, 6);
  CHECK(s.signal == 50);  // not a finite result: in the counts, not in the sums
  CHECK(s.inf_out == 1);
  CHECK(s.clipped == 1);
}

TEST_CASE("rounding statistics: a block of MXFP4 clips above 6 times its power of two") {
  // OCP MX v1.0, section 6.3: X = 2^(floor(log2 amax) - 2), so amax = 7 gives 1 and amax = 28 gives 4.
  std::array<float, 64> x{};
  x[3] = 7;
  x[4] = 6;
  x[5] = -6.5F;
  x[40] = 28;
  x[41] = 24;
  const BlockSpec mxfp4 = *block_preset("mxfp4");
  CHECK(clipped_in_blocks(mxfp4, KAxis::Cols, {x.data(), 2, 32}) == 3);
  CHECK(clipped_in_blocks(mxfp4, KAxis::Cols, {x.data(), 1, 64}) == 3);
  CHECK(clipped_in_blocks(mxfp4, KAxis::Rows, {x.data(), 2, 32}) == 5 - 2);  // one or two numbers in a column
  x[8] = NAN;                                                                // its block becomes NaN
  CHECK(clipped_in_blocks(mxfp4, KAxis::Cols, {x.data(), 2, 32}) == 1);
}

TEST_CASE("rounding statistics: blocks that are scaled to their maximum never clip") {
  std::array<float, 96> x{};
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = std::ldexp(1.0F + static_cast<float>(i) / 128, static_cast<int>(i % 7));
  for (const char* preset : {"fp8_channel", "fp8_tensor"}) {
    CHECK(clipped_in_blocks(*block_preset(preset), KAxis::Cols, {x.data(), 3, 32}) == 0);
  }
}

TEST_CASE("element progress: part, speed and time left") {
  CHECK(element_progress_line(500'000'000, 2'000'000'000, 2) ==
        "[#####---------------] 25 %, 250 M elements/s, 6.0 s left");
  CHECK(element_progress_line(4, 4, 1) == "[####################] 100 %, 4e-06 M elements/s, 0.0 s left");
  CHECK(item_progress_line(250, 1000, 10) == "[#####---------------] 250/1000, 30 s left");
}

}  // namespace
}  // namespace bitlaw
