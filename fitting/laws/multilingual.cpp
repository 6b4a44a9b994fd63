// Languages mixed. N [parameters], p [share of the batch], L [nat/token].
#include "fitting/laws/formula_law.h"
#include "fitting/laws/start_grid.h"

namespace bitlaw {
namespace {

/// L(N; p) = beta (f(p) N)^-alpha + L_inf,  f(p) = p + c_1 p^c_2 (1 - p)^c_3: one language pair that gets the share p
/// of the batch.  Fernandes et al. 2023, arXiv:2302.09650, Eq. 4 to 7. p in (0, 1]; p = 1 alone has f = 1.
struct Multilingual {
  static constexpr int kParameters = 6, kInputs = 2;
  static LawInfo info() {
    return {
        .name = "multilingual",
        .equation = "L = beta (f N)^-alpha + L_inf, f = p + c_1 p^c_2 (1-p)^c_3",
        .source = "Fernandes et al. 2023, arXiv:2302.09650, Eq. 4-7",
        .parameters = {linear(coefficient("beta", "nat", exp_grid({0, 3, 6, 10}))), exponent("alpha", {0.1, 0.25, 0.5}),
                       linear(coefficient("L_inf", "nat", exp_grid({-1, 0, 0.5, 1}), 1e-6, 1e3)),
                       coefficient("c_1", "1", {0.05, 0.5}, 1e-9, 1e3), exponent("c_2", {0.3, 1}, 0, 10),
                       exponent("c_3", {0.5, 1.5}, 0, 10)},
        .inputs = {"N", "p"},
        .needs = {{.input = "N",
                   .distinct = 3,
                   .parameters = "beta, alpha, L_inf",
                   .consequence = "a coefficient, an exponent and a constant are three unknowns",
                   .cure = "add a smaller model"},
                  {.input = "p",
                   .distinct = 4,
                   .parameters = "c_1, c_2, c_3",
                   .consequence = "the shape of f(p) has three unknowns beside f(1) = 1",
                   .cure = "repeat the smallest model with another share of the batch"}}};
  }

  /// (ln N, p, ln p, ln(1 - p))
  static std::array<double, 4> features(const double* inputs) {
    return {std::log(inputs[0]), inputs[1], std::log(inputs[1]), std::log1p(-inputs[1])};
  }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    using std::exp, std::log;
    T share(features[1]);
    if (features[1] < 1) share += natural[3] * exp(natural[4] * features[2] + natural[5] * features[3]);
    return natural[0] * exp(-natural[1] * (features[0] + log(share))) + natural[2];
  }
};

}  // namespace

const Law& multilingual_law() { return law_of_formula<Multilingual>(); }

}  // namespace bitlaw
