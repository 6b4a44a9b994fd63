// Laws that no field owns: broken power laws, the saturating forms of error against size, coverage of repeated trials,
// accuracy of answers.
#include <algorithm>

#include "fitting/laws/formula_law.h"
#include "fitting/laws/start_grid.h"

namespace bitlaw {
namespace {

DesignNeed need_x(int distinct, std::string_view parameters) {
  return {.input = "x",
          .distinct = distinct,
          .parameters = parameters,
          .consequence = "there are as many unknowns",
          .cure = "add points between and below those at hand"};
}

/// ln(1 + e^z), without overflow.
template <typename T>
T softplus(const T& z) {
  using std::exp, std::log;
  return z > 30 ? z : log(1.0 + exp(z));
}

/// y = a + b x^-c_0 prod_i (1 + (x/d_i)^(1/f_i))^(-c_i f_i): the slope in log-log falls from -c_0 to -(c_0 + c_1)
/// around x = d_1, over a width f_1 in ln x.  Caballero et al. 2022, arXiv:2210.14891, Eq. 1.
template <int kBreaks>
struct Bnsl {
  static constexpr int kParameters = 3 + 3 * kBreaks, kInputs = 1;
  static LawInfo info() {
    constexpr bool kOne = kBreaks == 1;
    LawInfo info{.name = kOne ? "bnsl" : "bnsl_2",
                 .equation = kOne ? "y = a + b x^-c_0 (1 + (x/d_1)^(1/f_1))^(-c_1 f_1)"
                                  : "y = a + b x^-c_0 prod_i=1..2 (1 + (x/d_i)^(1/f_i))^(-c_i f_i)",
                 .source = "Caballero et al. 2022, arXiv:2210.14891, Eq. 1",
                 .parameters = {linear(coefficient("a", "1", exp_grid({-4, -1, 0.5}))),
                                linear(coefficient("b", "1", exp_grid({0, 2, 6}))), exponent("c_0", {0, 0.2, 0.6}, -5)},
                 .inputs = {"x"}};
    constexpr std::array kNames{"c_1", "d_1", "f_1", "c_2", "d_2", "f_2"};
    for (std::size_t i = 0; i < kBreaks; ++i) {
      info.parameters.push_back(exponent(kNames[3 * i], {-0.5, 0.5, 2}, -20, 20));
      info.parameters.push_back(
          coefficient(kNames[3 * i + 1], "1",
                      kOne ? exp_grid({3, 6, 9, 14, 20}) : (i == 0 ? exp_grid({3, 9}) : exp_grid({6, 14}))));
      info.parameters.push_back(exponent(kNames[3 * i + 2], kOne ? std::vector{0.1, 0.5} : std::vector{0.3}, 1e-3, 20));
    }
    info.needs = {kOne ? need_x(6, "a, b, c_0, c_1, d_1, f_1") : need_x(9, "a, b, c_0, c_1, d_1, f_1, c_2, d_2, f_2")};
    return info;
  }

  /// (ln x)
  static std::array<double, 1> features(const double* inputs) { return {std::log(inputs[0])}; }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    using std::exp, std::log;
    T log_power = -natural[2] * features[0];
    for (int i = 0; i < kBreaks; ++i) {
      const T *at = natural + 3 + 3 * i, &c = at[0], &d = at[1], &f = at[2];
      log_power -= c * f * softplus(T((features[0] - log(d)) / f));
    }
    return natural[0] + natural[1] * exp(log_power);
  }
};

// Alabdulmohsin et al. 2022, arXiv:2209.06640, M1 to M4, with c > 0: error falls with size.

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
  static double value_of(double x) { return x; }
  template <typename T>
  static double value_of(const T& x) {
    return x.a;
  }
  template <typename T>
  static T slope(const T& z, const T& alpha) {
    using std::exp;
    return 1.0 / (1.0 + exp(z)) + alpha / (1.0 + exp(-z));
  }
};

/// coverage(k) = exp(-a k^-b): the share of problems that at least one of k trials solves.  Brown et al. 2024,
/// arXiv:2407.21787, §3.2.
struct Coverage {
  static constexpr int kParameters = 2, kInputs = 1;
  static LawInfo info() {
    return {.name = "coverage",
            .equation = "coverage = exp(-a k^-b)",
            .source = "Brown et al. 2024, arXiv:2407.21787, §3.2",
            .parameters = {coefficient("a", "1", exp_grid({-2, 0, 2})), exponent("b", {0.1, 0.3, 0.6, 1})},
            .inputs = {"k"},
            .needs = {{.input = "k",
                       .distinct = 2,
                       .parameters = "a, b",
                       .consequence = "a coefficient and an exponent are two unknowns",
                       .cure = "draw more trials"}},
            .of_shares = true};
  }
  static std::array<double, 1> features(const double* inputs) { return {std::log(inputs[0])}; }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    using std::exp;
    return exp(-natural[0] * exp(-natural[1] * features[0]));
  }
};

/// A = c / (1 + (H/N)^s) Phi(ln(T (N/H)^e / M) / S): the share of answers of at most T tokens that are right, over
/// sizes N of the model. Success saturates at c and is half of that at N = H; lengths are lognormal about a median that
/// is M at N = H.  Ours, what simulators/test_time/task_family.h makes where length does not go with difficulty.
struct Accuracy {
  static constexpr int kParameters = 6, kInputs = 2;
  static LawInfo info() {
    return {.name = "accuracy",
            .equation = "A = c/(1 + (H/N)^s) Phi(ln(T (N/H)^e / M) / S)",
            .source = "ours: logistic success in ln N, lognormal lengths (simulators/test_time/README.md)",
            .parameters = {linear(coefficient("c", "1", {0.9}, 1e-6, 1)),
                           coefficient("H", "parameter", {3e8, 3e9, 3e10, 3e11}, 1e3, 1e15),
                           exponent("s", {0.5, 1, 2}, 0, 20), coefficient("M", "token", {300, 2e3, 1e4, 6e4}, 1, 1e9),
                           exponent("e", {0, 0.2}, -10, 10), exponent("S", {0.4, 1}, 1e-3, 100)},
            .inputs = {"N", "T"},
            .needs = {{.input = "N",
                       .distinct = 3,
                       .parameters = "c, H, s",
                       .consequence = "a ceiling, a size and a slope are three unknowns",
                       .cure = "add answers of a model of another size"},
                      {.input = "T",
                       .distinct = 2,
                       .parameters = "M, S",
                       .consequence = "a length and a spread are two unknowns",
                       .cure = "cut the answers at another length"}},
            .keep = 8,
            .of_shares = true};
  }
  /// (ln N, ln T); no answer has less than one token
  static std::array<double, 2> features(const double* inputs) {
    return {std::log(inputs[0]), std::log(std::max(1.0, inputs[1]))};
  }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    using std::erfc, std::exp, std::log, std::sqrt;
    const T &c = natural[0], &slope = natural[2], &shorter = natural[4], &spread = natural[5];
    const T size = features[0] - log(natural[1]);
    const T z = (features[1] + shorter * size - log(natural[3])) / spread;
    return c / (1.0 + exp(-slope * size)) * 0.5 * erfc(-z / sqrt(2.0));
  }
};

}  // namespace

const Law& bnsl_law() {
  static const FormulaLaw<Bnsl<1>> law;
  return law;
}
const Law& bnsl_2_law() {
  static const FormulaLaw<Bnsl<2>> law;
  return law;
}
const Law& epsilon_1_law() {
  static const FormulaLaw<Epsilon1> law;
  return law;
}
const Law& epsilon_2_law() {
  static const FormulaLaw<Epsilon2> law;
  return law;
}
const Law& epsilon_3_law() {
  static const FormulaLaw<Epsilon3> law;
  return law;
}
const Law& epsilon_4_law() {
  static const FormulaLaw<Epsilon4> law;
  return law;
}
const Law& coverage_law() {
  static const FormulaLaw<Coverage> law;
  return law;
}
const Law& accuracy_law() {
  static const FormulaLaw<Accuracy> law;
  return law;
}

}  // namespace bitlaw
