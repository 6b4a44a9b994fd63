// quantize and encode against rational arithmetic (exact_oracle.h): all roundings, overflows and NaN policies, from
// float32 and float64, at the points where implementations go wrong.

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/format/catalog.h"
#include "core/format/encode.h"
#include "core/format/quantize.h"
#include "tests/core/format/exact_oracle.h"
#include "tests/support/bits.h"
#include "tests/support/long_test.h"

using namespace bitlaw;

namespace {

constexpr RandomStream kStream{.seed = 2027, .step = 1, .layer = 2, .slot = 3};

/// Codes of magnitudes: all where there are few, else the first and last four of each of at most 24 exponents, the
/// least and greatest ones among them, and the middle.
std::vector<std::uint64_t> deciding_codes(const exact::Format& f) {
  std::vector<std::uint64_t> codes;
  if (f.max_code <= 300) {
    for (std::uint64_t code = 0; code <= f.max_code; ++code) codes.push_back(code);
    return codes;
  }
  const std::uint64_t binade = std::uint64_t{1} << f.spec.mantissa_bits;
  const std::uint64_t fields = f.max_code / binade + 1;
  for (std::uint64_t i = 0; i < 24; ++i) {
    const std::uint64_t field = i < 4 ? i : i < 8 ? fields - 1 - (i - 4) : fields * (i - 7) / 18;
    for (std::uint64_t step = 0; step < 4; ++step) {
      for (std::uint64_t place : {step, binade / 2 + step, binade - 1 - step}) {
        codes.push_back(std::min(field, fields - 1) * binade + place % binade);
      }
    }
  }
  std::sort(codes.begin(), codes.end());
  codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
  codes.erase(std::upper_bound(codes.begin(), codes.end(), f.max_code), codes.end());
  return codes;
}

template <typename T>
T bits_to(std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t> bits) {
  return std::bit_cast<T>(bits);
}

template <typename T>
std::vector<T> specials() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> x{T(0), T(1), Limits::denorm_min(), Limits::min(), Limits::max(), Limits::infinity()};
  if constexpr (sizeof(T) == 4) {
    for (std::uint32_t nan : {0x7FC00000U, 0x7F800001U, 0x7FFFFFFFU, 0x7FA12345U}) x.push_back(bits_to<T>(nan));
  } else {
    for (std::uint64_t nan : {0x7FF8000000000000U, 0x7FF0000000000001U, 0x7FFFFFFFFFFFFFFFU, 0x7FF4123456789ABCU}) {
      x.push_back(bits_to<T>(nan));
    }
  }
  return x;
}

/// Of both signs: values, midpoints with the one above (also beyond the largest), one and a half and the square root of
/// two times, both neighbours of each in T, a random place in between, and specials.
template <typename T>
std::vector<T> deciding_points(const exact::Format& f) {
  std::mt19937_64 engine(f.max_code);
  std::vector<T> x = specials<T>();
  const auto add = [&](double point) {
    const T near = static_cast<T>(point);
    for (T v : {near, std::nextafter(near, T(0)), std::nextafter(near, std::numeric_limits<T>::max())}) x.push_back(v);
  };
  for (const std::uint64_t code : deciding_codes(f)) {
    const double low = exact::to_double(f.magnitude(code));
    const double high = code == f.max_code ? 2 * low : exact::to_double(f.magnitude(code + 1));
    add(low);
    add(low / 2 + high / 2);
    if (f.precision == 1) add(1.4142135623730951 * low);
    x.push_back(static_cast<T>(low + (high - low) * static_cast<double>(engine() >> 11) * 0x1p-53));
  }
  const double max = exact::to_double(f.max);
  const double step = std::ldexp(1.0, std::max(std::ilogb(max), f.emin) - f.precision + 1);
  for (double beyond : {step / 2, step, 1.5 * step, 2 * step}) add(max + beyond);
  const double least = exact::to_double(f.spec.has_zero ? exact::power_of_two(f.emin) : f.magnitude(0));
  for (double small : {least, least / 2, least * 0.75, std::ldexp(least, 1 - f.precision) / 2}) add(small);
  const std::size_t count = x.size();
  for (std::size_t i = 0; i < count; ++i) x.push_back(-x[i]);
  return x;
}

/// Those of one format: the number of random bits goes round, by `turn`.
std::vector<Rounding> roundings(const exact::Format& f, int turn) {
  std::vector<Rounding> all;
  for (const auto& [name, mode] : kRoundingModeNames) {
    if (!is_stochastic(mode)) all.emplace_back(mode);
  }
  if (f.precision == 1) {
    all.emplace_back(RoundingMode::TiesToEven, 0, PowerTies::Larger);
    all.emplace_back(RoundingMode::TiesToEven, 0, PowerTies::Logarithmic);
  }
  constexpr int kBits[] = {1, 2, 5, 8, 9, 11, 16, 17, 20, 24, 31, 32};
  for (RoundingMode mode : {RoundingMode::StochasticA, RoundingMode::StochasticB, RoundingMode::StochasticC}) {
    all.emplace_back(mode, kBits[turn % 12]);
    all.emplace_back(mode, kBits[(turn + 5) % 12]);
  }
  all.emplace_back(RoundingMode::StochasticExact);
  return all;
}

RandomWords words_of(const Rounding& rounding, std::uint64_t element) {
  return [&rounding, element](int j) {
    return rounding.mode == RoundingMode::StochasticExact ? exact_random_word(kStream, element, j)
                                                          : stochastic_random(kStream, element, rounding.bits);
  };
}

/// Equal bits; a NaN that comes of overflow is any NaN, one that was there keeps its payload.
template <typename T>
bool same(T got, T expected, T x) {
  return bits_of(got) == bits_of(expected) || (std::isnan(got) && std::isnan(expected) && !std::isnan(x));
}

/// One format with one type of source, under every conversion.
template <typename T>
class Comparison {
 public:
  explicit Comparison(const exact::Format& f) : f_(f), x_(deciding_points<T>(f)), out_(x_.size()), codes_(x_.size()) {
    for (T x : x_) places_.push_back(exact::locate(f, static_cast<double>(x)));
  }

  void check(const Rounding& rounding, int turn) {
    std::vector<bool> away;
    for (std::size_t i = 0; i < x_.size(); ++i) {
      away.push_back(std::isfinite(x_[i]) && exact::round_away(places_[i], rounding, words_of(rounding, i)));
    }
    for (const auto& [name, overflow] : kOverflowNames) {
      const NanPolicy nan = kNanPolicyNames[static_cast<std::size_t>(turn++ % 3)].value;
      check({rounding, overflow, nan}, away);
    }
  }

  std::size_t size() const { return x_.size(); }

 private:
  void check(const Conversion& conversion, const std::vector<bool>& away) {
    quantize(f_.spec, conversion, x_, out_, kStream);
    const bool encodes = f_.has_nan() || conversion.nan != NanPolicy::Propagate;
    if (encodes) encode<T, std::uint64_t>(f_.spec, conversion, x_, codes_, kStream);
    int wrong = 0;
    std::size_t first = 0;
    for (std::size_t i = x_.size(); i-- > 0;) {
      const double value = exact::project(f_, conversion, static_cast<double>(x_[i]), places_[i], away[i]);
      const T expected = std::isnan(x_[i]) && std::isnan(value) ? x_[i] : static_cast<T>(value);
      if (same(out_[i], expected, x_[i]) && (!encodes || codes_[i] == exact::code_of(f_, value))) continue;
      ++wrong;
      first = i;
    }
    CAPTURE(static_cast<int>(conversion.rounding.mode));
    CAPTURE(conversion.rounding.bits);
    CAPTURE(static_cast<int>(conversion.rounding.power_ties));
    CAPTURE(static_cast<int>(conversion.overflow));
    CAPTURE(static_cast<int>(conversion.nan));
    CAPTURE(x_[first]);
    CAPTURE(out_[first]);
    CAPTURE(codes_[first]);
    CHECK(wrong == 0);
  }

  const exact::Format& f_;
  std::vector<T> x_, out_;
  std::vector<std::uint64_t> codes_;
  std::vector<exact::Place> places_;
};

int turn = 0;

void check_format(std::string_view name) {
  CAPTURE(name);
  const exact::Format f(parse_format(name));
  Comparison<float> from_float(f);
  Comparison<double> from_double(f);
  for (const Rounding& rounding : roundings(f, turn)) {
    from_float.check(rounding, turn);
    from_double.check(rounding, turn + 1);
  }
  ++turn;
}

}  // namespace

TEST_CASE("exact: all conversions to the formats of the catalog are those of rational arithmetic" * BITLAW_LONG_TEST) {
  std::vector<FormatSpec> seen;
  for (const CatalogEntry& entry : format_catalog()) {
    if (std::find(seen.begin(), seen.end(), entry.spec) != seen.end()) continue;
    seen.push_back(entry.spec);
    check_format(entry.name);
  }
}

TEST_CASE("exact: the same for P3109 formats of every kind and precision" * BITLAW_LONG_TEST) {
  for (const char* kind : {"se", "sf", "ue", "uf"}) {
    for (const char* shape : {"3p1", "3p2", "4p2", "5p1", "6p3", "8p1", "8p4", "8p7", "10p3", "12p8", "16p9"}) {
      check_format("binary" + std::string(shape) + kind);
    }
  }
  for (std::string_view name : {"binary3p3ue", "binary4p4uf", "binary8p8ue", "binary8p8uf"}) check_format(name);
}

TEST_CASE("exact: the same for integers and fixed point") {
  for (std::string_view name : {"int4,symmetric", "int8,symmetric", "int8:frac=3", "int16", "int32", "uint1", "uint4",
                                "uint8", "uint8:frac=9", "int8:frac=-20", "int8:frac=900"}) {
    check_format(name);
  }
}

TEST_CASE("exact: the same for formats at the corners of the grammar") {
  for (std::string_view name : {"e0m3",
                                "e0m2,nan_only",
                                "e1m0",
                                "e1m1",
                                "e1m1,ieee",
                                "e2m0",
                                "e2m0,ieee",
                                "e4m0",
                                "e3m0:bias=2",
                                "e5m0,ieee",
                                "e4m0,nan_only",
                                "e8m0,ieee",
                                "e6m9",
                                "e8m22,ieee",
                                "e6m21",
                                "e6m22",
                                "e7m23",
                                "e8m24",
                                "e9m5",
                                "e11m3:bias=1023,ieee",
                                "e3m3,p3109",
                                "e4m3,fnuz",
                                "ue3m3",
                                "ue6m2,nan_only",
                                "ue2m2,p3109",
                                "ue3m2,ieee",
                                "e4m3:bias=-90",
                                "e4m3:bias=-105",
                                "e4m3:bias=130",
                                "e4m3:bias=140",
                                "e4m3:bias=1000",
                                "e4m3:bias=-900",
                                "e4m3,no_subnormals",
                                "ue4m3,no_subnormals",
                                "e5m0,no_subnormals,ieee",
                                "e3m2,no_zero",
                                "ue3m1,no_zero",
                                "ue3m0:bias=4,nan_only,no_zero"}) {
    check_format(name);
  }
}
