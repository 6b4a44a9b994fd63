#include "core/format/encode.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/format/catalog.h"
#include "core/format/codes.h"
#include "core/format/element_types.h"
#include "core/format/quantize.h"
#include "tests/core/format/inputs.h"
#include "tests/support/bits.h"
#include "tests/support/each_target.h"
#include "tests/support/long_test.h"
#include "tests/support/message_of.h"

using namespace bitlaw;

namespace {

constexpr RandomStream kStream{.seed = 3, .step = 5, .layer = 7, .slot = 9};

/// One format of each kind: every meaning of the top codes, no sign, no subnormals, no zero, no fraction field,
/// integers, fixed point, ends of float32's and double's ranges.
constexpr std::string_view kFormats[] = {"e4m3",           "e5m2",
                                         "e4m3fnuz",       "e2m1",
                                         "e3m2",           "e3m0",
                                         "e8m0",           "ue4m3",
                                         "ue5m3",          "bfloat16",
                                         "binary16",       "tf32",
                                         "binary32",       "binary64",
                                         "binary8p3se",    "binary8p4sf",
                                         "binary8p3ue",    "binary8p5uf",
                                         "binary6p1se",    "int4",
                                         "int8",           "int8,symmetric",
                                         "uint8",          "int8:frac=6",
                                         "int32",          "int16:frac=30",
                                         "e4m3,ieee",      "e5m0,ieee",
                                         "e0m3",           "e8m7,no_subnormals",
                                         "e4m3,no_zero",   "e4m3,no_subnormals",
                                         "e8m24",          "e4m3:bias=130",
                                         "e4m3:bias=-104", "e4m3:bias=-105",
                                         "e4m3:bias=1023", "e4m3:bias=1030",
                                         "e11m3,ieee",     "ue3m3,ieee",
                                         "e4m11,fnuz"};

std::uint64_t bits_of_any(BFloat16 v) { return v.bits; }
std::uint64_t bits_of_any(Float16 v) { return v.bits; }
std::uint64_t bits_of_any(float v) { return bits_of(v); }
std::uint64_t bits_of_any(double v) { return bits_of(v); }

template <typename T>
std::vector<T> inputs_of(const FormatSpec& spec);
template <>
std::vector<float> inputs_of(const FormatSpec& spec) {
  return deciding_inputs(spec, 16777213);
}
template <>
std::vector<double> inputs_of(const FormatSpec& spec) {
  std::vector<double> x;
  for (const float v : deciding_inputs(spec, 16777213)) {
    const auto wide = static_cast<double>(v);
    x.insert(x.end(), {wide, std::nextafter(wide, 0.0), std::nextafter(wide, 1e300), wide * 0x1p-900, wide * 0x1p900});
  }
  return x;
}
/// Every value of the type.
template <>
std::vector<BFloat16> inputs_of(const FormatSpec&) {
  std::vector<BFloat16> x;
  for (std::uint32_t bits = 0; bits < 65536; bits += 3) x.push_back({static_cast<std::uint16_t>(bits)});
  return x;
}
template <>
std::vector<Float16> inputs_of(const FormatSpec&) {
  std::vector<Float16> x;
  for (std::uint32_t bits = 0; bits < 65536; bits += 3) x.push_back({static_cast<std::uint16_t>(bits)});
  return x;
}

template <typename T, typename Code>
std::vector<Code> codes_of(const FormatSpec& spec, const Conversion& conversion, const std::vector<T>& x,
                           int threads = 1) {
  std::vector<Code> codes(x.size());
  encode<T, Code>(spec, conversion, x, codes, kStream, threads);
  return codes;
}

/// Every instruction set against the definition.
template <typename T, typename Code>
void check_encode(const FormatSpec& spec, const Conversion& conversion) {
  if (spec.total_bits() > std::numeric_limits<Code>::digits) return;
  std::vector<T> x = inputs_of<T>(spec);
  for (const bool with_nan : {true, false}) {  // parts of an array with NaN have loops of their own
    if (!with_nan) std::erase_if(x, [](T v) { return std::isnan(to_double(v)); });
    std::vector<Code> expected(x.size());
    encode_reference<T, Code>(spec, conversion, x, expected, kStream);
    for_each_target([&](const char* target) {
      CAPTURE(std::string(target));
      CHECK(codes_of<T, Code>(spec, conversion, x) == expected);
    });
  }
}

template <typename T, typename Code>
void check_decode(const FormatSpec& spec) {
  if (spec.total_bits() > std::numeric_limits<Code>::digits) return;
  std::vector<Code> codes;
  const std::uint64_t last = ~std::uint64_t{0} >> (64 - spec.total_bits());
  const std::uint64_t step = last / 5000 + 1;
  for (std::uint64_t code = 0; code < last - last % step; code += step) codes.push_back(static_cast<Code>(code));
  const std::uint64_t half = spec.magnitude_codes();
  for (std::uint64_t code : {spec.max_magnitude_code(), spec.max_magnitude_code() + 1, half, half - 1, last}) {
    codes.push_back(static_cast<Code>(std::min(code, last)));
  }
  std::vector<T> expected(codes.size());
  std::vector<T> out(codes.size());
  decode_reference<T, Code>(spec, codes, expected);
  for_each_target([&](const char* target) {
    CAPTURE(std::string(target));
    decode<T, Code>(spec, codes, out);
    int differences = 0;
    for (std::size_t i = 0; i < codes.size(); ++i) {
      differences += bits_of_any(out[i]) != bits_of_any(expected[i]) ? 1 : 0;
    }
    CHECK(differences == 0);
  });
}

template <typename T>
void check_each_code_type(const FormatSpec& spec, const std::vector<Conversion>& conversions) {
  for (const Conversion& conversion : conversions) {
    check_encode<T, std::uint8_t>(spec, conversion);
    check_encode<T, std::uint16_t>(spec, conversion);
    check_encode<T, std::uint32_t>(spec, conversion);
    check_encode<T, std::uint64_t>(spec, conversion);
  }
  check_decode<T, std::uint8_t>(spec);
  check_decode<T, std::uint16_t>(spec);
  check_decode<T, std::uint32_t>(spec);
  check_decode<T, std::uint64_t>(spec);
}

}  // namespace

TEST_CASE("encode, decode: every instruction set gives the definition's codes and values from every type" *
          BITLAW_LONG_TEST) {
  for (const std::string_view name : kFormats) {
    const FormatSpec spec = parse_format(name);
    const NanPolicy nan = spec.has_nan() ? NanPolicy::Propagate : NanPolicy::ToMax;
    CAPTURE(name);
    const std::vector<Conversion> conversions = {{RoundingMode::TiesToEven, Overflow::Saturate, nan},
                                                 {RoundingMode::ToOdd, Overflow::ToInfinity, nan}};
    check_each_code_type<float>(spec, conversions);
    check_each_code_type<double>(spec, conversions);
    check_each_code_type<BFloat16>(spec, conversions);
    check_each_code_type<Float16>(spec, conversions);
  }
}

TEST_CASE("encode: formats with the exponents of float32 or float64 round on bits, whatever becomes of halves") {
  for (const RoundingMode mode : {RoundingMode::TiesToAway, RoundingMode::TowardZero}) {
    const Conversion conversion(mode, Overflow::Saturate);
    check_encode<float, std::uint16_t>(kBfloat16, conversion);
    check_encode<double, std::uint16_t>(parse_format("e11m4,ieee"), conversion);
  }
}

TEST_CASE("encode: codes that the documents print") {
  const std::vector<float> x{448, -0.0F, 0x1p-9F, 1e9F, NAN};
  CHECK(codes_of<float, std::uint8_t>(kE4M3, RoundingMode::TiesToEven, x) ==
        std::vector<std::uint8_t>{0x7E, 0x80, 0x01, 0x7E, 0x7F});  // OFP8 v1.0, Table 1
  CHECK(codes_of<float, std::uint8_t>(kE5M2, {RoundingMode::TiesToEven, Overflow::ToInfinity},
                                      {57344, INFINITY, 1e9F}) == std::vector<std::uint8_t>{0x7B, 0x7C, 0x7C});
  CHECK(codes_of<double, std::uint8_t>(kE8M0, RoundingMode::TiesToEven, {0x1p-127, 1, 0x1p127}) ==
        std::vector<std::uint8_t>{0x00, 0x7F, 0xFE});  // OCP MX v1.0, section 5.4
}

TEST_CASE("encode: what decode gives is what quantize gives, at any length, alignment and number of threads") {
  const std::vector<float> inputs = deciding_inputs(kE5M2, 16777213);
  const Conversion conversion({RoundingMode::StochasticB, 11}, Overflow::Propagate);
  for (std::size_t count = 0; count <= 3000; count += count < 130 ? 1 : 731) {
    for (const int threads : {1, 3}) {
      CAPTURE(count);
      const auto x = std::span(inputs).subspan(count % 5, count);
      std::vector<std::uint8_t> codes(count + 64, 0xAA);
      std::vector<float> out(count + 64, 7.0F), expected(count);
      encode<float, std::uint8_t>(kE5M2, conversion, x, std::span(codes).first(count), kStream, threads);
      decode<float, std::uint8_t>(kE5M2, std::span(codes).first(count), std::span(out).first(count), threads);
      quantize(kE5M2, conversion, x, expected, kStream);
      int differences = 0;
      for (std::size_t i = 0; i < count; ++i) {
        differences += out[i] == expected[i] || (std::isnan(out[i]) && std::isnan(expected[i])) ? 0 : 1;
      }
      for (std::size_t i = count; i < count + 64; ++i) differences += codes[i] == 0xAA && out[i] == 7.0F ? 0 : 1;
      CHECK(differences == 0);
    }
  }
}

/// Codes and values of 4 Mi numbers and a few, 33 MiB as float64 and as decoded values, against those of small parts.
template <typename T, typename Code>
void check_large(const FormatSpec& spec, const Conversion& conversion) {
  constexpr std::size_t kSize = (std::size_t{9} << 20) / (sizeof(T) / sizeof(float)) + 5, kPart = 4099;
  std::vector<T> x(kSize), values(kSize + 16), expected_values(kPart);
  std::vector<Code> codes(kSize + 64), expected_codes(kPart);
  for (std::size_t i = 0; i < kPart; ++i) x[i] = static_cast<T>(random_uniform({.seed = 11}, i) - 0.5F);
  for (std::size_t i = kPart; i < kSize; i += kPart) std::copy_n(x.begin(), std::min(kPart, kSize - i), x.begin() + i);
  encode<T, Code>(spec, conversion, std::span(x).first(kPart), expected_codes, kStream);
  decode<T, Code>(spec, expected_codes, expected_values);
  for (const std::size_t offset : {0, 1, 16}) {  // of a vector's alignment, and of a line's
    const std::span<Code> some_codes = std::span(codes).subspan(offset, kSize);
    const std::span<T> some_values = std::span(values).subspan(offset, kSize);
    encode<T, Code>(spec, conversion, x, some_codes, kStream, /*threads=*/2);
    decode<T, Code>(spec, some_codes, some_values, /*threads=*/2);
    std::size_t differences = 0;
    for (std::size_t i = 0; i < kSize; i += kPart) {
      const std::size_t count = std::min(kPart, kSize - i);
      const bool same = std::equal(expected_codes.begin(), expected_codes.begin() + count, some_codes.begin() + i) &&
                        std::equal(expected_values.begin(), expected_values.begin() + count, some_values.begin() + i);
      differences += same ? 0 : 1;
    }
    CHECK(differences == 0);
  }
}

TEST_CASE("encode, decode: arrays larger than caches, aligned or not, have the codes and values of their parts") {
  for_each_target([&](const char* target) {
    CAPTURE(std::string(target));
    check_large<float, std::uint8_t>(kE4M3, RoundingMode::TiesToEven);
  });
  check_large<float, std::uint16_t>(kBfloat16, RoundingMode::TiesToEven);
  check_large<double, std::uint8_t>(kE5M2, RoundingMode::ToOdd);
}

TEST_CASE("encode: a NaN that the format cannot hold is refused with the first place") {
  std::vector<double> x(5000, 1.0);
  x[3210] = x[4999] = NAN;
  for (const int threads : {1, 3}) {
    CHECK(message_of([&] { codes_of<double, std::uint8_t>(kE2M1, RoundingMode::TiesToEven, x, threads); }) ==
          "element 3210: NaN, which the format cannot hold, so it has no code; choose what a NaN becomes: zero or max");
  }
  const Conversion to_max(RoundingMode::TiesToEven, Overflow::Saturate, NanPolicy::ToMax);
  CHECK(codes_of<double, std::uint8_t>(kE2M1, to_max, x)[3210] == 7);
}
