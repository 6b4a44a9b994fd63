// Laws without a test file of their own, at numbers from their papers, from closed forms or from limits.
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <string_view>
#include <tuple>
#include <vector>

#include "fitting/laws/law.h"
#include "tests/fitting/relative.h"

using namespace bitlaw;

namespace {

double at(std::string_view law, const std::vector<double>& values, const std::vector<double>& inputs) {
  return find_law(law).predict(values, inputs);
}

/// At the published coefficients number `set`.
double at_published(std::string_view law, const std::vector<double>& inputs, std::size_t set = 0) {
  return at(law, find_law(law).published().at(set).values, inputs);
}

}  // namespace

TEST_CASE("kaplan: a power law is 1 at its scale and falls by 10^-alpha for ten times as much") {
  CHECK(at_published("kaplan_n", {8.8e13}) == relative(1, 1e-14));
  CHECK(at_published("kaplan_n", {8.8e12}) == relative(std::pow(10, 0.076), 1e-14));
  CHECK(at_published("kaplan_d", {5.4e12}) == relative(std::pow(10, 0.095), 1e-14));
  CHECK(at_published("kaplan_c", {3.1e7}) == relative(std::pow(10, 0.050), 1e-14));
}

TEST_CASE("kaplan: D = 5e3 N^0.74 tokens keep overfitting to the paper's 2 %") {
  for (const double params : {1e6, 1e8, 1e10}) {
    const double overfit =
        at_published("kaplan_nd", {params, 5e3 * std::pow(params, 0.74)}) / at_published("kaplan_nd", {params, 1e40}) -
        1;
    CHECK(std::abs(overfit - 0.02) < 0.002);  // "about 2 %", D to one digit
  }
  // Without end of data the law is the one in N alone.
  CHECK(at_published("kaplan_nd", {6.4e12, 1e40}) == relative(std::pow(10, 0.076), 1e-12));
}

TEST_CASE("kaplan: the loss after S steps is the sum of two power laws") {
  CHECK(at_published("kaplan_ns", {6.5e13, 2.1e3}) == relative(2, 1e-14));
  CHECK(at_published("kaplan_ns", {6.5e12, 2.1e4}) == relative(std::pow(10, 0.077) + std::pow(10, -0.76), 1e-14));
}

TEST_CASE("data_constrained: the authors' notebook's losses of two models on 25B distinct tokens") {
  CHECK(at_published("data_constrained", {6.34e9, 242e9, 25e9}) == relative(2.2256440889984477, 1e-7));
  CHECK(at_published("data_constrained", {8.67e9, 178e9, 25e9}) == relative(2.2269634075087867, 1e-7));
}

TEST_CASE("data_constrained: with tokens to spare it is Chinchilla's law with one exponent") {
  CHECK(at_published("data_constrained", {1e9, 2e10, 1e12}) ==
        relative(at_published("chinchilla_tied", {1e9, 2e10}), 1e-12));
}

TEST_CASE("over_training: five small models miss two large ones by the published 0.7103 % and 0.7320 %") {
  // Measured losses on C4 of the 1.4B model at 640 and the 6.9B one at 20 tokens per parameter; coefficients of six
  // digits give the errors to three.
  const double params[]{1439795200, 6889410560};
  CHECK(at_published("over_training", {params[0], 640 * params[0]}) / 2.502053562117363 - 1 ==
        relative(0.007103, 1e-3));
  CHECK(at_published("over_training", {params[1], 20 * params[1]}) / 2.424993099368689 - 1 == relative(0.007320, 1e-3));
}

TEST_CASE(
    "accuracy: half the ceiling and half the answers in time at N = H, T = M; one standard deviation later 0.8413") {
  const std::vector<double> values{0.8, 4e9, 2, 8000, 0.5, 0.25};
  CHECK(at("accuracy", values, {4e9, 8000}) == relative(0.8 / 4, 1e-14));
  CHECK(at("accuracy", values, {4e9, 8000 * std::exp(0.25)}) == relative(0.4 * 0.8413447460685429, 1e-14));
  // Twice the size: success 4 / 5 of the ceiling, and answers shorter by the root of 2.
  CHECK(at("accuracy", values, {8e9, 8000 / std::sqrt(2)}) == relative(0.8 * 0.8 / 2, 1e-14));
}

TEST_CASE("hestness, epsilon_1, epsilon_2, loss_to_error, coverage, batch_steps: closed forms") {
  CHECK(at("hestness", {8, 0.5, 1.5}, {1e4}) == relative(1.58, 1e-14));
  CHECK(at("epsilon_1", {8, 0.5}, {1e4}) == relative(0.08, 1e-14));
  CHECK(at("epsilon_2", {8, 0.5, 1.5}, {1e4}) == relative(1.58, 1e-14));
  CHECK(at("loss_to_error", {0.85, 2, std::log(2)}, {3}) == relative(0.85 - 2.0 / 8, 1e-14));
  CHECK(at("coverage", {2, 0.5}, {16}) == relative(std::exp(-0.5), 1e-14));
  // (S/S_min - 1)(E/E_min - 1) = 1 at every batch.
  for (const double batch : {10.0, 1e3, 1e5}) {
    const double steps = at("batch_steps", {500, 2000}, {batch});
    CHECK((steps / 500 - 1) * (steps * batch / (500 * 2000) - 1) == relative(1, 1e-9));
  }
}

TEST_CASE("critical_batch: doubling it takes a loss lower by 2^alpha_B") {
  CHECK(at_published("critical_batch", {1}) == relative(2e8, 1e-14));
  CHECK(at_published("critical_batch", {std::pow(2, -0.21)}) == relative(4e8, 1e-12));
}

TEST_CASE("trajectory: the loss solves the implicit equation, and is the one in N and S at an infinite batch") {
  const std::vector<double> values{1.5e14, 0.076, 2.6e3, 0.67, 1.7e8, 0.205};
  for (const double batch : {1e4, 1e6, 1e8}) {
    const double loss = at("trajectory", values, {1e8, 1e5, batch});
    const double steps = 2.6e3 / 1e5 * (1 + 1.7e8 / (batch * std::pow(loss, 1 / 0.205)));
    CHECK(std::pow(1.5e14 / 1e8, 0.076) + std::pow(steps, 0.67) == relative(loss, 1e-13));
  }
  CHECK(at("trajectory", values, {1e8, 1e5, 1e30}) ==
        relative(at("kaplan_ns", {1.5e14, 0.076, 2.6e3, 0.67}, {1e8, 1e5}), 1e-12));
}

TEST_CASE("kumar: effective parameters at equal widths, and the paper's optimum of 7 bits") {
  const auto& values = find_law("kumar").published()[0].values;
  // L at D = infinity less E is A N_eff^-alpha.
  const auto share = [&](double bits) {
    return std::pow((at("kumar", values, {1e9, 1e300, bits, bits, bits}) - values[4]) / values[0], -1 / values[1]) /
           1e9;
  };
  const double expected[][2]{{4, .191}, {5, .427}, {6, .611}, {7, .740}, {8, .828}, {12, .967}, {16, .994}};
  for (const auto& [bits, effective] : expected) CHECK(std::abs(share(bits) - effective) < 0.51e-3);  // three decimals
  // Compute C = (6/16) N D P at D = 20 N and the best N for each P: the loss is least at 7.00 bits.
  const auto least_loss = [&](double bits) {
    double least = 1e9;
    for (double log_n = 16; log_n < 26; log_n += 0.002) {
      const double params = std::exp(log_n), tokens = 1e22 * 16 / (6 * params * bits);
      least = std::min(least, at("kumar", values, {params, tokens, bits, bits, bits}));
    }
    return least;
  };
  CHECK(least_loss(7.0) < least_loss(6.9));
  CHECK(least_loss(7.0) < least_loss(7.1));
}

TEST_CASE("kumar: has no value where any width is below g n, also where two are") {
  // g = 2, n = 1, so below 2 bits 1 - exp(-(P/g - n)) is negative.
  const std::vector<double> values{400, 0.5, 400, 0.5, 2, 2, 2, 2, 1, 1, 1};
  const auto loss = [&](double w, double a, double kv) { return at("kumar", values, {1e9, 1e10, w, a, kv}); };
  CHECK(std::isfinite(loss(3, 3, 3)));
  for (const auto& [w, a, kv] : {std::tuple{1, 3, 3}, {1, 1, 3}, {1, 3, 1}, {3, 1, 1}, {1, 1, 1}}) {
    CHECK(std::isnan(loss(w, a, kv)));
  }
}

TEST_CASE("kumar_post: one bit more divides the penalty by exp(1/g)") {
  CHECK(at_published("kumar_post", {1e9, 1e10, 4}) / at_published("kumar_post", {1e9, 1e10, 5}) ==
        relative(std::exp(1 / 0.5907), 1e-12));
  CHECK(at_published("kumar_post", {1, 1, 0}) == relative(0.0598, 1e-12));
}

TEST_CASE("quartet: the recipe's efficiencies give its Table 3 losses of the 30M model") {
  const double losses[][2]{{25, 3.49}, {50, 3.38}, {100, 3.29}, {200, 3.24}, {400, 3.20}};
  for (const auto& [ratio, loss] : losses) {
    CHECK(std::abs(at_published("quartet", {30e6, ratio * 30e6}, 1) - loss) < 0.015);  // measured losses, two decimals
  }
}

TEST_CASE("qat_delta: the penalty alone is the one of the joint law") {
  const Law &joint = find_law("qat"), &alone = find_law("qat_delta");
  REQUIRE(alone.published().size() == joint.published().size());
  for (std::size_t set = 0; set < joint.published().size(); ++set) {
    const auto& values = joint.published()[set].values;
    const double difference =
        joint.predict(values, std::array{595e6, 1e11, 128.0}) - joint.predict(values, std::array{595e6, 1e11, 1.0});
    CHECK(at_published("qat_delta", {595e6, 1e11, 128}, set) == relative(difference, 1e-12));
  }
}

TEST_CASE("bnsl: a power law far below the break, a steeper one far above") {
  const std::vector<double> values{0, 3, 0.2, 0.5, 1e6, 0.3};
  const auto slope = [&](double x) {
    return std::log(at("bnsl", values, {x * 1.01}) / at("bnsl", values, {x})) / std::log(1.01);
  };
  CHECK(slope(1e2) == relative(-0.2, 1e-6));
  CHECK(slope(1e10) == relative(-0.7, 1e-6));
  CHECK(slope(1e6) == relative(-0.45, 1e-2));  // half way at x = d_1
  // Two breaks of which one does nothing.
  CHECK(at("bnsl_2", {0.1, 3, 0.2, 0.5, 1e6, 0.3, 0, 1e3, 0.5}, {1e5}) ==
        relative(at("bnsl", {0.1, 3, 0.2, 0.5, 1e6, 0.3}, {1e5}), 1e-14));
}

TEST_CASE("epsilon_3 and epsilon_4: limits in the size, and the implicit equation") {
  CHECK(at("epsilon_3", {8, 0.5, 1.5, 0}, {1e4}) == relative(1.58, 1e-14));
  CHECK(at("epsilon_3", {8, 0.5, 1.5, 1e-4}, {1e30}) == relative(1.58, 1e-14));
  for (const double alpha : {0.3, 1.0, 3.0}) {
    for (const double x : {1e-3, 10.0, 1e8}) {
      const double epsilon = at("epsilon_4", {4, 0.3, 0.2, 2.5, alpha}, {x});
      CHECK((epsilon - 0.2) / std::pow(2.5 - epsilon, alpha) == relative(4 * std::pow(x, -0.3), 1e-9));
    }
  }
}

TEST_CASE("annealing_n: the floors of three sizes are those fitted size by size, within two percent") {
  const double floors[][3]{{106e6, 3.066, 3.057}, {594e6, 2.713, 2.688}, {1720e6, 2.548, 2.496}};
  for (const auto& [params, joint, alone] : floors) {
    const double floor = at_published("annealing_n", {1e300, 0, params});
    CHECK(std::abs(floor - joint) < 0.0006);  // coefficients of three decimals
    CHECK(floor == relative(alone, 0.021));
  }
}

TEST_CASE("continual: without continued training it is the annealing law of the first phase") {
  CHECK(at_published("continual", {2, 0, 0.3, 0}) == relative(at_published("annealing", {2, 0.3}), 1e-14));
  CHECK(at_published("continual", {2, 1, 0, 0}) > at_published("annealing", {3, 0}));       // forgotten: B > 0
  CHECK(at_published("continual", {2, 1, 0, 0}, 1) < 3.024 + 0.412 * std::pow(3, -0.677));  // learned: B < 0
}

TEST_CASE("multilingual: the whole batch is the law in N, a share of it a smaller model") {
  const std::vector<double> values{20, 0.25, 1.2, 0.4, 0.6, 0.9};
  CHECK(at("multilingual", values, {1e8, 1}) == relative(20 * std::pow(1e8, -0.25) + 1.2, 1e-14));
  const double f = 0.3 + 0.4 * std::pow(0.3, 0.6) * std::pow(0.7, 0.9);
  CHECK(at("multilingual", values, {1e8, 0.3}) == relative(at("multilingual", values, {f * 1e8, 1}), 1e-14));
}
