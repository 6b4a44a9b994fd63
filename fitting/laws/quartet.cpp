// Sizes and data that low precision is worth. N [parameters], D [tokens], L [nat/token].
#include "fitting/laws/chinchilla.h"
#include "fitting/laws/formula_law.h"
#include "fitting/laws/start_grid.h"

namespace bitlaw {
namespace {

/// L = (A / (N eff_N)^alpha + B / (D eff_D)^beta)^gamma + E.  Castro et al. 2025, arXiv:2505.14669, Eq. 1.
///
/// eff_N and eff_D belong to a recipe and are 1 for full precision. Fit the rest to full-precision runs with both
/// fixed, then the recipe's runs with the rest fixed: within one recipe eff_N and A cannot be told apart.
struct Quartet {
  static constexpr int kParameters = 8, kInputs = 2;
  static LawInfo info() {
    std::vector<LawParameter> parameters = chinchilla_parameters_coarse();
    parameters[0].linear = parameters[2].linear = false;
    parameters.push_back(exponent("gamma", {0.3, 1}, 1e-3));
    parameters.push_back(coefficient("eff_N", "1", {0.5}, 1e-4, 1e4));
    parameters.push_back(coefficient("eff_D", "1", {0.5}, 1e-4, 1e4));
    const auto recipe = [](std::string_view name, double eff_n, double eff_d) {
      return PublishedFit{name,
                          "Castro et al. 2025, arXiv:2505.14669v4, Table 6, efficiencies of Tables 2 and 3",
                          {1.52e5, 0.589, 5.25e5, 0.544, 1.35, 0.274, eff_n, eff_d}};
    };
    return {.name = "quartet",
            .equation = "L = (A/(N eff_N)^alpha + B/(D eff_D)^beta)^gamma + E",
            .source = "Castro et al. 2025, arXiv:2505.14669, Eq. 1",
            .parameters = parameters,
            .inputs = {"N", "D"},
            .needs = chinchilla_needs(),
            .published = {recipe("full_precision", 1, 1), recipe("quartet", 0.65, 0.95), recipe("luq_int4", 0.49, 0.15),
                          recipe("luq_fp4", 0.01, 0.07)}};
  }

  static std::array<double, 2> features(const double* inputs) { return ChinchillaLaw::features(inputs); }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    using std::exp, std::log;
    const T size = natural[0] * exp(-natural[1] * (features[0] + log(natural[6])));
    const T data = natural[2] * exp(-natural[3] * (features[1] + log(natural[7])));
    return exp(natural[5] * log(size + data)) + natural[4];
  }
};

}  // namespace

const Law& quartet_law() { return law_of_formula<Quartet>(); }

}  // namespace bitlaw
