// Optima of laws that a user wrote: they follow from what the formula says, not from the names or the order in it.
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <map>
#include <memory>

#include "fitting/laws/text_law.h"
#include "fitting/predict/optimum.h"
#include "fitting/uncertainty/derived.h"
#include "tests/fitting/relative.h"

namespace bitlaw {
namespace {

using Values = std::map<std::string, double, std::less<>>;

std::vector<double> natural_of(const Law& law, const Values& values) {
  std::vector<double> natural;
  for (const LawParameter& parameter : law.parameters()) natural.push_back(values.find(parameter.name)->second);
  return natural;
}

TEST_CASE("optimum: a formula in E and M has the best bits of the registered law that it is, in whatever order") {
  const std::vector<double>& sun = find_law("fp_quantization").published()[0].values;
  const Optimum registered = best_for_compute(SizedLoss(find_law("fp_quantization"), {{"B", 128}}), sun, {}, 1e21, {});
  const Values values{{"n", sun[0]},       {"alpha", sun[1]}, {"d", sun[2]},     {"beta", sun[3]},
                      {"epsilon", sun[4]}, {"gamma", sun[5]}, {"delta", sun[6]}, {"nu", sun[7]}};
  for (const char* formula :
       {"n/N^alpha + d/D^beta + epsilon + D^beta/N^alpha*log2(B)/(gamma*(E+0.5)^delta*(M+0.5)^nu)",
        "n/N^alpha + d/D^beta + epsilon + D^beta/N^alpha*log2(B)/((M+0.5)^nu*(E+0.5)^delta*gamma)"}) {
    CAPTURE(formula);
    const std::unique_ptr<Law> law = text_law({.formula = formula, .inputs = {"N", "D", "E", "M", "B"}});
    const SizedLoss loss(*law, {{"B", 128}});
    CHECK(loss.has_bits());
    const Optimum best = best_for_compute(loss, natural_of(*law, values), {}, 1e21, {});
    CHECK(best.inside);
    CHECK(best.bits == relative(registered.bits, 1e-4));
    CHECK(best.params == relative(registered.params, 1e-3));
    CHECK(best.loss == relative(registered.loss, 1e-9));
    // A split near an end of all splits: E + 0.5 = 8 / 11.
    Values uneven = values;
    uneven["delta"] = 0.5, uneven["nu"] = 5;
    const double e = 8.0 / 11 - 0.5;
    CHECK(loss(natural_of(*law, uneven), 1e9, 1e11, 8) ==
          relative(law->predict(natural_of(*law, uneven), std::array{1e9, 1e11, e, 7 - e, 128.0}), 1e-9));
  }
}

TEST_CASE("optimum: a formula in E and M with few parameters has its own best bits") {
  // E and M alike, so E = M = (P - 1) / 2; with D held N ~ 1 / P, and d/dP of P^a (A + c D^b (P/2)^-2k) is zero at
  // (P/2)^2k = c D^b (2k - a) / (a A).
  const std::unique_ptr<Law> law =
      text_law({.formula = "A/N^0.3 + c*D^0.3/N^0.3/((E+0.5)*(M+0.5))^k", .inputs = {"N", "D", "E", "M"}});
  const std::vector<double> natural = natural_of(*law, {{"A", 100}, {"c", 2}, {"k", 3}});
  const SizedLoss loss(*law, {});
  const double closed = 2 * std::pow(2 * std::pow(1e11, 0.3) * (6 - 0.3) / (0.3 * 100), 1.0 / 6);
  const Optimum best = best_for_compute(loss, natural, {}, 1e21, {.params = {}, .tokens = 1e11, .bits = {}});
  CHECK(best.inside);
  CHECK(best.bits == relative(closed, 1e-4));
}

TEST_CASE("optimum: a formula in Pw, Pa and Pkv with few parameters has its own best bits") {
  // N_eff D is largest at N D P given: 3 x e^-x / (1 - e^-x) = 1 with x = P / g, so e^x = 1 + 3 x.
  const std::unique_ptr<Law> law = text_law({.formula = "A/(N*(1-exp(-Pw/g))*(1-exp(-Pa/g))*(1-exp(-Pkv/g)))^a + B/D^a",
                                             .inputs = {"N", "D", "Pw", "Pa", "Pkv"}});
  double x = 2;
  for (int i = 0; i < 200; ++i) x = std::log(1 + 3 * x);
  const std::vector<double> natural = natural_of(*law, {{"A", 4e3}, {"g", 2}, {"a", 0.5}, {"B", 2e4}});
  const Optimum best = best_for_compute(SizedLoss(*law, {}), natural, {}, 1e23, {});
  CHECK(best.inside);
  CHECK(best.bits == relative(2 * x, 1e-4));
}

TEST_CASE("optimum: a formula may have ten inputs; what multiplies the whole loss moves no optimum") {
  const std::unique_ptr<Law> law = text_law({.formula = "(A/N^a + B/D^b)*X1*X2*X3*X4*X5*X6*X7*X8",
                                             .inputs = {"N", "D", "X1", "X2", "X3", "X4", "X5", "X6", "X7", "X8"}});
  const std::vector<double> natural = natural_of(*law, {{"A", 406.4}, {"a", 0.34}, {"B", 410.7}, {"b", 0.28}});
  std::map<std::string, double> given;
  for (int i = 1; i <= 8; ++i) given[std::string("X") + static_cast<char>('0' + i)] = i;
  const Optimum best =
      best_for_compute(SizedLoss(*law, given), natural, {}, 5.76e23, {.params = {}, .tokens = {}, .bits = 16});
  const double closed = std::pow(0.34 * 406.4 / (0.28 * 410.7), 1 / 0.62) * std::pow(5.76e23 / 6, 0.28 / 0.62);
  CHECK(best.params == relative(closed, 1e-5));
}

TEST_CASE("derived: a formula whose parameters are only called as Chinchilla's has not its optimum") {
  const std::unique_ptr<Law> law = text_law({.formula = "E + (A/N)^alpha + (B/D)^beta", .inputs = {"N", "D"}});
  CHECK(derived_quantities(*law, 1e21).empty());
  // Even where the user calls it so.
  const std::unique_ptr<Law> named =
      text_law({.name = "chinchilla", .formula = "E + (A/N)^alpha + (B/D)^beta", .inputs = {"N", "D"}});
  CHECK(derived_quantities(*named, 1e21).empty());
}

TEST_CASE("derived: N_opt of every registered law is where the law itself, without rounding, is least at C = 6 N D") {
  const Values values{{"A", 406.4}, {"alpha", 0.34}, {"B", 410.7}, {"beta", 0.28}, {"E", 1.69},      {"n", 406.4},
                      {"d", 410.7}, {"a", 406.4},    {"eta", 0.3}, {"b", 410.7},   {"epsilon", 1.69}};
  const Values inputs{{"G", 1}, {"B", 1}, {"E", 8}, {"M", 7}, {"Pw", 1e9}, {"Pa", 1e9}, {"Pkv", 1e9}, {"U", 1e30}};
  int laws = 0;
  for (const std::string_view name : law_names()) {
    CAPTURE(name);
    const Law& law = find_law(name);
    std::vector<double> natural;
    for (const LawParameter& parameter : law.parameters()) {
      const auto known = values.find(parameter.name);
      natural.push_back(known == values.end() ? 1 : known->second);
    }
    for (const Derived& quantity : derived_quantities(law, 1e21)) {
      if (!quantity.name.starts_with("N_opt(")) continue;
      ++laws;
      std::map<std::string, double> given;
      for (const std::string_view input : law.inputs()) {
        if (input != "N" && input != "D") given[std::string(input)] = inputs.find(input)->second;
      }
      const Optimum best =
          best_for_compute(SizedLoss(law, given), natural, {}, 1e21, {.params = {}, .tokens = {}, .bits = 16});
      CHECK(best.inside);
      CHECK(quantity.value(natural) == relative(best.params, 1e-5));
    }
  }
  CHECK(laws >= 8);
}

}  // namespace
}  // namespace bitlaw
