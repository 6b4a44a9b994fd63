// The vectors against the definitions at every length up to 130 and several alignments.

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/format/catalog.h"
#include "core/format/codebook.h"
#include "core/format/encode.h"
#include "core/format/quantize.h"
#include "core/format/storage_kernels.h"
#include "tests/core/format/inputs.h"
#include "tests/support/each_target.h"

using namespace bitlaw;

namespace {

constexpr RandomStream kStream{.seed = 3, .step = 5, .layer = 7, .slot = 9};
constexpr std::size_t kMost = 130;
constexpr std::size_t kOffsets[] = {0, 1, 2, 5, 11};
constexpr std::size_t kGuard = 64;  ///< elements on either side of the output that must stay

template <typename T>
bool same(const T& a, const T& b) {
  return std::memcmp(&a, &b, sizeof(T)) == 0;
}

/// Whether fast(x, out) writes the first elements of `expected`, and nothing else, for the first `count` of x. The
/// input begins at `offset` of an array that ends with it.
template <typename In, typename Out, typename Fast>
bool agrees(std::span<const In> x, const std::vector<Out>& expected, std::size_t offset, std::size_t count, Fast fast) {
  std::vector<In> in(offset);
  in.insert(in.end(), x.begin(), x.begin() + static_cast<std::ptrdiff_t>(count));
  Out fill;
  std::memset(&fill, 0x55, sizeof fill);
  const std::size_t first = kGuard + (offset + count) % 7;
  std::vector<Out> out(first + count + kGuard, fill);
  fast(std::span<const In>(in).subspan(offset), std::span(out).subspan(first, count));
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (!same(out[i], i < first || i >= first + count ? fill : expected[i - first])) return false;
  }
  return true;
}

/// The same for all lengths, offsets and instruction sets, against reference(x, out).
template <typename Out, typename In, typename Reference, typename Fast>
void check_lengths(const std::vector<In>& inputs, Reference reference, Fast fast) {
  REQUIRE(inputs.size() >= kMost + kOffsets[4]);
  for (const std::size_t offset : kOffsets) {
    const auto x = std::span(inputs).subspan(offset, kMost);
    std::vector<Out> expected(kMost);
    reference(x, std::span(expected));
    int targets = 0;
    for_each_target([&](const char* target) {
      CAPTURE(std::string(target));
      CAPTURE(offset);
      for (std::size_t count = 0; count <= kMost; ++count) {
        CAPTURE(count);
        const bool agree = agrees(x, expected, offset, count, fast);
        CHECK(agree);
      }
      ++targets;
    });
    CHECK(targets > 0);
  }
}

/// Numbers that decide roundings to `spec`, those around the ends of its range among the first.
template <typename T>
std::vector<T> inputs_of(const FormatSpec& spec) {
  std::vector<T> x = rounding_inputs<T>(spec, 24, 40);
  for (std::size_t i = 0; i < x.size(); ++i) std::swap(x[i], x[i * 7919 % x.size()]);  // both signs in every vector
  return x;
}
template <typename T>
std::vector<T> narrow_inputs(const FormatSpec& spec) {
  const std::vector<float> x = inputs_of<float>(spec);
  std::vector<T> narrow(x.size());
  std::transform(x.begin(), x.end(), narrow.begin(), [](float v) {
    if constexpr (std::is_same_v<T, BFloat16>) return to_bfloat16(v);
    if constexpr (std::is_same_v<T, Float16>) return to_float16(v);
  });
  return narrow;
}
template <>
std::vector<BFloat16> inputs_of(const FormatSpec& spec) {
  return narrow_inputs<BFloat16>(spec);
}
template <>
std::vector<Float16> inputs_of(const FormatSpec& spec) {
  return narrow_inputs<Float16>(spec);
}

float widened(float v) { return v; }
double widened(double v) { return v; }
float widened(BFloat16 v) { return to_float(v); }
float widened(Float16 v) { return to_float(v); }

template <typename T, typename Wide>
T narrowed(Wide v) {
  if constexpr (std::is_same_v<T, BFloat16>) return to_bfloat16(v);
  if constexpr (std::is_same_v<T, Float16>) return to_float16(v);
  if constexpr (std::is_same_v<T, Wide>) return v;
}

template <typename T>
void check_quantize(const FormatSpec& spec, const Conversion& conversion) {
  check_lengths<T>(
      inputs_of<T>(spec),
      [&](std::span<const T> x, std::span<T> out) {
        for (std::size_t i = 0; i < x.size(); ++i) {
          out[i] = narrowed<T>(quantize_element(spec, conversion, widened(x[i]), kStream, i));
        }
      },
      [&](std::span<const T> x, std::span<T> out) { quantize(spec, conversion, x, out, kStream); });
}

/// Encodes numbers of type T, and decodes the codes 0, s, 2 s, ... into it.
template <typename T, typename Code>
void check_codes(const FormatSpec& spec, const Conversion& conversion) {
  check_lengths<Code>(
      inputs_of<T>(spec),
      [&](std::span<const T> x, std::span<Code> out) { encode_reference<T, Code>(spec, conversion, x, out, kStream); },
      [&](std::span<const T> x, std::span<Code> out) { encode<T, Code>(spec, conversion, x, out, kStream); });
  const std::uint64_t last = ~std::uint64_t{0} >> (64 - spec.total_bits());
  std::vector<Code> codes;
  for (std::uint64_t i = 0; i < 200; ++i) codes.push_back(static_cast<Code>(i * 0x9E3779B97F4A7C15U & last));
  check_lengths<T>(
      codes, [&](std::span<const Code> x, std::span<T> out) { decode_reference<T, Code>(spec, x, out); },
      [&](std::span<const Code> x, std::span<T> out) { decode<T, Code>(spec, x, out); });
}

template <typename From, typename To, typename Scalar>
void check_convert(Scalar scalar) {
  check_lengths<To>(
      inputs_of<From>(kBinary16),
      [&](std::span<const From> x, std::span<To> out) { std::transform(x.begin(), x.end(), out.begin(), scalar); },
      [](std::span<const From> x, std::span<To> out) { convert(x, out); });
}

template <typename T>
void check_codebook(const Codebook& book, const Conversion& conversion) {
  const std::vector<T> x = inputs_of<T>(kE4M3);
  check_lengths<T>(
      x, [&](std::span<const T> in, std::span<T> out) { quantize_reference<T>(book, conversion, in, out, kStream); },
      [&](std::span<const T> in, std::span<T> out) { quantize<T>(book, conversion, in, out, kStream); });
  const Conversion to_max(conversion.rounding, conversion.overflow, NanPolicy::ToMax);
  check_lengths<std::uint8_t>(
      x,
      [&](std::span<const T> in, std::span<std::uint8_t> out) { encode_reference<T>(book, to_max, in, out, kStream); },
      [&](std::span<const T> in, std::span<std::uint8_t> out) { encode<T>(book, to_max, in, out, kStream); });
}

}  // namespace

TEST_CASE("lengths: quantize, each of its kernels, from every type") {
  struct Case {
    std::string_view format;
    Conversion conversion;
  };
  const Case cases[] = {
      {"e4m3", RoundingMode::TiesToEven},                           // one addition
      {"e4m3", RoundingMode::TowardZero},                           // on the bits
      {"e4m3", RoundingMode::TiesToAway},                           // on the bits
      {"e4m3", {RoundingMode::ToOdd, Overflow::ByDirection}},       // general
      {"ue4m3", {RoundingMode::TiesToEven, Overflow::ToInfinity}},  // general, no sign
      {"e8m0", RoundingMode::TiesToEven},                           // from float32 in float64 vectors
      {"e4m3", Rounding(RoundingMode::StochasticA, 5)},             // bytes
      {"e5m2", Rounding(RoundingMode::StochasticB, 12)},            // halves
      {"bfloat16", Rounding(RoundingMode::StochasticC, 27)},        // words
      {"e4m3", RoundingMode::StochasticExact},                      // words and doubt
      {"e4m3fnuz", {RoundingMode::StochasticExact, Overflow::ToInfinity, NanPolicy::ToZero}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.format);
    CAPTURE(static_cast<int>(c.conversion.rounding.mode));
    check_quantize<float>(parse_format(c.format), c.conversion);
    check_quantize<double>(parse_format(c.format), c.conversion);
    check_quantize<BFloat16>(parse_format(c.format), c.conversion);
    check_quantize<Float16>(parse_format(c.format), c.conversion);
  }
}

TEST_CASE("lengths: encode and decode, codes of 8 to 64 bits, from and to every type") {
  const Conversion nearest(RoundingMode::TiesToEven, Overflow::Saturate, NanPolicy::ToMax);
  const Conversion stochastic(Rounding(RoundingMode::StochasticA, 8), Overflow::ToInfinity, NanPolicy::ToMax);
  check_codes<float, std::uint8_t>(kE4M3, nearest);
  check_codes<float, std::uint8_t>(kE5M2, stochastic);
  check_codes<double, std::uint8_t>(kE2M1, nearest);
  check_codes<BFloat16, std::uint8_t>(kE8M0, nearest);
  check_codes<Float16, std::uint8_t>(kInt8, stochastic);
  check_codes<float, std::uint16_t>(kBinary16, nearest);
  check_codes<BFloat16, std::uint16_t>(kBfloat16, stochastic);
  check_codes<float, std::uint32_t>(integer_format(24), nearest);
  check_codes<double, std::uint32_t>(kBinary32, stochastic);
  check_codes<Float16, std::uint32_t>(kTf32, nearest);
  check_codes<double, std::uint64_t>(kBinary64, nearest);
  check_codes<float, std::uint64_t>(parse_format("e11m20,ieee"), stochastic);
}

TEST_CASE("lengths: conversions between the types of arrays") {
  check_convert<BFloat16, float>([](BFloat16 v) { return to_float(v); });
  check_convert<Float16, float>([](Float16 v) { return to_float(v); });
  check_convert<float, BFloat16>([](float v) { return to_bfloat16(v); });
  check_convert<float, Float16>([](float v) { return to_float16(v); });
  check_convert<double, BFloat16>([](double v) { return to_bfloat16(v); });
  check_convert<double, Float16>([](double v) { return to_float16(v); });
}

TEST_CASE("lengths: codebooks") {
  for (const Codebook& book : {nf4(), log_codebook(8, 3), Codebook{-1, 0.25, 3}}) {
    for (const Rounding& rounding : {Rounding(RoundingMode::TiesToEven), Rounding(RoundingMode::TowardNegative),
                                     Rounding(RoundingMode::StochasticB, 9)}) {
      check_codebook<float>(book, rounding);
      check_codebook<double>(book, rounding);
    }
  }
}
