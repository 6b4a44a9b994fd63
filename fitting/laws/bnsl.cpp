// Broken power laws.
#include "fitting/laws/formula_law.h"
#include "fitting/laws/need_points.h"
#include "fitting/laws/softplus.h"
#include "fitting/laws/start_grid.h"

namespace bitlaw {
namespace {

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

}  // namespace

const Law& bnsl_law() { return law_of_formula<Bnsl<1>>(); }
const Law& bnsl_2_law() { return law_of_formula<Bnsl<2>>(); }

}  // namespace bitlaw
