#include "core/format/codes.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "core/format/catalog.h"
#include "tests/support/bits.h"

using namespace bitlaw;

namespace {

/// Doubles of all exponents, both signs, subnormals and infinities too.
std::vector<double> rough_doubles(int count) {
  std::mt19937_64 engine(5);
  std::vector<double> values{0.0, -0.0, 0x1p-1074, -0x1p-1074, 0x1p-1022, 0x1.fffffffffffffp1023, INFINITY, -INFINITY};
  while (count-- > 0) {
    const double v = std::bit_cast<double>(engine());
    if (!std::isnan(v)) values.insert(values.end(), {v, std::ldexp(v, -1000)});
  }
  return values;
}

std::string printed(double v) {
  char text[64];
  std::snprintf(text, sizeof text, "%a", v);
  return text;
}

}  // namespace

TEST_CASE("codes: the code of a binary64 or binary32 value is its bits, NaNs have the quiet one's") {
  for (const double v : rough_doubles(2000)) {
    CAPTURE(v);
    CHECK(encode(kBinary64, v) == bits_of(v));
    CHECK(same_bits(decode(kBinary64, bits_of(v)), v));
    const auto narrow = static_cast<float>(v);
    CHECK(encode(kBinary32, static_cast<double>(narrow)) == bits_of(narrow));
    CHECK(same_bits(decode(kBinary32, bits_of(narrow)), static_cast<double>(narrow)));
  }
  CHECK(encode(kBinary64, NAN) == 0x7FF8000000000000U);
  CHECK(encode(kBinary32, -NAN) == 0x7FC00000U);
  CHECK(std::isnan(decode(kBinary32, 0xFF800001U)));
}

TEST_CASE("codes: NaN has the code that each document gives it") {
  CHECK(nan_code(kE4M3) == 0x7F);       // OFP8 Table 1
  CHECK(nan_code(kE5M2) == 0x7E);       // its quiet NaN, as in IEEE 754
  CHECK(nan_code(kE4M3Fnuz) == 0x80);   // arXiv:2206.02915: minus zero
  CHECK(nan_code(kBinary8p3) == 0x80);  // P3109 v4.0, section 4.3
  CHECK(nan_code(kE8M0) == 0xFF);       // OCP MX v1.0, section 5.4
  CHECK(nan_code(kUE5M3) == 0xFC);
  CHECK(nan_code(p3109_format(8, 3, false, true)) == 0xFF);
  CHECK_FALSE(nan_code(kE2M1).has_value());
  CHECK_FALSE(nan_code(kInt8).has_value());
}

TEST_CASE("codes: values that the format lacks have no code") {
  CHECK_FALSE(encode(kE4M3, 449).has_value());
  CHECK_FALSE(encode(kE4M3, INFINITY).has_value());
  CHECK_FALSE(encode(kE4M3Fnuz, -0.0).has_value());
  CHECK_FALSE(encode(kInt8, -0.0).has_value());
  CHECK_FALSE(encode(kInt8, 128).has_value());
  CHECK_FALSE(encode(kUE4M3, -1).has_value());
  CHECK_FALSE(encode(kE8M0, 0).has_value());
  CHECK_FALSE(encode(kE2M1, NAN).has_value());
  CHECK(encode(kInt8, -128) == 0x80);
  CHECK_FALSE(encode(integer_format(8, 0, SignCoding::TwosComplementSymmetric), -128).has_value());
}

TEST_CASE("codes: the code that symmetric integers leave out is the only one that is no value") {
  const FormatSpec symmetric = integer_format(8, 0, SignCoding::TwosComplementSymmetric);
  for (std::uint64_t code = 0; code < 256; ++code) {
    CHECK(is_value_code(symmetric, code) == (code != 0x80));
    CHECK(is_value_code(kInt8, code));
    CHECK(is_value_code(kE4M3, code));
  }
}

TEST_CASE("codes: two's complement is the processor's") {
  for (int v = -128; v < 128; ++v) {
    CHECK(encode(kInt8, v) == static_cast<std::uint8_t>(v));
    CHECK(decode(kInt8, static_cast<std::uint8_t>(v)) == v);
    CHECK(decode(kMxInt8, static_cast<std::uint8_t>(v)) == v / 64.0);
  }
}

TEST_CASE("codes: hexadecimal values are those of C's printf, whose first digit is 1 for normal numbers") {
  for (const double v : rough_doubles(2000)) {
    if (std::abs(v) < 0x1p-1022 && v != 0) continue;  // the C library prints subnormals from 0x0. on
    CHECK(hex_value(kBinary64, bits_of(v)) == printed(v));
  }
  CHECK(hex_value(kBinary64, 1) == "0x1p-1074");
  CHECK(hex_value(kBinary64, 3) == "0x1.8p-1073");
  CHECK(hex_value(kBinary32, 0xFFC00000U) == "nan");
  for (std::uint64_t code = 0; code < 256; ++code) {
    const double v = decode(kE5M2, code);  // normal as doubles
    CHECK(hex_value(kE5M2, code) == (std::isnan(v) ? "nan" : printed(v)));
  }
}

TEST_CASE("codes: neighbours in binary64 and binary32 are std::nextafter's") {
  for (const double v : rough_doubles(2000)) {
    CAPTURE(v);
    CHECK(next_up(kBinary64, v) == std::nextafter(v, INFINITY));
    CHECK(next_down(kBinary64, v) == std::nextafter(v, -INFINITY));
    const auto narrow = static_cast<float>(v);
    CHECK(next_up(kBinary32, static_cast<double>(narrow)) == static_cast<double>(std::nextafter(narrow, INFINITY)));
    CHECK(next_down(kBinary32, static_cast<double>(narrow)) == static_cast<double>(std::nextafter(narrow, -INFINITY)));
  }
  CHECK(std::isnan(next_up(kBinary64, NAN)));
}

TEST_CASE("codes: neighbours walk through all values of small formats in order and stop at the ends") {
  CHECK(next_up(kE2M1, 6) == 6);
  CHECK(next_down(kE2M1, -6) == -6);
  CHECK(next_up(kE5M2, 57344) == INFINITY);
  CHECK(next_down(kE5M2, INFINITY) == 57344);
  CHECK(next_down(kE4M3Fnuz, 0.0) == -0x1p-10);
  CHECK_FALSE(std::signbit(next_up(kE4M3Fnuz, -0x1p-10)));
  CHECK(std::signbit(next_up(kE4M3, -0x1p-9)));
  CHECK(next_down(kInt8, -127) == -128);
  CHECK(next_up(kInt8, -128) == -127);
  CHECK(next_down(kInt8, -128) == -128);
  CHECK(next_down(kUE4M3, 0) == 0);
  CHECK(next_down(kE8M0, 0x1p-127) == 0x1p-127);
  CHECK(next_up(parse_format("e4m3:bias=7,no_subnormals"), 0.0) == 0x1p-6);
}

namespace {

/// Formats of at most 8 bits: every width with every meaning of the top codes, with and without sign, subnormals and
/// zero; integers and fixed point.
std::vector<FormatSpec> small_formats() {
  std::vector<FormatSpec> formats;
  for (int w = 0; w <= 8; ++w) {
    for (int m = 0; m + w <= 8; ++m) {
      for (TopCodes top : {TopCodes::Ieee, TopCodes::NanOnly, TopCodes::Finite, TopCodes::Fnuz, TopCodes::P3109}) {
        for (int flags = 0; flags < 8; ++flags) {
          formats.push_back({w, m, 3 * w, top, (flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0});
        }
      }
    }
  }
  for (int bits = 2; bits <= 8; ++bits) {
    formats.push_back(integer_format(bits));
    formats.push_back(integer_format(bits, 3, SignCoding::TwosComplementSymmetric));
  }
  std::erase_if(formats, [](const FormatSpec& f) { return !f.is_valid() || f.total_bits() > 8; });
  return formats;
}

/// The numbers and infinities of a format in ascending order, zero once.
std::vector<double> ascending_values(const FormatSpec& spec) {
  std::vector<double> values;
  for (std::uint64_t code = 0; code < spec.code_count(); ++code) {
    const double v = decode(spec, code);
    if (!std::isnan(v) && is_value_code(spec, code)) values.push_back(v);
  }
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

}  // namespace

TEST_CASE("codes: neighbours are those of the sorted list of all values, for every format of at most 8 bits") {
  const std::vector<FormatSpec> formats = small_formats();
  CHECK(formats.size() > 500);
  for (const FormatSpec& spec : formats) {
    const std::vector<double> values = ascending_values(spec);
    int wrong = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double up = next_up(spec, values[i]);
      const double down = next_down(spec, values[i]);
      wrong += up == values[std::min(i + 1, values.size() - 1)] ? 0 : 1;
      wrong += down == values[i == 0 ? 0 : i - 1] ? 0 : 1;
      // From below, zero is -0 where there is one.
      if (up == 0 && i + 1 < values.size()) wrong += std::signbit(up) == spec.has_minus_zero() ? 0 : 1;
      if (down == 0 && i > 0) wrong += std::signbit(down) ? 1 : 0;
    }
    CAPTURE(format_name(spec));
    CHECK(wrong == 0);
  }
}

TEST_CASE("codes: formats beyond double have hexadecimal values") {
  CHECK(hex_value(p3109_format(16, 1, true, true), 0x7FFE) == "0x1p+16382");  // P3109 v4.0: 2^(32766 - 16384)
}

TEST_CASE("codes: an ulp is the distance to the next larger magnitude, the least positive value near zero") {
  for (const double v : rough_doubles(2000)) {
    if (std::isinf(v) || std::abs(v) == 0x1.fffffffffffffp1023) continue;
    CHECK(ulp(kBinary64, v) == std::nextafter(std::abs(v), INFINITY) - std::abs(v));
  }
  CHECK(ulp(kE4M3, 448) == 32);
  CHECK(ulp(kE4M3, 300) == 32);
  CHECK(ulp(kE4M3, 0) == 0x1p-9);
  CHECK(ulp(kInt8, 100.5) == 1);
  CHECK(ulp(kE8M0, 3) == 2);
}
