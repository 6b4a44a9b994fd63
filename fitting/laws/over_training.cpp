// What Gadre et al. 2024, arXiv:2403.08540, predict of models trained beyond the compute optimum: the loss, and the
// error on tasks. N [parameters], D [tokens], L [nat/token].
#include "fitting/laws/chinchilla.h"
#include "fitting/laws/formula_law.h"
#include "fitting/laws/start_grid.h"

namespace bitlaw {
namespace {

/// L(N, D) = E + a N^-eta + b 6^(-eta/2) D^-eta: Chinchilla's law with one exponent, as the authors of the
/// over-training law code it (theirs has -eta for b and D = M N).  Gadre et al. 2024, arXiv:2403.08540, Eq. 4.
struct OverTraining {
  static constexpr int kParameters = 4, kInputs = 2;
  static LawInfo info() {
    std::vector<LawParameter> untied = chinchilla_parameters_coarse();
    LawParameter a = untied[0], eta = untied[1], b = untied[2];
    a.name = "a", eta.name = "eta", b.name = "b";
    return {.name = "over_training",
            .equation = "L = E + a N^-eta + b 6^(-eta/2) D^-eta",
            .source = "Gadre et al. 2024, arXiv:2403.08540, Eq. 4",
            .parameters = {a, eta, b, untied[4]},
            .inputs = {"N", "D"},
            .needs = chinchilla_needs(),
            .published = {{"rpj",
                           "Gadre et al. 2024, arXiv:2403.08540, five small RedPajama models, refitted by its code",
                           {166.211, 0.272851, 366.687, 1.836648}}}};
  }

  static std::array<double, 2> features(const double* inputs) { return ChinchillaLaw::features(inputs); }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    using std::exp;
    const T& eta = natural[1];
    return natural[3] + natural[0] * exp(-eta * features[0]) +
           natural[2] * exp(-eta * (features[1] + 0.5 * std::log(6)));
  }
};

/// Err(L) = epsilon - k exp(-gamma L): top-1 error averaged over tasks from the loss.  Gadre et al. 2024,
/// arXiv:2403.08540, Eq. 5.
struct LossToError {
  static constexpr int kParameters = 3, kInputs = 1;
  static LawInfo info() {
    return {.name = "loss_to_error",
            .equation = "error = epsilon - k exp(-gamma L)",
            .source = "Gadre et al. 2024, arXiv:2403.08540, Eq. 5",
            .parameters = {linear(coefficient("epsilon", "1", {0.5, 0.8, 1}, 1e-6, 1e3)),
                           linear(coefficient("k", "1", exp_grid({-1, 0, 1, 2, 4}))),
                           exponent("gamma", {0.25, 0.5, 1, 2}, 0, 20)},
            .inputs = {"L"},
            .needs = {{.input = "L",
                       .distinct = 3,
                       .parameters = "epsilon, k, gamma",
                       .consequence = "a level, a coefficient and a rate are three unknowns",
                       .cure = "evaluate one more checkpoint of the smallest model"}}};
  }

  static std::array<double, 1> features(const double* inputs) { return {inputs[0]}; }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    using std::exp;
    return natural[0] - natural[1] * exp(-natural[2] * features[0]);
  }
};

}  // namespace

const Law& over_training_law() { return law_of_formula<OverTraining>(); }
const Law& loss_to_error_law() { return law_of_formula<LossToError>(); }

}  // namespace bitlaw
