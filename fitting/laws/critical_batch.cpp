// The batch beyond which more of it hardly saves steps. L [nat/token].
#include "fitting/laws/formula_law.h"
#include "fitting/laws/start_grid.h"

namespace bitlaw {
namespace {

/// B_crit(L) = B_* / L^(1/alpha_B) [tokens]: the observed number is the critical batch, the input a loss.  Kaplan et
/// al. 2020, arXiv:2001.08361, Eq. 1.4.
struct CriticalBatch {
  static constexpr int kParameters = 2, kInputs = 1;
  static LawInfo info() {
    return {.name = "critical_batch",
            .equation = "B_crit = B_* / L^(1/alpha_B)",
            .source = "Kaplan et al. 2020, arXiv:2001.08361, Eq. 1.4",
            .parameters = {linear(coefficient("B_*", "token", exp_grid({10, 15, 20}))),
                           exponent("alpha_B", {0.1, 0.2, 0.5}, 1e-2)},
            .inputs = {"L"},
            .needs = {{.input = "L",
                       .distinct = 2,
                       .parameters = "B_*, alpha_B",
                       .consequence = "a coefficient and an exponent are two unknowns",
                       .cure = "measure the critical batch at one more, higher loss"}},
            .published = {{"kaplan", "Kaplan et al. 2020, arXiv:2001.08361, Eq. 1.4", {2e8, 0.21}}}};
  }

  /// (ln L)
  static std::array<double, 1> features(const double* inputs) { return {std::log(inputs[0])}; }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    using std::exp;
    return natural[0] * exp(-features[0] / natural[1]);
  }
};

/// S(B) = S_min (1 + B_crit / B): steps to one loss at a batch B; so (S/S_min - 1)(E/E_min - 1) = 1 with E = B S and
/// E_min = B_crit S_min.  McCandlish et al. 2018, arXiv:1812.06162, Eq. 2.11.
struct BatchSteps {
  static constexpr int kParameters = 2, kInputs = 1;
  static LawInfo info() {
    return {.name = "batch_steps",
            .equation = "S = S_min (1 + B_crit/batch)",
            .source = "McCandlish et al. 2018, arXiv:1812.06162, Eq. 2.11",
            .parameters = {linear(coefficient("S_min", "step", exp_grid({3, 7, 11}))),
                           coefficient("B_crit", "as the batch", exp_grid({3, 8, 14}))},
            .inputs = {"batch"},
            .needs = {{.input = "batch",
                       .distinct = 2,
                       .parameters = "S_min, B_crit",
                       .consequence = "the two asymptotes are not told apart",
                       .cure = "repeat with a batch far from the others"}}};
  }
  static std::array<double, 1> features(const double* inputs) { return {inputs[0]}; }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    return natural[0] * (1.0 + natural[1] / features[0]);
  }
};

}  // namespace

const Law& critical_batch_law() { return law_of_formula<CriticalBatch>(); }
const Law& batch_steps_law() { return law_of_formula<BatchSteps>(); }

}  // namespace bitlaw
