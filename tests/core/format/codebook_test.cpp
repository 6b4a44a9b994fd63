#include "core/format/codebook.h"

#include <doctest/doctest.h>

#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "core/format/catalog.h"
#include "core/format/codes.h"
#include "core/format/element.h"
#include "tests/support/bits.h"
#include "tests/support/each_target.h"
#include "tests/support/message_of.h"

using namespace bitlaw;

namespace {

constexpr RandomStream kStream{.seed = 3, .step = 5, .layer = 7, .slot = 9};

constexpr Rounding kDeterministic[] = {
    RoundingMode::TiesToEven,     RoundingMode::TiesToAway,     RoundingMode::TiesTowardZero, RoundingMode::TowardZero,
    RoundingMode::TowardPositive, RoundingMode::TowardNegative, RoundingMode::ToOdd};
constexpr Rounding kStochastic[] = {{RoundingMode::StochasticA, 7},
                                    {RoundingMode::StochasticB, 12},
                                    {RoundingMode::StochasticC, 20},
                                    RoundingMode::StochasticExact};

/// 16 values of (i/n)-quantiles as in arXiv:2305.14314: 8 steps up from 1/2 and 7 down, scaled to [-1, 1].
std::vector<double> normal_float(double outermost) {
  const boost::math::normal normal;
  const double largest = quantile(normal, outermost);
  std::vector<double> values;
  for (int i = 7; i >= 1; --i) values.push_back(-quantile(normal, 0.5 + (outermost - 0.5) * i / 7) / largest);
  for (int i = 0; i <= 8; ++i) values.push_back(quantile(normal, 0.5 + (outermost - 0.5) * i / 8) / largest);
  return values;
}

/// Values, middles, both neighbours of each in T, beyond the ends, zeros, infinities, NaN, and numbers in between.
template <typename T>
std::vector<T> deciding_inputs(const Codebook& book) {
  const T infinity = std::numeric_limits<T>::infinity();
  std::vector<T> x{T{0}, -T{0}, infinity, -infinity, std::numeric_limits<T>::quiet_NaN(), T{1000}, -T{1000}};
  const auto add = [&](T v) { x.insert(x.end(), {v, std::nextafter(v, infinity), std::nextafter(v, -infinity)}); };
  const auto values = book.ascending();
  for (std::size_t i = 0; i < values.size(); ++i) {
    add(static_cast<T>(values[i]));
    if (i > 0) add((static_cast<T>(values[i - 1]) + static_cast<T>(values[i])) / 2);
  }
  std::mt19937 engine(1);
  std::normal_distribution<T> normal;
  for (int i = 0; i < 200; ++i) x.push_back(normal(engine));
  return x;
}

template <typename T>
void check_fast(const Codebook& book, const Conversion& conversion, int threads) {
  std::vector<T> x = deciding_inputs<T>(book);
  std::vector<T> expected(x.size()), out(x.size());
  quantize_reference<T>(book, conversion, x, expected, kStream);
  quantize<T>(book, conversion, x, out, kStream, threads);
  int differences = 0;
  for (std::size_t i = 0; i < x.size(); ++i) differences += bits_of(out[i]) != bits_of(expected[i]) ? 1 : 0;
  CHECK(differences == 0);
  if (conversion.nan == NanPolicy::Propagate) {
    std::erase_if(x, [](T v) { return std::isnan(v); });
    out.resize(x.size());
    quantize<T>(book, conversion, x, out, kStream);
  }
  std::vector<std::uint8_t> codes(x.size()), expected_codes(x.size());
  encode<T>(book, conversion, x, codes, kStream, threads);
  encode_reference<T>(book, conversion, x, expected_codes, kStream);
  CHECK(codes == expected_codes);
  std::vector<T> decoded(x.size());
  decode<T>(book, codes, decoded, threads);
  CHECK(decoded == out);
}

float rounded(const Codebook& book, Rounding rounding, float v) {
  float out;
  quantize<float>(book, rounding, std::span(&v, 1), std::span(&out, 1));
  return out;
}

}  // namespace

TEST_CASE("codebook: nf4 holds the quantiles of the normal law that its paper defines") {
  // bitsandbytes, whose table the paper prints, takes the mean of 1 - 1/30 and 1 - 1/32 as the outermost quantile.
  const std::vector<double> expected = normal_float(1 - (1.0 / 30 + 1.0 / 32) / 2);
  REQUIRE(nf4().values().size() == expected.size());
  for (std::size_t c = 0; c < expected.size(); ++c) {
    CHECK(std::abs(static_cast<double>(nf4().values()[c]) - expected[c]) < 1e-6);  // the table was made in float32
  }
  CHECK(nf4().total_bits() == 4);
}

TEST_CASE("codebook: logarithmic values are the powers that their name says") {
  const auto powers = log_codebook(4, 1);
  CHECK(std::vector<float>(powers.values().begin(), powers.values().end()) ==
        std::vector<float>{-1, -0.5, -0.25, -0.125, -0.0625, -0.03125, -0.015625, 0, 0.015625, 0.03125, 0.0625, 0.125,
                           0.25, 0.5, 1});
  const auto roots = log_codebook(8, 2);  // powers of sqrt(2)
  REQUIRE(roots.values().size() == 255);
  for (int j = 0; j < 127; ++j) {
    const double expected = j % 2 == 0 ? std::ldexp(1.0, -j / 2) : std::ldexp(std::sqrt(0.5), -(j / 2));
    CHECK(roots.values()[static_cast<std::size_t>(254 - j)] == static_cast<float>(expected));
    CHECK(roots.values()[static_cast<std::size_t>(j)] == -static_cast<float>(expected));
  }
}

TEST_CASE("codebook: with the values of E2M1 it rounds as E2M1 does, in every mode") {
  std::vector<float> values;
  for (const double v : all_values(kE2M1)) values.push_back(static_cast<float>(v));
  values[8] = -1000;  // the code of minus zero
  const Codebook book(values);
  std::vector<float> x;
  for (int i = -3000; i <= 3000; ++i) x.push_back(static_cast<float>(i) / 500);  // middles too
  for (int i = -24; i <= 24; ++i) x.push_back(static_cast<float>(i) / 4);
  std::vector<Rounding> roundings(std::begin(kDeterministic), std::end(kDeterministic));
  roundings.insert(roundings.end(), std::begin(kStochastic), std::end(kStochastic));
  for (const Rounding& rounding : roundings) {
    CAPTURE(static_cast<int>(rounding.mode));
    std::vector<float> expected(x.size()), out(x.size());
    quantize_reference(kE2M1, rounding, x, expected, kStream);
    quantize<float>(book, rounding, x, out, kStream);
    CHECK(out == expected);
  }
}

TEST_CASE("codebook: every instruction set and number of threads gives the definition's values and codes") {
  std::vector<float> many(256);
  for (std::size_t i = 0; i < many.size(); ++i) many[(i * 37) % 256] = std::sinh(static_cast<float>(i) / 30 - 4);
  for (const Codebook& book : {nf4(), log_codebook(3, 2), log_codebook(8, 8), Codebook({-0.5F, 0.5F}), Codebook(many),
                               Codebook({3.0F, -1.0F, 0.25F, 1e-40F, -3e38F, 3e38F})}) {
    for_each_target([&](const char* target) {
      CAPTURE(std::string(target));
      CAPTURE(codebook_name(book));
      for (const Rounding& rounding : kDeterministic) {
        for (const NanPolicy nan : {NanPolicy::Propagate, NanPolicy::ToZero, NanPolicy::ToMax}) {
          CAPTURE(static_cast<int>(rounding.mode));
          check_fast<float>(book, {rounding, Overflow::Saturate, nan}, 1);
          check_fast<double>(book, {rounding, Overflow::ToInfinity, nan}, 2);
        }
      }
    });
    for (const Rounding& rounding : kStochastic) {
      check_fast<float>(book, rounding, 2);
      check_fast<double>(book, rounding, 3);
    }
  }
}

TEST_CASE("codebook: uneven steps round to the nearer value, at the middle by the named rule, and stop at the ends") {
  const Codebook book({-4, -1, 0, 0.5, 3});                    // codes 0 to 4
  CHECK(rounded(book, RoundingMode::TiesToEven, 1.75F) == 3);  // 0.5 has code 3, 3 has code 4
  CHECK(rounded(book, RoundingMode::TiesToEven, 0.25F) == 0);
  CHECK(rounded(book, RoundingMode::TiesToEven, -2.5F) == -4);
  CHECK(rounded(book, RoundingMode::TiesToEven, -2.4F) == -1);
  CHECK(rounded(book, RoundingMode::TiesToAway, 0.25F) == 0.5F);
  CHECK(rounded(book, RoundingMode::TiesTowardZero, -2.5F) == -1);
  CHECK(rounded(book, RoundingMode::TowardZero, 2.9F) == 0.5F);
  CHECK(rounded(book, RoundingMode::TowardPositive, -3.9F) == -1);
  CHECK(rounded(book, RoundingMode::TowardNegative, -1.1F) == -4);
  CHECK(rounded(book, RoundingMode::ToOdd, 2.9F) == 0.5F);
  CHECK(rounded(book, RoundingMode::TiesToEven, 1e30F) == 3);
  CHECK(rounded(book, RoundingMode::TiesToEven, -INFINITY) == -4);
}

TEST_CASE("codebook: exact stochastic rounding is unbiased on uneven steps") {
  // 2^16 draws of 0.5 or 3 with mean 1: the mean is off by 5 standard deviations once in 1.7 million seeds.
  const Codebook book({-4, -1, 0, 0.5, 3});
  const std::vector<double> x(65536, 1.0);
  std::vector<double> out(x.size());
  quantize<double>(book, RoundingMode::StochasticExact, x, out, kStream);
  const double mean = std::accumulate(out.begin(), out.end(), 0.0) / 65536;
  CHECK(std::abs(mean - 1) < 5 * 2.5 * std::sqrt(0.2 * 0.8 / 65536));
}

TEST_CASE("codebook: a NaN without a code is refused with its place") {
  std::vector<float> x(5000, 1.0F);
  x[4321] = NAN;
  x[4999] = NAN;
  std::vector<std::uint8_t> codes(x.size());
  for (const int threads : {1, 3}) {
    CHECK(message_of([&] { encode<float>(nf4(), RoundingMode::TiesToEven, x, codes, {}, threads); }) ==
          "element 4321: NaN, which the format cannot hold, so it has no code; choose what a NaN becomes: zero or max");
  }
}

TEST_CASE("element: names give codebooks and formats, and these their names") {
  for (const std::string_view name : {"nf4", "log4:steps=2", "log8:steps=64", "log2:steps=1", "e4m3", "int8",
                                      "codebook[-1,-0.5,0,0.5,1]", "codebook[3,-0.1,1e-20]"}) {
    CHECK(element_name(parse_element(name)) == name);
  }
  CHECK(std::get<Codebook>(parse_element("codebook[3,-0.1]")).values()[1] == -0.1F);
  CHECK(element_name(Codebook({-1, 0, 1})) == "log2:steps=1");
}

TEST_CASE("element: a wrong codebook is refused in one line") {
  CHECK(message_of([] { parse_element("codebook[1,x]"); }) ==
        "'x' is no float32 number, so the codebook has no such value; write numbers such as -1, 0.25 or 1e-3, in "
        "codebook[...] without spaces");
  CHECK(message_of([] { parse_element("codebook[0,1e39]"); }).starts_with("'1e39' is no float32 number, "));
  CHECK(message_of([] { parse_element("log04:steps=2"); }).starts_with("'log04:steps=2' is no logarithmic codebook"));
  CHECK(message_of([] { parse_element("codebook[1]"); }) ==
        "a codebook of 1 values has no codes of 1 to 8 bits; give 2 to 256");
  CHECK(message_of([] { parse_element("codebook[1,0.1,0.100000001]"); }) ==
        "0.1 is twice in a codebook (as float32), so it has two codes; leave one out");
  CHECK(message_of([] { parse_element("codebook[1,inf]"); }) ==
        "inf in a codebook, so nothing lies between it and its neighbour; give finite float32 numbers");
  CHECK(message_of([] { parse_element("log9:steps=2"); }) ==
        "'log9:steps=2' is no logarithmic codebook, so it has no values; write logN:steps=S with N bits, 2 to 8, and S "
        "values per factor of two, 1 to 64");
}
