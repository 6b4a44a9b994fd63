#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <vector>

#include "core/format/catalog.h"
#include "core/format/codes.h"
#include "core/format/quantize.h"

using namespace bitlaw;

namespace {

double nearest(const FormatSpec& spec, double v, Overflow overflow = Overflow::Saturate) {
  return round_reference(spec, {RoundingMode::TiesToEven, overflow}, v, {});
}
double toward_zero(const FormatSpec& spec, double v) { return round_reference(spec, RoundingMode::TowardZero, v, {}); }

/// The even code of the two neighbours or the nearer one, by search among all values; |v| <= max_finite().
double nearest_by_search(const FormatSpec& spec, double v) {
  std::uint64_t best = 0;
  for (std::uint64_t code = 1; code <= spec.max_magnitude_code(); ++code) {
    const double distance = std::abs(spec.magnitude_of(code) - v);
    const double least = std::abs(spec.magnitude_of(best) - v);
    if (distance < least || (distance == least && code % 2 == 0)) best = code;
  }
  return spec.magnitude_of(best);
}

}  // namespace

TEST_CASE("round: E2M1 takes the even code at each midpoint and the nearer one beside it") {
  struct Tie {
    double midpoint, below, above, expected;
  };
  for (const Tie& tie :
       {Tie{0.25, 0.0, 0.5, 0.0}, Tie{0.75, 0.5, 1.0, 1.0}, Tie{1.25, 1.0, 1.5, 1.0}, Tie{1.75, 1.5, 2.0, 2.0},
        Tie{2.5, 2.0, 3.0, 2.0}, Tie{3.5, 3.0, 4.0, 4.0}, Tie{5.0, 4.0, 6.0, 4.0}}) {
    CAPTURE(tie.midpoint);
    CHECK(nearest(kE2M1, tie.midpoint) == tie.expected);
    CHECK(nearest(kE2M1, -tie.midpoint) == -tie.expected);
    CHECK(nearest(kE2M1, std::nextafter(tie.midpoint, 0.0)) == tie.below);
    CHECK(nearest(kE2M1, std::nextafter(tie.midpoint, 9.0)) == tie.above);
  }
}

TEST_CASE("round: nearest is what a search among all values finds, for every format of up to 9 bits") {
  std::mt19937_64 engine(1);
  for (const CatalogEntry& entry : format_catalog()) {
    const FormatSpec& spec = entry.spec;
    if (spec.total_bits() > 9) continue;
    CAPTURE(entry.name);
    for (std::uint64_t code = 0; code < spec.max_magnitude_code(); ++code) {
      const double low = spec.magnitude_of(code);
      const double high = spec.magnitude_of(code + 1);
      const double middle = (low + high) / 2;  // exact
      const double inside = low + (high - low) * static_cast<double>(engine() >> 12) * 0x1p-52;
      for (double v : {low, middle, std::nextafter(middle, low), std::nextafter(middle, high), inside}) {
        CAPTURE(v);
        CHECK(nearest(spec, v) == nearest_by_search(spec, v));
        CHECK(toward_zero(spec, v) == (v < high ? low : high));
      }
    }
  }
}

TEST_CASE("round: a format without a fraction field sends ties to the even exponent code (IEEE P3109)") {
  CHECK(nearest(kE8M0, 3.0) == 2.0);    // codes 128 and 129
  CHECK(nearest(kE8M0, 1.5) == 2.0);    // codes 127 and 128
  CHECK(nearest(kE3M0, 0.125) == 0.0);  // codes 0 and 1
  CHECK(nearest(kE3M0, 0.375) == 0.5);  // codes 1 and 2
  CHECK(nearest(kE3M0, 0.75) == 0.5);   // codes 2 and 3
}

TEST_CASE("round: overflow begins half an ulp above the largest value, as if the range went on") {
  CHECK(nearest(kE4M3, 464, Overflow::ToInfinity) == 448);  // 448 has the even code
  CHECK(std::isnan(nearest(kE4M3, std::nextafter(464, 500), Overflow::ToInfinity)));
  CHECK(nearest(kE4M3, 1e30) == 448);
  CHECK(nearest(kE4M3, -INFINITY) == -448);
  CHECK(nearest(kE5M2, std::nextafter(61440, 0), Overflow::ToInfinity) == 57344);
  CHECK(nearest(kE5M2, 61440, Overflow::ToInfinity) == INFINITY);
  CHECK(nearest(kE5M2, -61440, Overflow::ToInfinity) == -INFINITY);
  CHECK(nearest(kE5M2, 61440) == 57344);
  CHECK(std::isnan(nearest(kE4M3Fnuz, 248, Overflow::ToInfinity)));
  CHECK(nearest(kBinary16, 65519.99, Overflow::ToInfinity) == 65504);
  CHECK(nearest(kBinary16, 65520, Overflow::ToInfinity) == INFINITY);
  CHECK(nearest(kE2M1, 7, Overflow::ToInfinity) == 6);  // no infinity, no NaN
  CHECK(toward_zero(kE5M2, 65535) == 57344);
}

TEST_CASE("round: from double directly, never through float32") {
  // Through float32 the value becomes the tie -432, whose even neighbour is -448.
  CHECK(nearest(kE4M3, -431.99999999999994) == -416);
  CHECK(nearest(kBfloat16, 1 + 0x1p-8 + 0x1p-40) == 1 + 0x1p-7);
}

TEST_CASE("round: binary32 and binary64 round as the processor does") {
  std::mt19937_64 engine(2);
  for (int i = 0; i < 20000; ++i) {
    const double v = std::bit_cast<double>((engine() & 0x800FFFFFFFFFFFFFU) | (engine() % 300 + 870) << 52);
    const auto expected = static_cast<float>(v);
    CHECK(nearest(kBinary32, v, Overflow::ToInfinity) == static_cast<double>(expected));
    CHECK(nearest(kBinary64, v) == v);
  }
  CHECK(nearest(kBinary64, 0x1p-1074) == 0x1p-1074);
}

TEST_CASE("round: NaN, signs of zero, unsigned formats and formats without zero") {
  CHECK(std::isnan(nearest(kE2M1, NAN)));
  CHECK(std::signbit(nearest(kE2M1, -0.1)));
  CHECK_FALSE(std::signbit(nearest(kE4M3Fnuz, -0.0)));
  CHECK_FALSE(std::signbit(nearest(kE4M3Fnuz, -1e-9)));
  CHECK_FALSE(std::signbit(nearest(kBinary8p3, -1e-9)));
  CHECK(nearest(kUE4M3, -3.0) == 0.0);
  CHECK(std::isnan(nearest(kUE4M3, -3.0, Overflow::ToInfinity)));
  CHECK(nearest(kE8M0, 0.0) == 0x1p-127);
  CHECK(nearest(kE8M0, 0x1p-149) == 0x1p-127);
  CHECK(nearest(kE8M0, 0x1p127 * 1.9) == 0x1p127);
}

TEST_CASE("round: without subnormals, half of the least normal number is the boundary and goes to zero") {
  const FormatSpec flushing = parse_format("e4m3:bias=7,no_subnormals");
  CHECK(nearest(flushing, 0x1p-7) == 0);
  CHECK(nearest(flushing, std::nextafter(0x1p-7, 1)) == 0x1p-6);
  CHECK(toward_zero(flushing, std::nextafter(0x1p-6, 0)) == 0);
}

TEST_CASE("round: stochastic goes up for as many of all 2^k random numbers as P3109 StochasticC says") {
  struct Case {
    double v, low, high;
    int up;  // of 2^4: RNE(16 f)
  };
  for (const Case& c :
       {Case{1.25, 1, 1.5, 8}, Case{1.0, 1, 1, 0}, Case{4.125, 4, 6, 1}, Case{4.0625, 4, 6, 0}, Case{4.1875, 4, 6, 2},
        Case{0.03125, 0, 0.5, 1}, Case{0.484375, 0, 0.5, 16}, Case{5.999, 4, 6, 16}}) {
    CAPTURE(c.v);
    int up = 0;
    for (std::uint32_t random = 0; random < 16; ++random) {
      const double rounded =
          round_reference(kE2M1, Rounding(RoundingMode::StochasticC, 4), c.v, [&](int) { return random; });
      CHECK((rounded == c.low || rounded == c.high));
      up += rounded == c.high && c.high != c.low ? 1 : 0;
    }
    CHECK(up == c.up);
  }
}

TEST_CASE("round: stochastic never moves a value of the format") {
  for (std::string_view name : {"e2m1", "e4m3", "e5m2", "e3m0", "binary8p4", "e8m0"}) {
    const FormatSpec spec = parse_format(name);
    for (std::uint64_t code = 0; code <= spec.max_magnitude_code(); ++code) {
      const double v = spec.magnitude_of(code);
      CHECK(round_reference(spec, RoundingMode::StochasticExact, v, [](int) { return 0xFFFFFFFFU; }) == v);
    }
  }
}
