#include "fitting/laws/text_law.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <vector>

#include "fitting/laws/expression.h"
#include "tests/fitting/relative.h"
#include "tests/support/message_of.h"

using namespace bitlaw;

namespace {
double value(const char* text) { return Expression(text).evaluate({}, {}); }
std::string refusal(const char* text) {
  return message_of([&] { Expression expression(text); });
}
}  // namespace

TEST_CASE("expression: precedence and association are those of arithmetic") {
  CHECK(value("1 + 2*3 - 4/8") == 6.5);
  CHECK(value("10 - 3 - 2") == 5);
  CHECK(value("16/4/2") == 2);
  CHECK(value("2^3^2") == 512);
  CHECK(value("-2^2") == -4);
  CHECK(value("4^-0.5") == 0.5);
  CHECK(value("-(1 + 2)*+3") == -9);
  CHECK(value("1e-3*1.5e3") == 1.5);
  CHECK(value("log2(8) + log10(1e4) + sqrt(9) + abs(-2) + exp(0) + log(1)") == relative(13, 1e-14));
  CHECK(value("sin(4*atan(1)/6) + cos(4*atan(1)/3)") == relative(1, 1e-15));  // pi/6 and pi/3
  CHECK(value("erf(1) + erf(-2)") == relative(0.84270079294971487 - 0.99532226501895273, 1e-14));
}

TEST_CASE("expression: gradients agree with central differences") {
  const Expression expression(
      "-a*exp(-b*x) / (1 + c^2) + log(x^a + sqrt(b)) - log2(c)*log10(x) + abs(a - b)^x "
      "+ sin(a*x)*cos(b/c) - atan(c*x)*erf(b*x - c/4)");
  const std::vector<double> at{1.3, 0.7, 2.1, 0.4};  // in order of appearance: a, b, x, c
  REQUIRE(expression.names() == std::vector<std::string>{"a", "b", "x", "c"});
  std::vector<double> gradient(4);
  expression.evaluate(at, gradient);
  for (std::size_t k = 0; k < at.size(); ++k) {
    std::vector<double> up = at, down = at;
    up[k] += 1e-6;
    down[k] -= 1e-6;
    CHECK(gradient[k] == relative((expression.evaluate(up, {}) - expression.evaluate(down, {})) / 2e-6, 1e-7));
  }
}

TEST_CASE("expression: what is no formula is refused with the column") {
  CHECK(
      refusal("E + A/N^") ==
      "formula 'E + A/N^', column 9: expected a number, a name or ( and found nothing more, so it says nothing; write "
      "for example E + A/N^a + B/D^b");
  CHECK(refusal("2 x").starts_with("formula '2 x', column 3: expected an operator or the end and found 'x'"));
  CHECK(refusal("(1 + 2").starts_with("formula '(1 + 2', column 7: expected ) and found nothing more"));
  CHECK(
      refusal("tan(x)").starts_with("formula 'tan(x)', column 1: expected one of the functions exp, log, log2, log10, "
                                    "sqrt, abs, sin, cos, atan, erf and "
                                    "found 't'"));
  CHECK(refusal(std::string(5000, '(').c_str()).find("fewer than 200 nested parts") != std::string::npos);
}

TEST_CASE("text_law: Chinchilla's law written as text has its losses and derivatives") {
  const auto law = text_law({.formula = "E + A/N^alpha + B/D^beta", .inputs = {"N", "D"}});
  const Law& built_in = find_law("chinchilla");
  const std::vector<double> built{482, 0.35, 2085, 0.37, 1.8}, text{1.8, 482, 0.35, 2085, 0.37};
  const std::array inputs{1e9, 2e10};
  CHECK(law->predict(text, inputs) == relative(built_in.predict(built, inputs), 1e-14));
  REQUIRE(law->parameters().size() == 5);
  CHECK(law->parameters()[1].transform == Transform::Log);       // A
  CHECK(law->parameters()[2].transform == Transform::Identity);  // alpha
  std::array<double, 1> log_loss{};
  std::array<double, 5> expected{}, gradient{};
  built_in.log_predictions(built_in.to_fitted(built), built_in.features(inputs), log_loss, expected);
  law->log_predictions(law->to_fitted(text), law->features(inputs), log_loss, gradient);
  const std::array order{4, 0, 1, 2, 3};  // E, A, alpha, B, beta
  for (std::size_t j = 0; j < 5; ++j)
    CHECK(gradient[j] == relative(expected[static_cast<std::size_t>(order[j])], 1e-11));
}

TEST_CASE("text_law: the cost of reasoning at test time, written as a formula, is that of the authors' program") {
  // Sadhukhan et al. 2025, arXiv:2506.05333, Eq. 4: TeFLOP of T answers of L tokens to a prompt of 256, for P
  // parameters, D numbers a token in the cache and r queries a key; I FLOP a byte. Computed with their
  // cost_model/utils.py.
  const auto law = text_law(
      {.formula = "1e-12*(2*P*T*L + r*T*(512 + L)*L*D + I*(512 + T*L)*L*D)", .inputs = {"P", "T", "L", "r", "D"}});
  const auto cost = [&](double intensity, const std::array<double, 5>& inputs) {
    return law->predict(std::array{intensity}, inputs);
  };
  struct Model {
    double params, queries, cache;
    double compute, memory;  ///< of one answer of 8192 tokens
    double longer;           ///< of 32768, both
  };
  for (const Model& model :
       {Model{.752e9, 2, 57344, 20.4984, 2299.9550, 35350.1347}, Model{2.03e9, 2, 57344, 41.4371, 2299.9550, NAN},
        Model{4.02e9, 4, 73728, 86.8918, 2957.0850, NAN}, Model{8.19e9, 4, 73728, 155.2131, 2957.0850, 46084.3526},
        Model{14.77e9, 5, 81920, 271.1975, 3285.6500, 51665.7607},
        Model{32.76e9, 8, 131072, 611.5066, 5257.0400, 83692.2392}}) {
    CAPTURE(model.params);
    const std::array shorter{model.params, 1.0, 8192.0, model.queries, model.cache};
    const double compute = cost(0, shorter), both = cost(562.5, shorter);
    CHECK(std::abs(compute - model.compute) < 0.51e-4);
    CHECK(std::abs(both - compute - model.memory) < 0.51e-4);
    if (std::isnan(model.longer)) continue;
    CHECK(std::abs(cost(562.5, {model.params, 1, 32768, model.queries, model.cache}) - model.longer) < 0.51e-4);
  }
  CHECK(std::abs(cost(562.5, {.752e9, 32, 8192, 2, 57344}) - 70060.4724) < 0.51e-4);
  CHECK(std::abs(cost(562.5, {8.19e9, 32, 8192, 4, 73728}) - 94201.2079) < 0.51e-4);
  CHECK(std::abs(cost(562.5, {32.76e9, 32, 8192, 8, 131072}) - 178207.1242) < 0.51e-4);
}

TEST_CASE("text_law: what is said of the parameters is taken, or refused by name") {
  const auto with = [](std::map<std::string, ParameterText> parameters) {
    return LawText{.formula = "a*x + B", .inputs = {"x"}, .parameters = std::move(parameters)};
  };
  const auto law = text_law(with({{"a", {.transform = Transform::Log, .lower = 0.5, .upper = 2.0, .starts = {1}}}}));
  CHECK(law->parameters()[0].transform == Transform::Log);
  CHECK(law->parameters()[0].lower == 0.5);
  CHECK(law->parameters()[0].starts == std::vector<double>{1});
  const auto refused = [&](LawText text) { return message_of([&] { text_law(text); }); };
  CHECK(refused(with({{"b", {}}})) ==
        "formula 'a*x + B': has no parameter 'b', so what is said of it would be ignored; did you mean 'B'?");
  CHECK(refused(with({{"a", {.lower = 2.0, .upper = 1.0}}})) ==
        "parameter 'a': its range 2 to 1 is empty, so it cannot be fitted; correct lower or upper");
  CHECK(refused(with({{"B", {.lower = 0.0}}})) ==
        "parameter 'B': its range 0 to 1e+30 has no logarithms, so it cannot be fitted; correct lower or upper");
  CHECK(refused(with({{"a", {.starts = {2000}}}})).find("start 2000 is outside") != std::string::npos);
  CHECK(refused({.formula = "2*x", .inputs = {"x"}}).find("has no parameter besides its inputs x") !=
        std::string::npos);
  CHECK(refused({.formula = "a*x", .inputs = {"N"}}).find("does not contain the input 'N'") != std::string::npos);
}
