#include "experiments/report/ticks.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "experiments/report/numbers.h"

using namespace bitlaw;

namespace {

std::vector<std::string> labels(const std::vector<Tick>& ticks) {
  std::vector<std::string> texts;
  for (const Tick& tick : ticks) texts.push_back(tick.label);
  return texts;
}

using Labels = std::vector<std::string>;

}  // namespace

TEST_CASE("ticks: round values on a linear axis") {
  CHECK(labels(linear_ticks(0, 1, 5)) == Labels{"0.0", "0.2", "0.4", "0.6", "0.8", "1.0"});
  CHECK(labels(linear_ticks(-0.011, 0.052, 5)) == Labels{"0.00", "0.02", "0.04"});
  CHECK(labels(linear_ticks(-3, 3, 4)) == Labels{"-2", "0", "2"});
  CHECK(labels(linear_ticks(0, 1e6, 4)) == Labels{"0", "500k", "1M"});
}

TEST_CASE("ticks: powers of ten, 1-3, 1-2-5 or closer on a log axis, as its length asks") {
  CHECK(labels(log_ticks(1, 1e5, 5)) == Labels{"1", "10", "100", "1k", "10k", "100k"});
  CHECK(labels(log_ticks(9e3, 3.5e5, 5)) == Labels{"10k", "30k", "100k", "300k"});
  CHECK(labels(log_ticks(2.4, 3.6, 5)) == Labels{"2.5", "3.0", "3.5"});
  CHECK(log_ticks(1, 1e12, 5).size() <= 6);
}

TEST_CASE("ticks: wherever the axis lies, at least three show and all lie on it") {
  for (double low = 1e-3; low < 1e9; low *= 1.37) {
    for (const double ratio : {1.05, 1.2, 1.7, 2.5, 4.0, 9.0, 30.0, 1e3, 1e6, 1e11}) {
      for (const auto& ticks : {log_ticks(low, low * ratio, 5), linear_ticks(low, low * ratio, 5)}) {
        CAPTURE(low);
        CAPTURE(ratio);
        CHECK(ticks.size() >= 3);
        CHECK(ticks.size() <= 8);
        CHECK(ticks.front().value >= low - 1e-9 * low * ratio);
        CHECK(ticks.back().value <= low * ratio * (1 + 1e-9));
      }
    }
  }
}

TEST_CASE("numbers: counts with their prefix, and no nan") {
  CHECK(format_count(10240) == "10.24k");
  CHECK(format_count(262144) == "262.1k");
  CHECK(format_count(999.99) == "1k");
  CHECK(format_count(999960) == "1M");
  CHECK(format_count(7) == "7");
  CHECK(format_count(0) == "0");
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  for (auto* format : {format_count, format_loss, format_difference}) {
    CHECK(format(nan) == "–");
    CHECK(format(-inf) == "-∞");
  }
  CHECK(format_value(406.4) == "406.4");
  CHECK(format_value(nan) == "–");
  CHECK(format_interval(0, inf) == "0 to ∞");
  CHECK(format_interval(nan, 1) == "–");
}
