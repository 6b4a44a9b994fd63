#include "fitting/laws/fp_quantization.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>

#include "tests/fitting/relative.h"

using namespace bitlaw;

namespace {
double loss(double params, double tokens, double exponent_bits, double mantissa_bits, double block) {
  const Law& law = fp_quantization_law();
  return law.predict(law.published()[0].values, std::array{params, tokens, exponent_bits, mantissa_bits, block});
}
}  // namespace

TEST_CASE("fp_quantization: Table 2 evaluated on the paper's grid of sizes and tokens") {
  struct Row {
    double params;
    std::array<double, 4> e1m1_128, e4m3_512, full;
  };
  const std::array<double, 4> tokens{10'485'760'000, 20'971'520'000, 52'428'800'000, 104'857'600'000};
  const std::array<Row, 6> rows{{{40'894'464,
                                  {3.5805, 3.4927, 3.4741, 3.5317},
                                  {3.4611, 3.3219, 3.2001, 3.1397},
                                  {3.4607, 3.3213, 3.1992, 3.1384}},
                                 {84'934'656,
                                  {3.3881, 3.2920, 3.2570, 3.2958},
                                  {3.2876, 3.1484, 3.0265, 2.9661},
                                  {3.2873, 3.1479, 3.0258, 2.9650}},
                                 {154'140'672,
                                  {3.2540, 3.1523, 3.1058, 3.1315},
                                  {3.1668, 3.0275, 2.9056, 2.8451},
                                  {3.1665, 3.0271, 2.9050, 2.8442}},
                                 {679'477'248,
                                  {2.9920, 2.8791, 2.8103, 2.8103},
                                  {2.9307, 2.7913, 2.6694, 2.6088},
                                  {2.9305, 2.7911, 2.6689, 2.6082}},
                                 {1'233'125'376,
                                  {2.9101, 2.7937, 2.7178, 2.7099},
                                  {2.8568, 2.7175, 2.5955, 2.5349},
                                  {2.8566, 2.7172, 2.5951, 2.5344}},
                                 {7'083'130'880,
                                  {2.7269, 2.6027, 2.5111, 2.4853},
                                  {2.6917, 2.5523, 2.4303, 2.3696},
                                  {2.6915, 2.5521, 2.4300, 2.3693}}}};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      CAPTURE(row.params);
      CAPTURE(tokens[i]);
      CHECK(std::abs(loss(row.params, tokens[i], 1, 1, 128) - row.e1m1_128[i]) < 0.51e-4);  // four decimals
      CHECK(std::abs(loss(row.params, tokens[i], 4, 3, 512) - row.e4m3_512[i]) < 0.51e-4);
      CHECK(std::abs(loss(row.params, tokens[i], 8, 7, 1) - row.full[i]) < 0.51e-4);  // B = 1: the BF16 part alone
    }
  }
}

TEST_CASE("fp_quantization: the loss of a 1B model is least at the paper's critical data sizes") {
  // 1730T (BF16), 27T (E4M3), 0.4T (E2M1) tokens, printed with two or three digits; they are those of B = 128.
  struct Case {
    double exponent_bits, mantissa_bits, tokens;
  };
  for (const Case& critical : {Case{8, 7, 1730e12}, Case{4, 3, 27.3e12}, Case{2, 1, 0.393e12}}) {
    CAPTURE(critical.tokens);
    const auto at = [&](double tokens) {
      return loss(1e9, tokens, critical.exponent_bits, critical.mantissa_bits, 128);
    };
    CHECK(at(critical.tokens) < at(critical.tokens * 1.01));
    CHECK(at(critical.tokens) < at(critical.tokens / 1.01));
  }
}

TEST_CASE("fp_quantization: the best split of each width is the one of Figure 5") {
  const std::array<double, 16> best_mantissa{0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7};
  for (int bits = 1; bits <= 16; ++bits) {
    int best = 0;
    for (int mantissa = 0; mantissa < bits; ++mantissa) {
      const auto at = [&](int m) { return loss(1e9, 1e12, bits - 1 - m, m, 128); };
      if (at(mantissa) < at(best)) best = mantissa;
    }
    CAPTURE(bits);
    CHECK(best == best_mantissa[static_cast<std::size_t>(bits - 1)]);
  }
}

TEST_CASE("fp_quantization: with one width, or the block alone, varied it is the marginal law that it came from") {
  const Law& law = fp_quantization_law();
  const std::vector<double>& values = law.published()[0].values;
  const double params = 154'140'672, tokens = 52'428'800'000, block = 128, full = loss(params, tokens, 8, 7, 1);
  // Of 1 / (gamma' (E + 0.5)^delta) at M = 1, B = 128, and likewise with E and M exchanged.
  const double intensity = std::pow(tokens, values[3]) / std::pow(params, values[1]) * std::log2(block);
  const double gamma_e = values[5] * std::pow(1.5, values[7]) / intensity;
  const double gamma_m = values[5] * std::pow(2.5, values[6]) / intensity;
  for (const double bits : {0.0, 1.0, 4.0}) {
    CHECK(find_law("fp_exponent").predict(std::array{gamma_e, values[6], full}, std::array{bits}) ==
          relative(loss(params, tokens, bits, 1, block), 1e-12));
    CHECK(find_law("fp_mantissa").predict(std::array{gamma_m, values[7], full}, std::array{bits}) ==
          relative(loss(params, tokens, 2, bits, block), 1e-12));
  }
  const double kappa = (loss(params, tokens, 1, 1, 2) - full);
  for (const double size : {1.0, 32.0, 512.0}) {
    CHECK(find_law("fp_block").predict(std::array{kappa, full}, std::array{size}) ==
          relative(loss(params, tokens, 1, 1, size), 1e-12));
  }
}

TEST_CASE("fp_quantization: one scale per tensor is worth the block that its power law in N and D says") {
  const Law& law = find_law("fp_tensor_block");
  const std::array values{0.3, 0.02, 0.4};
  CHECK(law.predict(values, std::array{1.0, 1.0}) == relative(50, 1e-14));
  CHECK(law.predict(values, std::array{1e8, 1.0}) == relative(50 * std::pow(10, 2.4), 1e-12));
  CHECK(law.predict(values, std::array{1.0, 1e10}) == relative(50 * 1e-4, 1e-12));
  // Printed with log(log2 B) from 2.75 to 4.0: one scale per channel, 13.1567, is below all of it.
  CHECK(std::log(FpQuantizationLaw::kChannelLog2B) < 2.75);
}
