#include "core/format/quantize.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/format/catalog.h"
#include "tests/core/format/inputs.h"
#include "tests/support/bits.h"
#include "tests/support/each_target.h"

using namespace bitlaw;

namespace {

constexpr RoundingMode kRoundings[] = {RoundingMode::TiesToEven, RoundingMode::TowardZero,
                                       RoundingMode::StochasticExact};
constexpr Overflow kOverflows[] = {Overflow::Saturate, Overflow::ToInfinity};

/// How many outputs of quantize differ from `expected` in any bit.
int differences(const FormatSpec& spec, RoundingMode rounding, Overflow overflow, const std::vector<float>& x,
                const std::vector<float>& expected, const RandomStream& stream) {
  std::vector<float> out(x.size());
  quantize(spec, {rounding, overflow}, x, out, stream);
  int count = 0;
  for (std::size_t i = 0; i < x.size(); ++i) count += bits_of(out[i]) == bits_of(expected[i]) ? 0 : 1;
  return count;
}

void check_every_target(std::string_view name, std::uint32_t stride) {
  const FormatSpec spec = parse_format(name);
  const RandomStream stream{.seed = 3, .step = 5, .layer = 7, .slot = 9};
  const std::vector<float> x = deciding_inputs(spec, stride);
  for (RoundingMode rounding : kRoundings) {
    for (Overflow overflow : kOverflows) {
      std::vector<float> expected(x.size());
      quantize_reference(spec, {rounding, overflow}, x, expected, stream);
      for_each_target([&](const char* target) {
        CAPTURE(name);
        CAPTURE(std::string(target));
        CAPTURE(static_cast<int>(rounding));
        CHECK(differences(spec, rounding, overflow, x, expected, stream) == 0);
      });
    }
  }
}

}  // namespace

TEST_CASE("quantize: every instruction set gives the reference's bits for every format of the catalog") {
  for (const CatalogEntry& entry : format_catalog()) check_every_target(entry.name, 331777);
}

TEST_CASE("quantize: the same for unnamed formats, narrow, wide, flushing or far from 1") {
  for (std::string_view name : {"e0m3",
                                "e1m0",
                                "e1m1",
                                "e2m0",
                                "e4m0",
                                "e3m0:bias=2",
                                "e5m0,ieee",
                                "e2m5",
                                "e6m9",
                                "e8m22,ieee",
                                "e7m23",
                                "e8m24",
                                "e9m5",
                                "e4m3:bias=-90",
                                "e4m3:bias=-105",
                                "e4m3:bias=130",
                                "e4m3:bias=140",
                                "ue3m3",
                                "e4m3,no_subnormals",
                                "e8m0,ieee"}) {
    check_every_target(name, 1327217);
  }
}

TEST_CASE("quantize: any length, any alignment, in place, nothing written beyond the end") {
  const RandomStream stream{.seed = 1};
  const std::vector<float> x = deciding_inputs(kE4M3, 40000003);
  for_each_target([&](const char* target) {
    CAPTURE(std::string(target));
    for (RoundingMode rounding : kRoundings) {
      for (std::size_t offset : {0UL, 1UL, 3UL}) {
        for (std::size_t count : {0UL, 1UL, 2UL, 7UL, 8UL, 15UL, 16UL, 17UL, 33UL, 100UL}) {
          std::vector<float> expected(x);
          const std::span<const float> source(&x[offset], count);
          quantize_reference(kE4M3, rounding, source, std::span(&expected[offset], count), stream);
          std::vector<float> out(x);
          quantize(kE4M3, rounding, std::span<const float>(&out[offset], count), std::span(&out[offset], count),
                   stream);
          bool same = true;
          for (std::size_t i = 0; i < x.size(); ++i) same = same && bits_of(out[i]) == bits_of(expected[i]);
          CHECK(same);
        }
      }
    }
  });
}

TEST_CASE("quantize: bits beyond 2^11 elements are those of the element's own index") {
  const RandomStream stream{.seed = 11};
  const std::vector<float> x(5000, 1.0F + 0x1p-5F);
  std::vector<float> out(x.size()), expected(x.size());
  quantize(kE4M3, RoundingMode::StochasticExact, x, out, stream);
  quantize_reference(kE4M3, RoundingMode::StochasticExact, x, expected, stream);
  CHECK(out == expected);
}

TEST_CASE("quantize: stochastic rounding is unbiased within five standard errors (false alarm 6e-7 each)") {
  struct Case {
    std::string_view format;
    float v;
    double low, high;
  };
  constexpr int kCount = 1 << 20;
  for (const Case& c : {Case{"e4m3", 1.03F, 1, 1.125}, Case{"e2m1", 0.1F, 0, 0.5}, Case{"e2m1", 5.5F, 4, 6},
                        Case{"e4m3", 0.0001F, 0, 0x1p-9}, Case{"bfloat16", 1.001F, 1, 1 + 0x1p-7}}) {
    CAPTURE(c.v);
    std::vector<float> x(kCount, c.v), out(kCount);
    quantize(parse_format(c.format), RoundingMode::StochasticExact, x, out, {.seed = 17});
    int up = 0;
    for (float v : out) up += static_cast<double>(v) == c.high ? 1 : 0;
    const double p = (static_cast<double>(c.v) - c.low) / (c.high - c.low);
    CHECK(std::abs(up - p * kCount) < 5 * std::sqrt(p * (1 - p) * kCount));
  }
}
