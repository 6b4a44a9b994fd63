#include "fitting/laws/qat.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <vector>

#include "tests/fitting/relative.h"

using namespace bitlaw;

namespace {
double penalty(const PublishedFit& fit, double params, double tokens, double group) {
  const Law& law = qat_law();
  return law.predict(fit.values, std::array{params, tokens, group}) -
         law.predict(fit.values, std::array{params, tokens, 1.0});
}
}  // namespace

TEST_CASE("qat: Table 1 gives the paper's penalties at 595M parameters and 100B tokens") {
  const std::array<double, 5> groups{32, 64, 128, 256, 1536};
  const std::array<std::array<double, 5>, 5> expected{{{.0441, .0508, .0573, .0635, .0790},
                                                       {.0186, .0199, .0210, .0220, .0243},
                                                       {.0287, .0343, .0400, .0456, .0600},
                                                       {.0340, .0361, .0381, .0399, .0439},
                                                       {.0186, .0202, .0216, .0229, .0260}}};
  REQUIRE(qat_law().published().size() == expected.size());
  for (std::size_t set = 0; set < expected.size(); ++set) {
    for (std::size_t g = 0; g < groups.size(); ++g) {
      CAPTURE(qat_law().published()[set].name);
      CAPTURE(groups[g]);
      const double delta = penalty(qat_law().published()[set], 595e6, 100e9, groups[g]);
      CHECK(std::abs(delta - expected[set][g]) < 0.51e-4);  // four printed decimals
    }
  }
}

TEST_CASE("qat: the weight and activation penalties add up to that of W4A4 within the paper's factor 0.906") {
  const auto& sets = qat_law().published();
  for (const double group : {32.0, 128.0, 256.0}) {
    const double together = penalty(sets[0], 595e6, 100e9, group);
    const double apart = penalty(sets[1], 595e6, 100e9, group) + penalty(sets[2], 595e6, 100e9, group);
    CHECK(together / apart == relative(0.906, 0.05));
  }
}

TEST_CASE("qat: a group of one element costs nothing and has no derivative in the penalty's parameters") {
  const Law& law = qat_law();
  const std::vector<double>& values = law.published()[0].values;
  const std::array inputs{1e8, 1e10, 1.0};
  CHECK(law.predict(values, inputs) ==
        chinchilla_law().predict(std::span(values).first(5), std::span(inputs).first(2)));
  std::array<double, 1> log_loss{};
  std::array<double, 9> gradient{};
  law.log_predictions(law.to_fitted(values), law.features(inputs), log_loss, gradient);
  for (std::size_t j = 5; j < 9; ++j) CHECK(gradient[j] == 0.0);
}

TEST_CASE(
    "qat_effective: at the eff that the paper converts to, it gives the same loss, and without quantization too") {
  const Law &direct = qat_law(), &effective = find_law("qat_effective");
  for (const PublishedFit& fit : direct.published()) {
    const std::vector<double>& v = fit.values;  // (A, alpha, B, beta, E, k, gamma_N, gamma_D, gamma_G)
    for (const double params : {7.4e7, 5.95e8}) {
      const double penalty = v[5] * std::pow(1e11, v[7]) * std::pow(7, v[8]) * std::pow(params, v[1] - v[6]);
      std::vector<double> values(v.begin(), v.begin() + 5);
      values.push_back(std::pow(v[0] / (v[0] + penalty), 1 / v[1]));
      CHECK(effective.predict(values, std::array{params, 1e11, 128.0}) ==
            relative(direct.predict(v, std::array{params, 1e11, 128.0}), 1e-12));
      CHECK(effective.predict(values, std::array{params, 1e11, 1.0}) ==
            relative(direct.predict(v, std::array{params, 1e11, 1.0}), 1e-14));
    }
  }
}
