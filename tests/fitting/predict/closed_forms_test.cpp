// Closed forms of optima, written here from the papers or derived in a comment, against the search in optimum.h.
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <memory>
#include <string>

#include "fitting/laws/text_law.h"
#include "fitting/predict/optimum.h"

namespace bitlaw {
namespace {

const std::vector<double>& printed(const char* law) { return find_law(law).published().at(0).values; }

/// x in [low, high] where f, which rises, is 0.
template <typename F>
double root(const F& f, double low, double high) {
  for (int i = 0; i < 200; ++i) {
    const double middle = (low + high) / 2;
    (f(middle) < 0 ? low : high) = middle;
  }
  return (low + high) / 2;
}

/// arXiv:2501.02423 with its printed coefficients, B = 128.
struct Sun128 {
  double n = 69.2343, alpha = 0.2368, d = 68973.0621, beta = 0.5162, gamma = 11334.5197, delta = 3.1926, nu = 2.9543;
  double both = delta + nu, log_b = 7;
  double gamma_rho = gamma * std::pow(delta, delta) * std::pow(nu, nu) / std::pow(both, both);
  const std::vector<double>& natural = printed("fp_quantization");
  SizedLoss loss{find_law("fp_quantization"), {{"B", 128}}};
};

TEST_CASE("optimum: a rounded model is worth the N_eff parameters of arXiv:2501.02423, Eq. 38") {
  const Sun128 sun;
  const SizedLoss full(find_law("fp_quantization"), {{"E", 8}, {"M", 7}, {"B", 1}});  // B = 1: not rounded
  for (const double bits : {4.0, 6.5, 8.0}) {
    for (const double tokens : {1e10, 1e13}) {
      const double rounded = sun.loss(sun.natural, 1e9, tokens, bits);
      const double worth = root([&](double log_n) { return rounded - full(sun.natural, std::exp(log_n), tokens, 16); },
                                std::log(1e2), std::log(1e10));
      const double gamma_n = sun.gamma_rho * sun.n;
      const double eff =
          1e9 *
          std::pow(1 + std::pow(tokens, sun.beta) * sun.log_b / (gamma_n * std::pow(bits, sun.both)), -1 / sun.alpha);
      CHECK(std::exp(worth) == doctest::Approx(eff).epsilon(1e-9));
    }
  }
}

TEST_CASE("optimum: at one budget P^(delta + nu + 2 beta) N^(alpha + 2 beta) is the same for all sizes, Eq. 24") {
  const Sun128 sun;
  const auto invariant = [&](double params) {
    const Optimum best =
        best_for_compute(sun.loss, sun.natural, {}, 1e23, {.params = params, .tokens = {}, .bits = {}});
    CHECK(best.inside);
    return (sun.both + 2 * sun.beta) * std::log(best.bits) + (sun.alpha + 2 * sun.beta) * std::log(params);
  };
  const double first = invariant(1e8);
  for (const double params : {1e9, 1e10, 7e10}) CHECK(invariant(params) == doctest::Approx(first).epsilon(1e-6));
}

TEST_CASE("optimum: bits, size and data together are those of arXiv:2501.02423, Eq. 25") {
  const Sun128 sun;
  const double gamma_d = (sun.both - sun.alpha) / (sun.n * sun.alpha * sun.gamma_rho);
  const double lambda = sun.d * sun.beta / (sun.n * sun.alpha) * (sun.both - sun.alpha) / (sun.both + sun.beta);
  for (const double compute : {1e20, 1e24, 1e30}) {
    const Optimum best = best_for_compute(sun.loss, sun.natural, {}, compute, {});
    const double share = (sun.alpha + sun.beta) / sun.beta;
    const double power = sun.both * share + sun.alpha;
    const double bits =
        std::pow(lambda * std::pow(gamma_d * sun.log_b, share) * std::pow(compute * 16 / 6, sun.alpha), 1 / power);
    CHECK(best.bits == doctest::Approx(bits).epsilon(1e-5));
    // Eq. 22 holds there too and gives D.
    const double tokens = std::pow(std::pow(bits, sun.both) / (gamma_d * sun.log_b), 1 / sun.beta);
    CHECK(best.tokens == doctest::Approx(tokens).epsilon(1e-4));
  }
}

TEST_CASE("optimum: with a cost of k (P + b) N D, by offset or formula, the bits where its derivative vanishes") {
  const Sun128 sun;
  // For given D the loss is (P + b)^alpha (n + rho P^-s) times a constant: alpha (n + rho P^-s) P = s rho P^-s (P + b).
  const double tokens = 1e12, s = sun.both, rho = std::pow(tokens, sun.beta) * sun.log_b / sun.gamma_rho;
  double last = 0;
  for (const double b : {0.0, 2.0, 8.0}) {
    const double bits = root(
        [&](double p) {
          const double penalty = rho * std::pow(p, -s);
          return sun.alpha * (sun.n + penalty) * p - s * penalty * (p + b);
        },
        1, 64);
    const TrainingCost offset{.factor = 0.375, .offset = b};
    TrainingCost formula;
    formula.formula = [b](double n, double d, double p) { return 0.375 * (p + b) * n * d; };
    for (const TrainingCost& cost : {offset, formula}) {
      const Optimum best =
          best_for_compute(sun.loss, sun.natural, cost, 1e24, {.params = {}, .tokens = tokens, .bits = {}});
      CHECK(best.inside);
      CHECK(best.bits == doctest::Approx(bits).epsilon(1e-5));
    }
    CHECK(bits > last);  // what does not depend on P makes bits cheap
    last = bits;
  }
}

TEST_CASE("training cost: a formula is inverted for N and for D, whatever its powers and constants") {
  TrainingCost cost;
  cost.formula = [](double n, double d, double p) { return 6 * n * d * p / 16 + 2e3 * std::sqrt(n) * d + 1e6 * n; };
  for (const double n : {1e3, 1e9, 1e15}) {
    for (const double d : {1e4, 1e12}) {
      const double compute = cost.flops(n, d, 5);
      CHECK(cost.tokens(compute, n, 5) == doctest::Approx(d).epsilon(1e-11));
      CHECK(cost.params(compute, d, 5) == doctest::Approx(n).epsilon(1e-11));
    }
  }
  CHECK(cost.tokens(1e14, 1e9, 5) == 0);  // 1e6 n alone takes more
}

/// 1 - exp(-(P/g - n)) of the weights, the activations, the cache, multiplied.
double share_at(const std::vector<double>& kumar, double bits) {
  double share = 1;
  for (std::size_t x = 0; x < 3; ++x) share *= 1 - std::exp(kumar[8 + x] - bits / kumar[5 + x]);
  return share;
}

TEST_CASE("optimum: at given bits N and D of arXiv:2411.04330's law follow from N_eff and N D P = 16 C / 6") {
  const std::vector<double>& kumar = printed("kumar");
  const SizedLoss loss(find_law("kumar"), {});
  const double a = kumar[1], b = kumar[3];
  for (const double bits : {5.0, 8.0, 16.0}) {
    for (const double compute : {1e19, 1e25}) {
      // d/dN of u A N^-a + B (N K)^b, K = 1 / (N D), is zero.
      const double u = std::pow(share_at(kumar, bits), -a), size = compute * 16 / (6 * bits);
      const double params = std::pow(a * u * kumar[0] / (b * kumar[2]) * std::pow(size, b), 1 / (a + b));
      const Optimum best = best_for_compute(loss, kumar, {}, compute, {.params = {}, .tokens = {}, .bits = bits});
      CHECK(best.params == doctest::Approx(params).epsilon(1e-5));
      CHECK(best.tokens == doctest::Approx(size / params).epsilon(1e-5));
    }
  }
}

TEST_CASE("optimum: for a given size the best bits of arXiv:2411.04330's law grow as the logarithm of the budget") {
  const std::vector<double>& kumar = printed("kumar");
  const SizedLoss loss(find_law("kumar"), {});
  const double b = kumar[3], g = kumar[5];  // weights round most gently, so they are what counts in the end
  const auto bits_at = [&](double compute) {
    const Optimum best = best_for_compute(loss, kumar, {}, compute, {.params = 1e9, .tokens = {}, .bits = {}});
    CHECK(best.inside);
    return best.bits;
  };
  // exp(-P/g) ~ (P/C)^b / P for large C: P / g - (1 - b) ln P = b ln C + constant.
  const double low = bits_at(1e32), high = bits_at(1e35);
  CHECK(((high - low) / g - (1 - b) * std::log(high / low)) / std::log(1e3) == doctest::Approx(b).epsilon(0.02));
  CHECK(bits_at(1e28) - bits_at(1e25) == doctest::Approx(high - low).epsilon(0.03));
}

TEST_CASE("optimum: the other readings of arXiv:2411.04330's offsets have no 7 bits: none at all, or 3.47") {
  const SizedLoss loss(find_law("kumar"), {});
  std::vector<double> without = printed("kumar"), added = without;
  for (std::size_t x = 8; x < 11; ++x) {
    without[x] = 0;
    added[x] = -added[x];
  }
  CHECK(std::abs(best_for_compute(loss, without, {}, 1e23, {}).bits - 3.47) < 0.0051);
  CHECK_FALSE(best_for_compute(loss, added, {}, 1e23, {}).inside);
}

TEST_CASE("optimum: data beyond D_crit of arXiv:2411.04330 hurt a model whose weights are rounded after training") {
  // The law of a model trained in 16 bits and rounded to Ppost, with the printed coefficients.
  const std::unique_ptr<Law> law =
      text_law({.formula = "A/N^a + B/D^b + E + T*exp(-Ppost/g)*D^h/N^k", .inputs = {"N", "D", "Ppost"}});
  const std::vector<double>&kumar = printed("kumar"), &post = printed("kumar_post");
  const std::map<std::string, double> values{{"A", kumar[0]}, {"a", kumar[1]}, {"B", kumar[2]},
                                             {"b", kumar[3]}, {"E", kumar[4]}, {"T", post[0]},
                                             {"h", post[1]},  {"k", post[2]},  {"g", post[3]}};
  std::vector<double> natural;
  for (const LawParameter& parameter : law->parameters()) natural.push_back(values.at(std::string(parameter.name)));
  double last = 0;
  for (const double bits : {3.0, 4.0, 6.0}) {
    const SizedLoss loss(*law, {{"Ppost", bits}});
    for (const double params : {3e7, 1e9}) {
      const double closed =
          std::pow(kumar[3] * kumar[2] * std::pow(params, post[2]) * std::exp(bits / post[3]) / (post[1] * post[0]),
                   1 / (post[1] + kumar[3]));
      const Optimum critical = critical_tokens(loss, natural, params, 16);
      CHECK(critical.inside);
      CHECK(critical.tokens == doctest::Approx(closed).epsilon(1e-5));
      CHECK(critical.tokens > last);  // larger models and finer rounding bear more
      last = params > 1e8 ? 0 : critical.tokens;
    }
    // The rest of the law is as registered.
    const double rounding = loss(natural, 1e9, 1e11, 16) -
                            (kumar[4] + kumar[0] * std::pow(1e9, -kumar[1]) + kumar[2] * std::pow(1e11, -kumar[3]));
    CHECK(rounding == doctest::Approx(find_law("kumar_post").predict(post, std::array{1e9, 1e11, bits})).epsilon(1e-9));
  }
}

TEST_CASE("optimum: the best block balances its own penalty against the scales' bits, and no number nearby is better") {
  const Sun128 sun;
  const BlockQuestion asked{.compute = 1e20, .params = 1e9, .layout = {2, 1}, .scale_bits = 8};
  const BlockOptimum best = best_block(find_law("fp_quantization"), sun.natural, {}, asked);
  REQUIRE(best.inside);
  CHECK(std::exp2(std::round(std::log2(best.block))) != doctest::Approx(best.block).epsilon(1e-3));
  // D = C / (0.375 N (4 + s/B)); dL/dB = 0, with q = 1 / (gamma (E + 0.5)^delta (M + 0.5)^nu ln 2).
  const double q = 1 / (sun.gamma * std::pow(2.5, sun.delta) * std::pow(1.5, sun.nu) * std::log(2));
  const auto slope = [&](double block) {
    const double tokens = 1e20 / (0.375e9 * (4 + 8 / block)), size = std::pow(1e9, -sun.alpha);
    const double d_tokens = 8 / block / (4 + 8 / block);  // d ln D / d ln B
    const double raised = std::pow(tokens, sun.beta) * size * q;
    return raised + (sun.beta * raised * std::log(block) - sun.beta * sun.d * std::pow(tokens, -sun.beta)) * d_tokens;
  };
  CHECK(best.block == doctest::Approx(root(slope, 8, 4096)).epsilon(1e-5));
  const BlockOptimum power = best_power_of_two(find_law("fp_quantization"), sun.natural, {}, asked);
  CHECK(power.loss >= best.loss);
  CHECK(std::abs(std::log2(power.block / best.block)) < 1);
  CHECK_FALSE(best_block(find_law("fp_quantization"), sun.natural, {}, {1e20, 1e9, {2, 1}, 0}).inside);
}

TEST_CASE("laws: what the literature calls capybara is fp_quantization") {
  CHECK(&find_law("capybara") == &find_law("fp_quantization"));
}

}  // namespace
}  // namespace bitlaw
