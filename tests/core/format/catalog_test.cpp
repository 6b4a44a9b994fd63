#include "core/format/catalog.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <string>
#include <vector>

#include "core/format/codes.h"
#include "tests/support/message_of.h"

using namespace bitlaw;

namespace {

std::vector<double> positive_values(std::string_view name) {
  const FormatSpec spec = parse_format(name);
  std::vector<double> values;
  for (std::uint64_t code = 0; code <= spec.max_magnitude_code(); ++code) values.push_back(decode(spec, code));
  return values;
}

std::string parse_error(std::string_view name) {
  return message_of([&] { parse_format(name); });
}

}  // namespace

TEST_CASE("catalog: the values of the small formats are those that their documents list") {
  // OCP MX v1.0 section 5.3.3; CANN float4_e1m2; arXiv:2310.16836.
  CHECK(positive_values("e2m1") == std::vector<double>{0, 0.5, 1, 1.5, 2, 3, 4, 6});
  CHECK(positive_values("e1m2") == std::vector<double>{0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75});
  CHECK(positive_values("e3m0") == std::vector<double>{0, 0.25, 0.5, 1, 2, 4, 8, 16});
  // OCP MX v1.0 section 5.3.2: both FP6 formats have 32 magnitudes.
  CHECK(positive_values("e2m3").size() == 32);
  CHECK(positive_values("e3m2").size() == 32);
}

TEST_CASE("catalog: special codes of OFP8 Table 1") {
  CHECK(std::isnan(decode(kE4M3, 0x7F)));
  CHECK(std::isnan(decode(kE4M3, 0xFF)));
  CHECK(decode(kE4M3, 0x7E) == 448);
  CHECK(decode(kE4M3, 0x08) == 0x1p-6);
  CHECK(decode(kE4M3, 0x07) == 0.875 * 0x1p-6);
  CHECK(decode(kE4M3, 0x01) == 0x1p-9);
  CHECK((decode(kE4M3, 0x80) == 0 && std::signbit(decode(kE4M3, 0x80))));
  CHECK(decode(kE5M2, 0x7C) == INFINITY);
  CHECK(decode(kE5M2, 0xFC) == -INFINITY);
  for (std::uint64_t code : {0x7DU, 0x7EU, 0x7FU, 0xFDU, 0xFEU, 0xFFU}) CHECK(std::isnan(decode(kE5M2, code)));
  CHECK(decode(kE5M2, 0x7B) == 57344);
}

TEST_CASE("catalog: FNUZ formats have one NaN at the code of minus zero and use the top exponent") {
  for (std::string_view name : {"e4m3fnuz", "e5m2fnuz", "e4m3b11fnuz"}) {
    CAPTURE(name);
    int nans = 0;
    for (double v : all_values(parse_format(name))) nans += std::isnan(v) ? 1 : 0;
    CHECK(nans == 1);
    CHECK(std::isnan(decode(parse_format(name), 0x80)));
    CHECK(decode(parse_format(name), 0x7F) == parse_format(name).max_finite());
  }
}

TEST_CASE("codes: P3109 extended formats end in their largest value, infinity and, where unsigned, NaN") {
  // Rows of the working group's tables for Binary4p2ue and Binary8p3se.
  const FormatSpec unsigned_format = parse_format("ue3m1:bias=4,p3109");
  CHECK(decode(unsigned_format, 0x1) == 0.0625);
  CHECK(decode(unsigned_format, 0xD) == 6);
  CHECK(decode(unsigned_format, 0xE) == INFINITY);
  CHECK(std::isnan(decode(unsigned_format, 0xF)));
  CHECK(decode(kBinary8p3, 0x7E) == 49152);
  CHECK(decode(kBinary8p3, 0x7F) == INFINITY);
  CHECK(std::isnan(decode(kBinary8p3, 0x80)));
  CHECK(decode(kBinary8p3, 0xFF) == -INFINITY);
}

TEST_CASE("catalog: E8M0 is 2^(code - 127), its code 255 is NaN (OCP MX v1.0 section 5.4)") {
  for (int code = 0; code < 255; ++code)
    CHECK(decode(kE8M0, static_cast<std::uint64_t>(code)) == std::ldexp(1, code - 127));
  CHECK(std::isnan(decode(kE8M0, 255)));
}

TEST_CASE("catalog: UE5M3 has two codebooks") {
  CHECK(decode(kUE5M3, 0xF7) == 61440);  // the top exponent is reserved
  CHECK(decode(kUE5M3, 0xF8) == INFINITY);
  CHECK(decode(kUE5M3Max114688, 0xF7) == 61440);
  CHECK(decode(kUE5M3Max114688, 0xF8) == 65536);
  CHECK(decode(kUE5M3Max114688, 0xFE) == 114688);  // only 0xFF is
  CHECK(std::isnan(decode(kUE5M3Max114688, 0xFF)));
}

TEST_CASE("codes: bfloat16 is the upper half of binary32, binary16 the C++ compiler's") {
  for (std::uint32_t code = 0; code < 0x10000; code += 7) {
    const double expected = static_cast<double>(std::bit_cast<float>(code << 16));
    if (std::isnan(expected)) {
      CHECK(std::isnan(decode(kBfloat16, code)));
    } else {
      CHECK(decode(kBfloat16, code) == expected);
    }
  }
  CHECK(decode(kBinary16, 0x3C01) == 1 + 0x1p-10);
  CHECK(decode(kBinary16, 0x7BFF) == 65504);
}

TEST_CASE("codes: encode inverts decode for every code of the catalog up to 16 bits") {
  for (const CatalogEntry& entry : format_catalog()) {
    if (entry.spec.total_bits() > 16) continue;
    CAPTURE(entry.name);
    for (std::uint64_t code = 0; code < entry.spec.code_count(); ++code) {
      const double v = decode(entry.spec, code);
      const auto back = encode(entry.spec, v);
      REQUIRE(back.has_value());
      if (std::isnan(v)) {
        CHECK(std::isnan(decode(entry.spec, *back)));
      } else {
        CHECK(*back == code);
      }
    }
  }
}

TEST_CASE("codes: binary64, whose codes fill 64 bits, is the C++ compiler's double") {
  for (double v : {0.0, -0.0, 1.0, -1.0, 0.1, 0x1p-1074, -0x1.fffffffffffffp-1023, 0x1.fffffffffffffp1023, -HUGE_VAL}) {
    CAPTURE(v);
    const auto code = std::bit_cast<std::uint64_t>(v);
    CHECK(std::bit_cast<std::uint64_t>(decode(kBinary64, code)) == code);
    CHECK(encode(kBinary64, v) == code);
  }
  CHECK(std::isnan(decode(kBinary64, ~std::uint64_t{0})));
  CHECK(encode(kBinary64, NAN) == 0x7FF8000000000000U);
}

TEST_CASE("codes: encode has no code for what the format lacks") {
  CHECK_FALSE(encode(kE2M1, 2.5).has_value());
  CHECK_FALSE(encode(kE2M1, NAN).has_value());
  CHECK_FALSE(encode(kE4M3, INFINITY).has_value());
  CHECK_FALSE(encode(kE4M3Fnuz, -0.0).has_value());
  CHECK_FALSE(encode(kUE4M3, -1.0).has_value());
  CHECK_FALSE(encode(kE8M0, 0.0).has_value());
  CHECK(encode(kBinary16, NAN) == 0x7E00);
  CHECK(encode(kBfloat16, NAN) == 0x7FC0);
}

TEST_CASE("parse_format: every catalog name gives its row, and format_name gives a name back") {
  for (const CatalogEntry& entry : format_catalog()) {
    CAPTURE(entry.name);
    CHECK(parse_format(entry.name) == entry.spec);
    CHECK(parse_format(format_name(entry.spec)) == entry.spec);
  }
  CHECK(format_name(kE4M3) == "e4m3");
}

TEST_CASE("parse_format: the pattern sets bias and top codes; unnamed formats use every code for numbers") {
  CHECK(parse_format("e1m1") == FormatSpec{.exponent_bits = 1, .mantissa_bits = 1, .bias = 0, .top = TopCodes::Finite});
  CHECK(parse_format("e0m7") == FormatSpec{.exponent_bits = 0, .mantissa_bits = 7, .bias = 0, .top = TopCodes::Finite});
  CHECK(parse_format("e4m4:bias=9,fnuz") ==
        FormatSpec{.exponent_bits = 4, .mantissa_bits = 4, .bias = 9, .top = TopCodes::Fnuz});
  CHECK(parse_format("ue6m2,nan_only") ==
        FormatSpec{.exponent_bits = 6, .mantissa_bits = 2, .bias = 31, .top = TopCodes::NanOnly, .is_signed = false});
  CHECK(parse_format("e4m3,ieee") == kE4M3Ieee);
  CHECK(parse_format("e5m10:bias=15,ieee") == kBinary16);
}

TEST_CASE("format_name: parses back for formats of every kind") {
  const TopCodes tops[] = {TopCodes::Ieee, TopCodes::NanOnly, TopCodes::Finite, TopCodes::Fnuz, TopCodes::P3109};
  int seen = 0;
  for (int w = 0; w <= 11; ++w) {
    for (int m : {0, 1, 2, 3, 7, 23, 52}) {
      for (int bias : {-3, 0, 1, 7, 15, 127, 1023}) {
        for (TopCodes top : tops) {
          for (int flags = 0; flags < 8; ++flags) {
            const FormatSpec spec{w, m, bias, top, (flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0};
            if (!spec.is_valid() || !spec.is_exact_in_double()) continue;
            ++seen;
            const std::string name = format_name(spec);
            CAPTURE(name);
            CHECK(parse_format(name) == spec);
          }
        }
      }
    }
  }
  CHECK(seen > 1000);
}

TEST_CASE("parse_format: an unknown name is answered with the nearest one") {
  CHECK(parse_error("e4m3fnz") ==
        "unknown number format 'e4m3fnz', neither a name of the catalog nor like 'ue5m3:bias=9,ieee', "
        "'int8:frac=6' or 'binary8p3se', so nothing can be "
        "rounded to it; did you mean 'e4m3fn'?");
  CHECK(parse_error("posit<8,0>") ==
        "unknown number format 'posit<8,0>', neither a name of the catalog nor like 'ue5m3:bias=9,ieee', "
        "'int8:frac=6' or 'binary8p3se', so nothing can be "
        "rounded to it; use e4m3, e2m1, bfloat16, int8 or another name that 'bitlaw formats' lists");
  for (std::string_view wrong : {"",
                                 "e",
                                 "e4",
                                 "e4m",
                                 "m3",
                                 "e4m3x",
                                 "e4m3:bias=",
                                 "e4m3,",
                                 "e4m3,ieee,",
                                 "e-1m3",
                                 "e12m3",
                                 "E4M3 ",
                                 "e4m3:bias=7.5",
                                 "e04m3",
                                 "e4m03",
                                 "e4m3:bias=07",
                                 "e4m3:bias=-0",
                                 "e4m3:bias=70000",
                                 "int08",
                                 "int8:frac=06",
                                 "int8:frac=-0",
                                 "binary08p3se",
                                 "binary8p03se",
                                 "e4m3,ieee,finite",
                                 "e4m3,ieee,ieee",
                                 "e4m3,no_subnormals,no_zero",
                                 "e4m3,no_zero,no_zero",
                                 "int8,symmetric,symmetric"}) {
    CAPTURE(wrong);
    CHECK(parse_error(wrong).find("number format '" + std::string(wrong) + "'") != std::string::npos);
  }
}

TEST_CASE("parse_format: a format without room for numbers, or beyond double, is refused") {
  const std::string text =
      " is impossible: its values do not fit a double or too few codes are left for numbers; use X <= 11, Y <= 52, a "
      "smaller bias or ',finite'";
  for (std::string name : {"e0m3,ieee", "e1m2,ieee,no_subnormals", "e0m0", "e8m53", "e11m52:bias=2000", "e11m3",
                           "ue4m3,fnuz", "e4m3:bias=-5000"}) {
    CHECK(parse_error(name) == "number format '" + name + "'" + text);
  }
}

TEST_CASE("parse_format: fixed point reaches as far as double, below and above") {
  // Steps of 2^-F: the least is 2^-1074; -2^(N - 1 - F) >= -2^1023.
  CHECK(parse_format("int8:frac=1074").min_positive() == 0x1p-1074);
  CHECK(parse_format("int32:frac=-992").lowest() == -0x1p1023);
  CHECK(parse_format("uint8:frac=-1015").max_finite() == 255 * 0x1p1015);
  for (std::string name : {"int8:frac=1075", "int32:frac=-993", "int32:frac=-1000", "uint8:frac=-1016",
                           "int8:frac=-65536", "int8:frac=65536,symmetric"}) {
    CHECK(parse_error(name) ==
          "number format '" + name + "' is impossible: its values do not fit a double; use an F nearer to 0");
  }
}
