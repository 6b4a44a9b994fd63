// Stochastic rounding with scripted random numbers: closed forms, not statistics, but for one case.

#include <doctest/doctest.h>

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <boost/multiprecision/cpp_int.hpp>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "core/format/catalog.h"
#include "core/format/codes.h"
#include "core/format/quantize.h"
#include "tests/support/bits.h"

using namespace bitlaw;

namespace {

/// Two numbers that follow each other in a format, as if its range went on, and what `far` becomes when overflow gives
/// infinity.
struct Gap {
  std::string_view format;
  double near, far, away;
};
/// Normal, at the top of a binade, subnormal, above the largest value, integers, without mantissa bits, unsigned,
/// without subnormals.
constexpr Gap kGaps[] = {{"e4m3", 1, 1.125, 1.125},
                         {"e4m3", 1.875, 2, 2},
                         {"e4m3", 0, -0x1p-9, -0x1p-9},
                         {"e5m2", 57344, 65536, HUGE_VAL},
                         {"e2m1", -4, -6, -6},
                         {"int8", -127, -128, -128},
                         {"e3m0", 4, 8, 8},
                         {"e8m0", 0.5, 1, 1},
                         {"ue4m3", 2, 2.25, 2.25},
                         {"bfloat16", -1, -1.0078125, -1.0078125},
                         {"binary8p4", 0, 0x1p-10, 0x1p-10},
                         {"e4m3,no_subnormals", 0, 0x1p-6, 0x1p-6}};

/// For how many of all 2^k random numbers the value at near + f (far - near) goes away from zero.
double count_away(const Gap& gap, RoundingMode mode, int k, double f) {
  const FormatSpec spec = parse_format(gap.format);
  const Conversion conversion(Rounding(mode, k), Overflow::ToInfinity);
  const double v = gap.near + f * (gap.far - gap.near);
  double count = 0;
  for (std::uint32_t random = 0; random < std::uint32_t{1} << k; ++random) {
    const double result = round_reference(spec, conversion, v, [&](int) { return random; });
    if (result != gap.near && result != gap.away) return NAN;
    count += result == gap.away ? 1 : 0;
  }
  return count;
}

/// Multiples of 2^-k, half of it, a quarter of it, and others, all of at most 20 bits.
std::vector<double> fractions(int k) {
  std::vector<double> f{0, 0.5, 0.25, 0.75, 0x1p-20, 1 - 0x1p-20};
  std::mt19937_64 engine(static_cast<std::uint64_t>(k));
  for (int i = 0; i < 3; ++i) f.push_back(static_cast<double>(engine() >> 44) * 0x1p-20);
  const auto multiple = static_cast<double>(engine() >> (64 - k));
  for (double part : {0.0, 0.25, 0.5, 0.75}) f.push_back(std::ldexp(multiple + part, -k));
  return f;
}

/// Word j is words[j], later ones 0.
RandomWords scripted(const std::vector<std::uint32_t>& words) {
  return [&words](int j) {
    const auto i = static_cast<std::size_t>(j);
    return i < words.size() ? words[i] : 0U;
  };
}

}  // namespace

TEST_CASE("stochastic: of all 2^k random numbers floor(f 2^k) go up in A, floor(f 2^k + 1/2) in B, RNE(f 2^k) in C") {
  // P3109 §4.7.4 solved for R: B's floor(2 s) + 2 R + 1 >= 2^(k+1), s = f 2^k, has floor((floor(2 s) + 1) / 2)
  // solutions.
  for (int k = 1; k <= 12; ++k) {
    for (const Gap& gap : kGaps) {
      if (k > 9 && gap.format != "e4m3" && gap.format != "e2m1") continue;  // takes a while
      for (double f : fractions(k)) {
        CAPTURE(std::string(gap.format));
        CAPTURE(k);
        CAPTURE(f);
        const double s = std::ldexp(f, k);
        CHECK(count_away(gap, RoundingMode::StochasticA, k, f) == std::floor(s));
        CHECK(count_away(gap, RoundingMode::StochasticB, k, f) == std::floor(s + 0.5));
        CHECK(count_away(gap, RoundingMode::StochasticC, k, f) == std::nearbyint(s));
      }
    }
  }
}

namespace {

/// Whether P3109's formula of a mode goes away from zero at the fraction f with R = random, in exact arithmetic.
bool goes_away(RoundingMode mode, int k, double f, double random) {
  const double s = std::ldexp(f, k);
  if (mode == RoundingMode::StochasticA) return std::floor(s) + random >= std::ldexp(1, k);
  if (mode == RoundingMode::StochasticB) return std::floor(2 * s) + 2 * random + 1 >= std::ldexp(2, k);
  return std::nearbyint(s) + random >= std::ldexp(1, k);
}

/// How many of the elements of quantize() differ from near or away by the formula; 0 where T cannot hold the value.
template <typename T>
std::size_t wrong_elements(const Gap& gap, const Rounding& rounding, double f, const std::vector<std::uint32_t>& random,
                           const RandomStream& stream) {
  const double v = gap.near + f * (gap.far - gap.near);
  if (static_cast<double>(static_cast<T>(v)) != v) return 0;
  const std::vector<T> x(random.size(), static_cast<T>(v));
  std::vector<T> out(x.size());
  quantize(parse_format(gap.format), Conversion(rounding, Overflow::ToInfinity), x, out, stream);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const bool away = goes_away(rounding.mode, rounding.bits, f, random[i]);
    wrong += static_cast<double>(out[i]) == (away ? gap.away : gap.near) ? 0 : 1;
  }
  return wrong;
}

}  // namespace

TEST_CASE("stochastic: quantize moves each of many elements as the formulas of P3109 say for its R, every k up to 32") {
  const RandomStream stream{.seed = 11, .step = 2};
  for (int k = 1; k <= 32; ++k) {
    std::vector<std::uint32_t> random(533);
    for (std::size_t i = 0; i < random.size(); ++i) random[i] = stochastic_random(stream, i, k);
    for (const Gap& gap : kGaps) {
      for (RoundingMode mode : {RoundingMode::StochasticA, RoundingMode::StochasticB, RoundingMode::StochasticC}) {
        const Rounding rounding(mode, k);
        std::size_t wrong = 0;
        for (double f : {0.0, 0.5, 0.25, 0x0.55p0, 0x0.AAAAp0, 0x0.81p0, 0x1p-20, 1 - 0x1p-20, 0x1p-40, 0x0.80000008p0,
                         1 - 0x1p-40}) {
          wrong += wrong_elements<float>(gap, rounding, f, random, stream);
          wrong += wrong_elements<double>(gap, rounding, f, random, stream);
        }
        CAPTURE(std::string(gap.format));
        CAPTURE(static_cast<int>(mode));
        CAPTURE(k);
        CHECK(wrong == 0);
      }
    }
  }
}

TEST_CASE(
    "stochastic: on average over all values of j > k bits A is (2^-k - 2^-j) / 2 too small, B 2^-j / 2 too large") {
  // Sums over all f = i 2^-j of (share that goes up - f), in units of 2^-k; C has no bias on average.
  const Gap gap = kGaps[0];
  constexpr int k = 4, j = 7;
  double a = 0, b = 0, c = 0;
  for (int i = 0; i < 1 << j; ++i) {
    const double f = i * 0x1p-7;
    a += count_away(gap, RoundingMode::StochasticA, k, f) - std::ldexp(f, k);
    b += count_away(gap, RoundingMode::StochasticB, k, f) - std::ldexp(f, k);
    c += count_away(gap, RoundingMode::StochasticC, k, f) - std::ldexp(f, k);
  }
  CHECK(a / (1 << j) == -0.5 * (1 - 0x1p-3));
  CHECK(b / (1 << j) == 0.5 * 0x1p-3);
  CHECK(c == 0);
}

TEST_CASE("stochastic: R is a byte or half word of the random bits in memory, or that and more, and its top k bits") {
  const RandomStream stream{.seed = 4, .step = 3, .layer = 2, .slot = 1};
  std::vector<std::uint32_t> words(24);
  for (std::size_t i = 0; i < words.size(); ++i) words[i] = random_bits(stream, i);
  std::uint8_t bytes[96];
  std::uint16_t halves[48];
  std::memcpy(bytes, words.data(), sizeof bytes);  // little endian: the low byte first
  std::memcpy(halves, words.data(), sizeof halves);
  for (std::uint64_t i = 0; i < words.size(); ++i) {
    for (int k = 1; k <= 8; ++k) CHECK(stochastic_random(stream, i, k) == std::uint32_t{bytes[i]} >> (8 - k));
    for (int k = 9; k <= 16; ++k) CHECK(stochastic_random(stream, i, k) == std::uint32_t{halves[i]} >> (16 - k));
    const std::uint32_t first = std::uint32_t{halves[i]} << 16 | random_bits(stream, i + (1ULL << 57)) >> 16;
    for (int k = 17; k <= 32; ++k) CHECK(stochastic_random(stream, i, k) == first >> (32 - k));
    CHECK(exact_random_word(stream, i, 0) == first);
    CHECK(exact_random_word(stream, i, 3) == random_bits(stream, i + (4ULL << 57)));
  }
}

namespace {

/// Every rounding, stochastic ones with few bits, many and all.
std::vector<Rounding> all_roundings() {
  std::vector<Rounding> roundings{RoundingMode::StochasticExact};
  for (const auto& [name, mode] : kRoundingModeNames) {
    if (!is_stochastic(mode)) roundings.emplace_back(mode);
  }
  for (int k : {1, 8, 9, 16, 17, 24, 32}) {
    for (RoundingMode mode : {RoundingMode::StochasticA, RoundingMode::StochasticB, RoundingMode::StochasticC}) {
      roundings.emplace_back(mode, k);
    }
  }
  return roundings;
}

/// How many elements quantize() moves, of 40 copies of all values of a format.
template <typename T>
std::size_t moved_elements(const FormatSpec& spec, const Rounding& rounding) {
  std::vector<T> x;
  for (int copy = 0; copy < 40; ++copy) {
    for (std::uint64_t code = 0; code < spec.code_count(); ++code) {
      if (is_value_code(spec, code)) x.push_back(static_cast<T>(decode(spec, code)));
    }
  }
  std::vector<T> out(x.size());
  quantize(spec, Conversion(rounding, Overflow::Propagate), x, out, {.seed = 23});
  std::size_t moved = 0;
  for (std::size_t i = 0; i < x.size(); ++i) moved += same_bits(out[i], x[i]) ? 0 : 1;
  return moved;
}

}  // namespace

TEST_CASE("stochastic: quantize moves no value of a format, in any mode, whatever random bits many elements have") {
  for (const CatalogEntry& entry : format_catalog()) {
    if (entry.spec.total_bits() > 8) continue;
    CAPTURE(entry.name);
    for (const Rounding& rounding : all_roundings()) {
      CAPTURE(static_cast<int>(rounding.mode));
      CAPTURE(rounding.bits);
      CHECK(moved_elements<float>(entry.spec, rounding) == 0);
      CHECK(moved_elements<double>(entry.spec, rounding) == 0);
    }
  }
}

TEST_CASE("stochastic: a value of the format never moves, in any mode, whatever the random bits") {
  const std::vector<Rounding> roundings = all_roundings();
  for (const CatalogEntry& entry : format_catalog()) {
    if (entry.spec.total_bits() > 8) continue;
    CAPTURE(entry.name);
    for (double v : all_values(entry.spec)) {
      for (const Rounding& rounding : roundings) {
        const auto most =
            static_cast<std::uint32_t>((std::uint64_t{1} << (rounding.bits == 0 ? 32 : rounding.bits)) - 1);
        for (std::uint32_t random : {0U, most}) {
          const double result =
              round_reference(entry.spec, {rounding, Overflow::Propagate}, v, [&](int) { return random; });
          const bool same = same_bits(result, v) || (std::isnan(v) && std::isnan(result));
          // The code that a symmetric integer leaves out is no value of the format.
          if (v >= entry.spec.lowest() || std::isinf(v) || std::isnan(v)) CHECK(same);
        }
      }
    }
  }
}

TEST_CASE("stochastic: the exact mode goes up from U = 1 - f on, to the last bit, however small f is") {
  using boost::multiprecision::cpp_int;
  const FormatSpec spec = parse_format("e4m3");
  // Below the least positive value 2^-9, v = f 2^-9.
  for (double f : {0.5, 0x1p-32, 1 - 0x1p-32, 0x1p-33, 3 * 0x1p-40, 0x1.23456789abcdp-3, 1 - 0x1p-53, 0x1p-64,
                   5 * 0x1p-70, 0x1.fffffffffffffp-120, 0x1p-1000}) {
    CAPTURE(f);
    int exponent = 0;
    const double significand = std::frexp(f, &exponent);
    const int bits = 32 * ((53 - exponent) / 32 + 1);  // f has no bit below 2^-bits
    cpp_int one = 1, threshold = static_cast<std::int64_t>(std::ldexp(significand, 53));
    one <<= bits;
    threshold <<= bits + exponent - 53;
    threshold = one - threshold;
    const auto goes_up = [&](const cpp_int& u) {
      std::vector<std::uint32_t> words;
      for (int shift = bits - 32; shift >= 0; shift -= 32) {
        words.push_back(static_cast<std::uint32_t>((u >> shift) & 0xFFFFFFFFU));
      }
      return round_reference(spec, RoundingMode::StochasticExact, f * 0x1p-9, scripted(words)) == 0x1p-9;
    };
    CHECK(goes_up(threshold));
    threshold -= 1;
    CHECK_FALSE(goes_up(threshold));
    for (int shift = 0; shift < bits; shift += 32) {  // one less in each word
      cpp_int less = 1;
      less <<= shift;
      less = threshold - less;
      if (less >= 0) CHECK_FALSE(goes_up(less));
    }
    one -= 1;
    CHECK(goes_up(one));
    CHECK_FALSE(goes_up(0));
  }
}

TEST_CASE("stochastic: the exact mode is unbiased; the whole case fails by chance once in 10^9 seeds") {
  struct Case {
    std::string_view format;
    double v, near, far;
  };
  constexpr Case kCases[] = {{"e4m3", 1.03, 1, 1.125},
                             {"e2m1", 0.1, 0, 0.5},
                             {"e2m1", -5.5, -4, -6},
                             {"e4m3", 1e-4, 0, 0x1p-9},
                             {"e5m2", -1e-7, 0, -0x1p-16},
                             {"bfloat16", 1.001, 1, 1 + 0x1p-7},
                             {"int8", 3.999, 3, 4},
                             {"e3m0", 5, 4, 8},
                             {"ue5m3", 61440.0 * 0.97, 57344, 61440},
                             {"binary8p1uf", 9, 8, 16}};
  constexpr int kCount = 1 << 20;
  constexpr double kFalseAlarm = 1e-9 / (2 * 2 * std::size(kCases));  // two tails, two types
  const auto check = [&](auto type, const Case& c) {
    using T = decltype(type);
    CAPTURE(std::string(c.format));
    CAPTURE(sizeof(T));
    const T v = static_cast<T>(c.v);
    std::vector<T> x(kCount, v), out(kCount);
    quantize(parse_format(c.format), RoundingMode::StochasticExact, x, out, {.seed = 17});
    const auto up = std::count(out.begin(), out.end(), static_cast<T>(c.far));
    CHECK(up + std::count(out.begin(), out.end(), static_cast<T>(c.near)) == kCount);
    const boost::math::binomial law(kCount, (static_cast<double>(v) - c.near) / (c.far - c.near));
    CHECK(static_cast<double>(up) >= quantile(law, kFalseAlarm));
    CHECK(static_cast<double>(up) <= quantile(complement(law, kFalseAlarm)));
  };
  for (const Case& c : kCases) {
    check(float{}, c);
    check(double{}, c);
  }
}
