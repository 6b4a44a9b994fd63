// The saturating forms M1 to M4 of error against size of Alabdulmohsin et al. 2022, arXiv:2209.06640, with c > 0: error
// falls with size.
#include "fitting/laws/formula_law.h"
#include "fitting/laws/need_points.h"
#include "fitting/laws/softplus.h"
#include "fitting/laws/start_grid.h"
#include "fitting/laws/value_of.h"

namespace bitlaw {
namespace {

LawParameter epsilon_inf() { return linear(coefficient("epsilon_inf", "1", exp_grid({-5, -2, 0.5}), 1e-9, 1e3)); }
LawParameter epsilon_beta() { return linear(coefficient("beta", "1", exp_grid({-2, 0, 2, 5, 9}))); }
LawParameter epsilon_c() { return exponent("c", {0.1, 0.3, 0.6, 1}); }
LawParameter nonlinear(LawParameter parameter) {
  parameter.linear = false;
  return parameter;
}
constexpr std::string_view kEpsilonSource = "Alabdulmohsin et al. 2022, arXiv:2209.06640, §3";

struct Epsilon1 {
  static constexpr int kParameters = 2, kInputs = 1;
  static LawInfo info() {
    return {.name = "epsilon_1",
            .equation = "epsilon = beta x^-c",
            .source = kEpsilonSource,
            .parameters = {epsilon_beta(), epsilon_c()},
            .inputs = {"x"},
            .needs = {need_x(2, "beta, c")}};
  }
  static std::array<double, 1> features(const double* inputs) { return {std::log(inputs[0])}; }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    using std::exp;
    return natural[0] * exp(-natural[1] * features[0]);
  }
};

struct Epsilon2 {
  static constexpr int kParameters = 3, kInputs = 1;
  static LawInfo info() {
    return {.name = "epsilon_2",
            .equation = "epsilon = beta x^-c + epsilon_inf",
            .source = kEpsilonSource,
            .parameters = {epsilon_beta(), epsilon_c(), epsilon_inf()},
            .inputs = {"x"},
            .needs = {need_x(3, "beta, c, epsilon_inf")}};
  }
  static std::array<double, 1> features(const double* inputs) { return Epsilon1::features(inputs); }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    return Epsilon1::predict(natural, features) + natural[2];
  }
};

struct Epsilon3 {
  static constexpr int kParameters = 4, kInputs = 1;
  static LawInfo info() {
    return {.name = "epsilon_3",
            .equation = "epsilon = beta (1/x + gamma)^c + epsilon_inf",
            .source = kEpsilonSource,
            .parameters = {epsilon_beta(), epsilon_c(), epsilon_inf(),
                           coefficient("gamma", "1", exp_grid({-20, -12, -6}), 1e-30, 1e3)},
            .inputs = {"x"},
            .needs = {need_x(4, "beta, c, epsilon_inf, gamma")}};
  }
  static std::array<double, 1> features(const double* inputs) { return {inputs[0]}; }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    using std::exp, std::log;
    return natural[0] * exp(natural[1] * log(1 / features[0] + natural[3])) + natural[2];
  }
};

/// (epsilon - epsilon_inf) / (epsilon_0 - epsilon)^alpha = beta x^-c: from chance level epsilon_0 at small x to
/// epsilon_inf. Solved for z with epsilon = epsilon_inf + (epsilon_0 - epsilon_inf) / (1 + e^-z).
struct Epsilon4 {
  static constexpr int kParameters = 5, kInputs = 1;
  static LawInfo info() {
    return {.name = "epsilon_4",
            .equation = "(epsilon - epsilon_inf)/(epsilon_0 - epsilon)^alpha = beta x^-c",
            .source = kEpsilonSource,
            .parameters = {nonlinear(epsilon_beta()), epsilon_c(), nonlinear(epsilon_inf()),
                           coefficient("epsilon_0", "1", exp_grid({0.5, 1.5, 2.5}), 1e-6, 1e4),
                           exponent("alpha", {0.3, 1, 2}, 1e-3, 20)},
            .inputs = {"x"},
            .needs = {need_x(5, "beta, c, epsilon_inf, epsilon_0, alpha")}};
  }
  static std::array<double, 1> features(const double* inputs) { return {std::log(inputs[0])}; }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    using std::exp, std::log;
    const T &inf = natural[2], &alpha = natural[4];
    const T range = natural[3] - inf;
    const T target = log(natural[0]) - natural[1] * features[0] - (1.0 - alpha) * log(range);
    // h(z) = -ln(1 + e^-z) + alpha ln(1 + e^z) rises with slopes between 1 and alpha only, so Newton's steps converge
    // from anywhere; the last one, with derivatives, carries them to z (implicit function theorem).
    T z(0.0);
    for (int step = 0; step < 50; ++step) {
      const T change = (target + softplus(T(-z)) - alpha * softplus(z)) / slope(z, alpha);
      z += change;
      if (step > 0 && std::abs(value_of(change)) < 1e-15 * (1 + std::abs(value_of(z)))) break;
    }
    return inf + range / (1.0 + exp(-z));
  }

 private:
  template <typename T>
  static T slope(const T& z, const T& alpha) {
    using std::exp;
    return 1.0 / (1.0 + exp(z)) + alpha / (1.0 + exp(-z));
  }
};

}  // namespace

const Law& epsilon_1_law() { return law_of_formula<Epsilon1>(); }
const Law& epsilon_2_law() { return law_of_formula<Epsilon2>(); }
const Law& epsilon_3_law() { return law_of_formula<Epsilon3>(); }
const Law& epsilon_4_law() { return law_of_formula<Epsilon4>(); }

}  // namespace bitlaw
