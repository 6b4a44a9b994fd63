#include "fitting/predict/optimum.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "fitting/predict/quantity.h"
#include "fitting/uncertainty/derived.h"

namespace bitlaw {
namespace {

/// The published coefficients of fp_quantization (Sun et al. 2025), by name.
struct Sun {
  double n = 69.2343, alpha = 0.2368, d = 68973.0621, beta = 0.5162, epsilon = 1.9061, gamma = 11334.5197,
         delta = 3.1926, nu = 2.9543;
  std::vector<double> natural() const { return {n, alpha, d, beta, epsilon, gamma, delta, nu}; }
  double both() const { return delta + nu; }
  double gamma_rho() const { return gamma * std::pow(delta, delta) * std::pow(nu, nu) / std::pow(both(), both()); }
  double gamma_d() const { return (both() - alpha) / (n * alpha * gamma_rho()); }
};

const Law& fp_quantization() { return find_law("fp_quantization"); }

std::vector<double> published(const char* law, std::size_t which = 0) {
  return find_law(law).published().at(which).values;
}

/// Equal to the digits that are printed.
void check_printed(double value, double printed, double unit) { CHECK(std::abs(value - printed) <= unit / 2); }

TEST_CASE("optimum: the sixteen integer layouts of arXiv:2501.02423, Fig. 5, and no other has a lower loss") {
  const std::array<std::pair<int, int>, 16> layouts{{{0, 0},
                                                     {1, 0},
                                                     {1, 1},
                                                     {2, 1},
                                                     {2, 2},
                                                     {3, 2},
                                                     {3, 3},
                                                     {4, 3},
                                                     {4, 4},
                                                     {5, 4},
                                                     {5, 5},
                                                     {6, 5},
                                                     {6, 6},
                                                     {7, 6},
                                                     {7, 7},
                                                     {8, 7}}};
  for (int bits = 1; bits <= 16; ++bits) {
    CAPTURE(bits);
    const FloatLayout layout = best_whole_layout(published("fp_quantization"), bits);
    CHECK(layout.exponent_bits == layouts[static_cast<std::size_t>(bits - 1)].first);
    CHECK(layout.mantissa_bits == layouts[static_cast<std::size_t>(bits - 1)].second);
    const auto loss = [&](double e, double m) {
      return fp_quantization().predict(published("fp_quantization"), std::array{1e8, 1e12, e, m, 128.0});
    };
    for (int e = 0; e < bits; ++e) CHECK(loss(e, bits - 1 - e) >= loss(layout.exponent_bits, layout.mantissa_bits));
    // In parts of bits: no split on a fine grid is better.
    const FloatLayout split = best_layout(published("fp_quantization"), bits);
    CHECK(split.exponent_bits + split.mantissa_bits == doctest::Approx(bits - 1).epsilon(1e-12));
    for (int i = 0; i <= 1000; ++i) {
      const double e = (bits - 1) * i / 1000.0;
      CHECK(loss(e, bits - 1 - e) >= loss(split.exponent_bits, split.mantissa_bits) * (1 - 1e-14));
    }
  }
  const Sun sun;
  CHECK(best_layout(sun.natural(), 8).mantissa_bits == doctest::Approx(sun.nu * 8 / sun.both() - 0.5).epsilon(1e-12));
}

TEST_CASE("optimum: data beyond 1730, 27 and 0.4 T tokens hurt 1e9 parameters in BF16, E4M3, E2M1 (App. D)") {
  const Sun sun;
  struct Row {
    double e, m, block, tera, unit;
  };
  for (const Row& row : {Row{8, 7, 128, 1730, 1}, Row{4, 3, 128, 27.3, 0.1}, Row{2, 1, 128, 0.393, 0.001},
                         Row{8, 7, 512, 1356, 1}, Row{4, 3, 512, 21.4, 0.1}, Row{2, 1, 512, 0.308, 0.001}}) {
    const SizedLoss loss(fp_quantization(), {{"E", row.e}, {"M", row.m}, {"B", row.block}});
    CHECK_FALSE(loss.has_bits());
    const Optimum critical = critical_tokens(loss, sun.natural(), 1e9, 16);
    CHECK(critical.inside);
    check_printed(critical.tokens / 1e12, row.tera, row.unit);
    const double closed = std::pow(sun.d * sun.gamma * std::pow(1e9, sun.alpha) * std::pow(row.e + 0.5, sun.delta) *
                                       std::pow(row.m + 0.5, sun.nu) / std::log2(row.block),
                                   1 / (2 * sun.beta));
    CHECK(critical.tokens == doctest::Approx(closed).epsilon(1e-5));
  }
  // Without rounding more data always help.
  const SizedLoss full(fp_quantization(), {{"E", 8}, {"M", 23}, {"B", 1}});
  CHECK_FALSE(critical_tokens(full, sun.natural(), 1e9, 32).inside);
}

TEST_CASE("optimum: best bits for a number of tokens, a size, a budget are those of arXiv:2501.02423, Eq. 22 to 25") {
  const Sun sun;
  const SizedLoss loss(fp_quantization(), {{"B", 128}});
  CHECK(loss.has_bits());
  const TrainingCost cost;
  const double log_b = 7;
  check_printed(sun.gamma_rho(), 160.697, 0.001);
  check_printed(sun.gamma_d(), 2.24328e-3, 1e-8);
  const auto best = [&](double compute, const HeldSizes& held) {
    const Optimum optimum = best_for_compute(loss, sun.natural(), cost, compute, held);
    CHECK(optimum.inside);
    CHECK(cost.flops(optimum.params, optimum.tokens, optimum.bits) == doctest::Approx(compute).epsilon(1e-12));
    return optimum;
  };
  for (const auto& [tokens, bits] : {std::pair{1e11, 4.27}, {1e12, 5.18}, {1e13, 6.28}, {1e14, 7.62}}) {
    for (const double compute : {1e22, 1e26}) {  // on which it does not depend
      const Optimum optimum = best(compute, {.params = {}, .tokens = tokens, .bits = {}});
      check_printed(optimum.bits, bits, 0.01);
      const double closed = std::pow(sun.gamma_d() * std::pow(tokens, sun.beta) * log_b, 1 / sun.both());
      CHECK(optimum.bits == doctest::Approx(closed).epsilon(1e-5));
    }
  }
  for (const double params : {1e9, 7e10}) {
    for (const double compute : {1e22, 1e25}) {
      const double gamma_n = (sun.beta + sun.both()) / (sun.d * sun.beta * sun.gamma_rho());
      const double power = sun.both() + 2 * sun.beta;
      const double closed = std::pow(gamma_n * std::pow(compute / cost.factor, 2 * sun.beta) *
                                         std::pow(params, -(sun.alpha + 2 * sun.beta)) * log_b,
                                     1 / power);
      CHECK(best(compute, {.params = params, .tokens = {}, .bits = {}}).bits == doctest::Approx(closed).epsilon(1e-5));
    }
  }
  double last = 0;
  for (const auto& [compute, bits] :
       {std::pair{1e21, 4.19}, {1e23, 4.72}, {1e25, 5.31}, {1e27, 5.98}, {1e29, 6.73}, {1e31, 7.58}}) {
    const Optimum optimum = best(compute, {});
    check_printed(optimum.bits, bits, 0.01);
    CHECK(optimum.bits > 4);
    CHECK(optimum.bits < 8);  // "4-8 bits for 1e21-1e31"
    if (last > 0) check_printed(std::log(optimum.bits / last) / std::log(100), 0.02573, 1e-4);
    last = optimum.bits;
    // What bitlaw fit reports as P_opt.
    for (const Derived& derived : derived_quantities(fp_quantization(), compute)) {
      if (!derived.name.starts_with("P_opt")) continue;
      CHECK(derived.value(sun.natural()) == doctest::Approx(optimum.bits).epsilon(1e-5));
    }
  }
}

TEST_CASE("optimum: where nothing is rounded the fewest bits are the cheapest, so none are best") {
  const SizedLoss loss(fp_quantization(), {{"B", 1}});
  CHECK_FALSE(best_for_compute(loss, Sun().natural(), {}, 1e22, {}).inside);
}

TEST_CASE("optimum: 7 bits are best for arXiv:2411.04330's law, whatever the budget") {
  const SizedLoss loss(find_law("kumar"), {});
  const std::vector<double> natural = published("kumar");
  // min over N, D, P at N D P given: sum over x of d ln f_x / dP = 1 / P.
  double low = 4, high = 20;
  for (int i = 0; i < 100; ++i) {
    const double p = (low + high) / 2;
    double slope = 0;
    for (std::size_t x = 0; x < 3; ++x) {
      const double rest = std::exp(natural[8 + x] - p / natural[5 + x]);
      slope += rest / (natural[5 + x] * (1 - rest));
    }
    (slope > 1 / p ? low : high) = p;
  }
  check_printed(low, 7.00, 0.01);
  for (const double compute : {1e19, 1e23, 1e27}) {
    CHECK(best_for_compute(loss, natural, {}, compute, {}).bits == doctest::Approx(low).epsilon(1e-5));
  }
}

TEST_CASE("optimum: sizes for a budget are the closed forms of Chinchilla's law and the printed ones") {
  const Law& law = find_law("chinchilla");
  const SizedLoss loss(law, {});
  CHECK_FALSE(loss.has_bits());
  struct Row {
    std::vector<double> natural;  // A, alpha, B, beta, E
    double params, tokens, loss;
  };
  const std::vector<Row> rows{
      {{406.4, 0.34, 410.7, 0.28, 1.69}, 3.219e10, 2.982e12, 1.9307},
      {{std::exp(6.0073404), 0.33917084, std::exp(6.0179186), 0.2849083, std::exp(0.5267228)},
       4.036e10,
       2.379e12,
       1.9184},
      {{std::exp(6.17795598), 0.34781303, std::exp(7.64273236), 0.36585412, std::exp(0.59711196)},
       7.235e10,
       1.327e12,
       1.9740}};
  for (const Row& row : rows) {
    std::vector<double> natural;
    for (const LawParameter& parameter : law.parameters()) {
      const std::string_view names[] = {"A", "alpha", "B", "beta", "E"};
      for (std::size_t k = 0; k < 5; ++k) {
        if (parameter.name == names[k]) natural.push_back(row.natural[k]);
      }
    }
    const Optimum best = best_for_compute(loss, natural, {}, 5.76e23, {.params = {}, .tokens = {}, .bits = 16});
    CHECK(best.params == doctest::Approx(row.params).epsilon(2e-3));  // printed coefficients are rounded
    CHECK(best.tokens == doctest::Approx(row.tokens).epsilon(2e-3));
    check_printed(best.loss, row.loss, 2e-4);
    const double a = row.natural[1], b = row.natural[3];
    const double g = std::pow(a * row.natural[0] / (b * row.natural[2]), 1 / (a + b));
    CHECK(best.params == doctest::Approx(g * std::pow(5.76e23 / 6, b / (a + b))).epsilon(1e-5));
    for (const Derived& derived : derived_quantities(law, 5.76e23)) {
      if (derived.name.starts_with("N_opt("))
        CHECK(derived.value(natural) == doctest::Approx(best.params).epsilon(1e-5));
    }
  }
}

TEST_CASE("optimum: repeated data, the optimum that arXiv:2305.16264's notebook prints") {
  const Law& law = find_law("data_constrained");
  const SizedLoss loss(law, {{"U", 25e9}});
  const Optimum best =
      best_for_compute(loss, published("data_constrained"), {}, 1e22, {.params = {}, .tokens = {}, .bits = 16});
  CHECK(best.params == doctest::Approx(7022364735.88).epsilon(1e-3));
  CHECK(best.tokens == doctest::Approx(237336955477.55).epsilon(1e-3));
}

TEST_CASE("optimum: the tokens that reach a loss, and none where it is below what the size can reach") {
  const SizedLoss loss(find_law("chinchilla"), {});
  const std::vector<double> natural{406.4, 0.34, 410.7, 0.28, 1.69};
  const double floor = 1.69 + 406.4 * std::pow(1e9, -0.34);
  const double closed = std::pow(410.7 / (2.3 - floor + 0.3), 1 / 0.28);
  CHECK(*tokens_to_reach(loss, natural, 1e9, 16, 2.6) == doctest::Approx(closed).epsilon(1e-10));
  CHECK_FALSE(tokens_to_reach(loss, natural, 1e9, 16, floor - 1e-6).has_value());
  // In few bits the least loss is at the critical number of tokens; above it there are two, the first counts.
  const Sun sun;
  const SizedLoss fp4(fp_quantization(), {{"E", 2}, {"M", 1}, {"B", 128}});
  const Optimum least = critical_tokens(fp4, sun.natural(), 1e9, 4);
  const double tokens = *tokens_to_reach(fp4, sun.natural(), 1e9, 4, least.loss + 0.05);
  CHECK(tokens < least.tokens);
  CHECK(fp4(sun.natural(), 1e9, tokens, 4) == doctest::Approx(least.loss + 0.05).epsilon(1e-12));
  CHECK_FALSE(tokens_to_reach(fp4, sun.natural(), 1e9, 4, least.loss - 1e-6).has_value());
}

TEST_CASE("optimum: the best power of two weighs the scale's bits against what it saves, by trying all") {
  const Sun sun;
  const FloatLayout e2m1{2, 1};
  double last = 0;
  for (const double scale_bits : {0.0, 8.0, 16.0, 32.0}) {
    const BlockOptimum best = best_power_of_two(fp_quantization(), sun.natural(), {}, {1e21, 1e9, e2m1, scale_bits});
    double least = 1e9;
    int block = 0;
    for (int b = 8; b <= 4096; b *= 2) {
      const double tokens = 1e21 / (0.375 * (4 + scale_bits / b) * 1e9), size = std::pow(1e9, -sun.alpha);
      const double penalty = std::log2(b) / (sun.gamma * std::pow(2.5, sun.delta) * std::pow(1.5, sun.nu));
      const double loss = sun.n * size + sun.d * std::pow(tokens, -sun.beta) + sun.epsilon +
                          std::pow(tokens, sun.beta) * size * penalty;
      if (loss >= least) continue;
      least = loss;
      block = b;
    }
    CHECK(best.block == block);
    CHECK(best.loss == doctest::Approx(least).epsilon(1e-12));
    CHECK(best.block >= last);  // wider scales want longer blocks
    last = best.block;
  }
  CHECK(best_power_of_two(fp_quantization(), sun.natural(), {}, {1e21, 1e9, e2m1, 0}).block ==
        8);  // free scales: as many as can be
}

TEST_CASE("optimum: what a law cannot be asked is refused with the reason") {
  CHECK_THROWS_WITH(SizedLoss(find_law("hestness"), {}),
                    "law 'hestness': does not take both N and D, so a budget has no best split; use one that does");
  CHECK_THROWS_WITH(SizedLoss(fp_quantization(), {}),
                    "law 'fp_quantization': B is not given, so it has no loss; add B=...");
  CHECK_THROWS_WITH(
      SizedLoss(fp_quantization(), {{"G", 128}}),
      "G=128: is no input that law 'fp_quantization' can be given beside N and D, so it would be ignored; "
      "its inputs are N, D, E, M, B");
  CHECK_THROWS_WITH(SizedLoss(fp_quantization(), {{"B", 128}, {"E", 4}}),
                    "law 'fp_quantization': M is not given, so it has no loss; add M=...");
}

/// A fit of Chinchilla's law with a covariance or draws.
FitRecord fit_of(const std::vector<double>& natural) {
  FitRecord fit;
  fit.law = "chinchilla";
  for (const double value : natural) fit.parameters.push_back({.name = "", .units = "", .estimate = value});
  return fit;
}

TEST_CASE("quantity: an interval by the delta method is exact for a power, draws give their percentiles") {
  const Law& law = find_law("chinchilla");
  FitRecord fit = fit_of({400, 0.34, 410, 0.28, 1.7});
  const auto a_cubed = [](std::span<const double> natural) { return std::pow(natural[0], 3); };
  CHECK(std::isnan(quantity_of(law, fit, a_cubed).interval.low));
  fit.covariance.assign(25, 0);
  fit.covariance[0] = 400 * 400 * 0.01;  // standard error of ln A: 0.1
  fit.degrees_of_freedom = 1e9;          // normal
  const Quantity delta = quantity_of(law, fit, a_cubed);
  CHECK(delta.value == doctest::Approx(6.4e7).epsilon(1e-12));
  CHECK(delta.interval.high == doctest::Approx(6.4e7 * std::exp(1.959964 * 0.3)).epsilon(1e-5));
  CHECK(delta.interval.low == doctest::Approx(6.4e7 * std::exp(-1.959964 * 0.3)).epsilon(1e-5));
  for (int i = 0; i < 1000; ++i) {
    for (const double value : {400.0 + i, 0.34, 410.0, 0.28, 1.7}) fit.draws.push_back(value);
  }
  const Quantity drawn = quantity_of(law, fit, [](std::span<const double> natural) { return natural[0]; });
  CHECK(drawn.from_draws);
  CHECK(drawn.interval.low == doctest::Approx(425).epsilon(0.01));
  CHECK(drawn.interval.high == doctest::Approx(1375).epsilon(0.01));
  const Quantity open =
      quantity_of(law, fit, [](std::span<const double> natural) { return natural[0] > 1300 ? kNan : natural[0]; });
  CHECK(std::isinf(open.interval.high));
}

}  // namespace
}  // namespace bitlaw
