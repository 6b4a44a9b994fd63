// A power law of the data and a constant. D [tokens], L [nat/token].
#include "fitting/laws/formula_law.h"
#include "fitting/laws/start_grid.h"

namespace bitlaw {
namespace {

/// L(D) = a D^-b + c.  Hestness et al. 2017, arXiv:1712.00409, §2.
struct Hestness {
  static constexpr int kParameters = 3, kInputs = 1;
  static LawInfo info() {
    return {.name = "hestness",
            .equation = "L = a D^-b + c",
            .source = "Hestness et al. 2017, arXiv:1712.00409, §2",
            .parameters = {linear(coefficient("a", "nat", exp_grid({0, 3, 6, 10, 15}))),
                           exponent("b", {0.07, 0.2, 0.35, 0.6, 1}),
                           linear(coefficient("c", "nat", exp_grid({-3, -1, 0, 0.5, 1}), 1e-6, 1e3))},
            .inputs = {"D"},
            .needs = {{.input = "D",
                       .distinct = 3,
                       .parameters = "a, b, c",
                       .consequence = "a coefficient, an exponent and a constant have three unknowns",
                       .cure = "add a shorter run"}}};
  }

  /// (ln D)
  static std::array<double, 1> features(const double* inputs) { return {std::log(inputs[0])}; }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    using std::exp;
    return natural[0] * exp(-natural[1] * features[0]) + natural[2];
  }
};

}  // namespace

const Law& hestness_law() { return law_of_formula<Hestness>(); }

}  // namespace bitlaw
