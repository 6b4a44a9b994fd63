#include "core/format/quantize.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/format/catalog.h"
#include "core/format/quantizer.h"
#include "tests/core/format/inputs.h"
#include "tests/support/bits.h"
#include "tests/support/each_target.h"

using namespace bitlaw;

namespace {

constexpr RandomStream kStream{.seed = 3, .step = 5, .layer = 7, .slot = 9};

/// Formats without a name in the catalog: narrow, wide, far from 1, without subnormals or zero, of every kind of top
/// code, and those at the edge of what float32 or float64 vectors can do.
constexpr std::string_view kUnnamed[] = {"e0m3",
                                         "e1m0",
                                         "e1m1",
                                         "e2m0",
                                         "e4m0",
                                         "e3m0:bias=2",
                                         "e5m0,nan_only",
                                         "e2m5",
                                         "e6m9",
                                         "e8m12,ieee",
                                         "e8m22,ieee",
                                         "e6m21",
                                         "e6m22",
                                         "e7m23",
                                         "e8m24",
                                         "e9m5",
                                         "e9m5:bias=127",
                                         "e4m3:bias=-90",
                                         "e4m3:bias=-105",
                                         "e4m3:bias=-115",
                                         "e4m3:bias=127",
                                         "e4m3:bias=128",
                                         "e4m3:bias=140",
                                         "e5m10:bias=120",
                                         "e2m14:bias=110",
                                         "ue3m3",
                                         "ue4m0,nan_only",
                                         "ue5m2,ieee,no_subnormals",
                                         "e4m3,no_subnormals",
                                         "e8m7,ieee,no_subnormals",
                                         "e8m0,nan_only",
                                         "e8m0:bias=126,nan_only,no_zero",
                                         "e3m2,finite,no_zero",
                                         "ue6m1,nan_only,no_zero",
                                         "e11m20,ieee",
                                         "e11m51,ieee",
                                         "e10m30:bias=0",
                                         "e4m3:bias=-1000",
                                         "e4m3:bias=1060",
                                         "int2",
                                         "int8,symmetric",
                                         "int12:frac=5",
                                         "int24",
                                         "uint1",
                                         "uint8:frac=4",
                                         "binary4p1sf",
                                         "binary5p1ue",
                                         "binary6p1se",
                                         "binary8p1uf",
                                         "binary8p2uf",
                                         "binary8p4se",
                                         "binary8p4sf",
                                         "binary8p8ue",
                                         "binary11p5uf",
                                         "binary16p12se"};

/// Every rounding, stochastic ones with few bits, many and all.
std::vector<Rounding> all_roundings() {
  std::vector<Rounding> roundings;
  for (const auto& [name, mode] : kRoundingModeNames) {
    if (!is_stochastic(mode) || mode == RoundingMode::StochasticExact) {
      roundings.emplace_back(mode);
    } else {
      for (int k : {1, 3, 8, 9, 12, 16, 17, 20, 21, 31, 32}) roundings.emplace_back(mode, k);
    }
  }
  roundings.emplace_back(RoundingMode::TiesToEven, 0, PowerTies::Larger);
  roundings.emplace_back(RoundingMode::TiesToEven, 0, PowerTies::Logarithmic);
  return roundings;
}

template <typename T>
std::size_t differences(const std::vector<T>& out, const std::vector<T>& expected) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < out.size(); ++i) count += bits_of(out[i]) == bits_of(expected[i]) ? 0 : 1;
  return count;
}

/// One conversion on every instruction set.
template <typename T>
void check_every_target(const FormatSpec& spec, const Conversion& conversion, const std::vector<T>& x) {
  std::vector<T> expected(x.size());
  quantize_reference(spec, conversion, x, expected, kStream);
  for_each_target([&](const char* target) {
    std::vector<T> out(x.size());
    quantize(spec, conversion, x, out, kStream);
    CAPTURE(std::string(target));
    CAPTURE(format_name(spec));
    CAPTURE(sizeof(T));
    CAPTURE(static_cast<int>(conversion.rounding.mode));
    CAPTURE(conversion.rounding.bits);
    CAPTURE(static_cast<int>(conversion.rounding.power_ties));
    CAPTURE(static_cast<int>(conversion.overflow));
    CAPTURE(static_cast<int>(conversion.nan));
    CHECK(differences(out, expected) == 0);
  });
}

/// Every rounding with the overflow and NaN policies in turn, so that formats together see all combinations.
template <typename T>
void check_conversions(const FormatSpec& spec, std::size_t turn) {
  const std::vector<T> x = rounding_inputs<T>(spec, 40, 100);
  for (const Rounding& rounding : all_roundings()) {
    for (int i = 0; i < 2; ++i, ++turn) {
      check_every_target(spec,
                         Conversion(rounding, i == 0 ? Overflow::Saturate : kOverflowNames[turn % 4].value,
                                    i == 0 ? NanPolicy::Propagate : kNanPolicyNames[turn / 2 % 3].value),
                         x);
    }
  }
}

void check_format(const FormatSpec& spec, std::size_t turn) {
  if (!spec.is_exact_in_double()) return;
  check_conversions<float>(spec, turn);
  check_conversions<double>(spec, turn + 1);
}

}  // namespace

TEST_CASE("quantize: every instruction set gives the reference's bits for every format of the catalog") {
  std::size_t turn = 0;
  for (const CatalogEntry& entry : format_catalog()) check_format(entry.spec, turn += 7);
}

TEST_CASE("quantize: the same for unnamed formats, narrow, wide, flushing or far from 1") {
  std::size_t turn = 0;
  for (std::string_view name : kUnnamed) check_format(parse_format(name), turn += 7);
}

TEST_CASE("quantize: the reference's bits for all overflow and NaN policies, on all values of small formats") {
  for (const FormatSpec& spec : {kE4M3, kE5M2, kE4M3Fnuz, kUE4M3, kE8M0, kInt4, kE2M1, kBinary8p3}) {
    const std::vector<float> x = rounding_inputs<float>(spec, 256, 200);
    for (RoundingMode mode : {RoundingMode::TiesToEven, RoundingMode::TowardZero, RoundingMode::TowardPositive,
                              RoundingMode::TowardNegative, RoundingMode::ToOdd, RoundingMode::StochasticExact}) {
      for (const auto& [overflow_name, overflow] : kOverflowNames) {
        for (const auto& [nan_name, nan] : kNanPolicyNames) check_every_target(spec, {mode, overflow, nan}, x);
      }
    }
  }
}

TEST_CASE("quantize: any length, any alignment, in place, nothing written beyond the end") {
  const std::vector<float> x = rounding_inputs<float>(kE4M3, 128, 10);
  for_each_target([&](const char* target) {
    CAPTURE(std::string(target));
    for (const Rounding& rounding :
         {Rounding(RoundingMode::TiesToEven), Rounding(RoundingMode::ToOdd), Rounding(RoundingMode::StochasticA, 5),
          Rounding(RoundingMode::StochasticB, 12), Rounding(RoundingMode::StochasticExact)}) {
      for (std::size_t count = 0; count <= 130; ++count) {
        const std::size_t offset = count % 17;
        std::vector<float> expected(x);
        const std::span<const float> source(&x[offset], count);
        quantize_reference(kE4M3, rounding, source, std::span(&expected[offset], count), kStream);
        std::vector<float> out(x);
        quantize(kE4M3, rounding, std::span<const float>(&out[offset], count), std::span(&out[offset], count), kStream);
        CHECK(differences(out, expected) == 0);
      }
    }
  });
}

TEST_CASE("quantize: threads and parts change no bit, in float32, float64 and through float64") {
  const auto check = [](const FormatSpec& spec, const Rounding& rounding, auto zero) {
    using T = decltype(zero);
    std::vector<T> x = rounding_inputs<T>(spec, 256, 3000);
    x.resize(5003);
    std::vector<T> expected(x.size());
    quantize_reference(spec, rounding, x, expected, kStream);
    for (int threads : {1, 2, 3}) {
      std::vector<T> out(x.size());
      quantize(spec, rounding, x, out, kStream, threads);
      CAPTURE(threads);
      CHECK(differences(out, expected) == 0);
    }
    std::vector<T> out(x.size());
    const Quantizer<T> quantizer(spec, rounding, kStream);
    std::size_t first = 0;
    for (std::size_t count : {1UL, 30UL, 2UL, 4500UL, 470UL}) {
      quantizer(std::span<const T>(x).subspan(first, count), std::span(out).subspan(first, count), first);
      first += count;
    }
    CHECK(first == x.size());
    CHECK(differences(out, expected) == 0);
  };
  for (const Rounding& rounding : {Rounding(RoundingMode::TiesToEven), Rounding(RoundingMode::StochasticA, 8),
                                   Rounding(RoundingMode::StochasticC, 10), Rounding(RoundingMode::StochasticExact)}) {
    check(kE4M3, rounding, 0.0F);
    check(kE4M3, rounding, 0.0);
    check(kE8M0, rounding, 0.0F);
    check(kBinary64, rounding, 0.0);
  }
}

TEST_CASE("quantize: an output larger than caches, aligned or not, has the bits of its smaller parts") {
  constexpr std::size_t kSize = (std::size_t{9} << 20) + 5;  // 36 MiB; of each of two threads 18
  std::vector<float> x(kSize), parts(kSize), whole(kSize + 32);
  for (std::size_t i = 0; i < kSize; ++i) x[i] = random_uniform({.seed = 11}, i) - 0.5F;
  std::size_t aligned = 0;
  while (reinterpret_cast<std::uintptr_t>(whole.data() + aligned) % 64 != 0) ++aligned;
  // In E5M10 the exact rounding leaves one step of 2^13 in doubt.
  for (const Rounding rounding : {Rounding(RoundingMode::TiesToEven),
                                  {RoundingMode::StochasticA, 8},
                                  Rounding(RoundingMode::StochasticExact),
                                  Rounding(RoundingMode::ToOdd)}) {
    CAPTURE(static_cast<int>(rounding.mode));
    quantize(kBinary16, rounding, x, parts, kStream, /*threads=*/2);
    for (const std::size_t offset : {aligned, aligned + 1}) {
      const std::span<float> out = std::span(whole).subspan(offset, kSize);
      quantize(kBinary16, rounding, x, out, kStream);
      CHECK(same_bits(out, parts));
    }
    quantize(kBinary16, rounding, x, std::span(x).first(kSize), kStream);  // in place
    CHECK(same_bits(x, parts));
    for (std::size_t i = 0; i < kSize; ++i) x[i] = random_uniform({.seed = 11}, i) - 0.5F;
  }
}

TEST_CASE("quantizer: elements beyond 2^34, where the number of a Philox block has a high word, take their own bits") {
  const std::vector<float> x(200, 1.03F);
  for (const Rounding& rounding : {Rounding(RoundingMode::StochasticA, 8), Rounding(RoundingMode::StochasticA, 16),
                                   Rounding(RoundingMode::StochasticExact)}) {
    for (int exponent : {34, 35, 36}) {
      const std::uint64_t first = (std::uint64_t{1} << exponent) - 101;
      std::vector<float> out(x.size()), expected(x.size());
      Quantizer<float>(kE4M3, rounding, kStream)(x, out, first);
      for (std::size_t i = 0; i < x.size(); ++i) {
        expected[i] = quantize_element(kE4M3, rounding, x[i], kStream, first + i);
      }
      CHECK(differences(out, expected) == 0);
    }
  }
}

TEST_CASE("quantize: where the first random bits leave the step open, bits of f and of the word below them decide") {
  // Loops add 16 random bits to the first bits of f. Here these make all ones, and f goes on with .11: of the undecided
  // steps about 3/4 go up.
  const auto check = [](const Rounding& rounding, auto zero) {
    using T = decltype(zero);
    std::vector<T> x(2000), out(x.size()), expected(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double first_bits = 0xFFFF - stochastic_random(kStream, i, 16);
      x[i] = static_cast<T>(kE4M3.min_positive() * std::ldexp(first_bits + 0.75, -16));
    }
    quantize_reference(kE4M3, rounding, x, expected, kStream);
    std::size_t up = 0;
    for (T v : expected) up += v > 0 ? 1 : 0;
    CHECK(up > 1000);
    CHECK(up < 2000);
    for_each_target([&](const char* target) {
      quantize(kE4M3, rounding, x, out, kStream);
      CAPTURE(std::string(target));
      CAPTURE(static_cast<int>(rounding.mode));
      CAPTURE(rounding.bits);
      CHECK(differences(out, expected) == 0);
    });
  };
  check(RoundingMode::StochasticExact, 0.0F);
  check(RoundingMode::StochasticExact, 0.0);
  for (int k : {18, 22, 27, 32}) {
    for (RoundingMode mode : {RoundingMode::StochasticA, RoundingMode::StochasticB, RoundingMode::StochasticC}) {
      check(Rounding(mode, k), 0.0F);
      check(Rounding(mode, k), 0.0);
    }
  }
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
