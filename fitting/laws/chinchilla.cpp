#include "fitting/laws/chinchilla.h"

#include "fitting/laws/formula_law.h"
#include "fitting/laws/start_grid.h"

namespace bitlaw {
namespace {

constexpr double kMaxExponent = 5;
constexpr double kMinCoefficient = 1e-6, kMaxCoefficient = 1e30;
// Far below a nat per token, far above any loss: E on a bound means that no irreducible loss shows in the data.
constexpr double kMinIrreducible = 1e-3, kMaxIrreducible = 1e3;

std::vector<LawParameter> parameters(const std::vector<double>& coefficients, const std::vector<double>& exponents,
                                     const std::vector<double>& irreducible) {
  return {{"A", "nat", Transform::Log, kMinCoefficient, kMaxCoefficient, coefficients, true},
          {"alpha", "1", Transform::Identity, 0, kMaxExponent, exponents},
          {"B", "nat", Transform::Log, kMinCoefficient, kMaxCoefficient, coefficients, true},
          {"beta", "1", Transform::Identity, 0, kMaxExponent, exponents},
          {"E", "nat", Transform::Log, kMinIrreducible, kMaxIrreducible, irreducible, true}};
}

/// L(N, D) = E + A / N^alpha + B / D^alpha: Chinchilla's law with one exponent (Muennighoff et al. 2023,
/// arXiv:2305.16264, App. A; Chen et al. 2025, arXiv:2505.14302, Table 1).
struct ChinchillaTied {
  static constexpr int kParameters = 4, kInputs = 2;
  static LawInfo info() {
    std::vector<LawParameter> untied = chinchilla_parameters_coarse();
    return {
        .name = "chinchilla_tied",
        .equation = "L = E + A/N^alpha + B/D^alpha",
        .source = "Muennighoff et al. 2023, arXiv:2305.16264, App. A",
        .parameters = {untied[0], untied[1], untied[2], untied[4]},
        .inputs = {"N", "D"},
        .needs = chinchilla_needs(),
        .published = {{"muennighoff",
                       "Muennighoff et al. 2023, arXiv:2305.16264, C4, logarithms in its notebook",
                       {std::exp(6.255414), 0.3526596, std::exp(7.3049974), std::exp(0.6254804)}},
                      {"chen", "Chen et al. 2025, arXiv:2505.14302, Table 1", {237.7042, 0.3022, 596.2490, 1.9279}}}};
  }

  static std::array<double, 2> features(const double* inputs) { return ChinchillaLaw::features(inputs); }

  template <typename T>
  static T predict(const T* natural, const double* features) {
    const std::array<T, 5> untied{natural[0], natural[1], natural[2], natural[1], natural[3]};
    return ChinchillaLaw::predict(untied.data(), features);
  }
};

}  // namespace

std::vector<LawParameter> chinchilla_parameters_coarse() {
  return parameters(exp_grid({0, 5, 10, 15}), {0.25, 0.5, 1}, exp_grid({-1, 0, 0.5, 1}));
}

std::vector<DesignNeed> chinchilla_needs() {
  return {{.input = "N",
           .distinct = 3,
           .parameters = "A, alpha",
           .consequence = "one difference of losses cannot give both a coefficient and an exponent",
           .cure = "add a smaller model at the smallest D"},
          {.input = "D",
           .distinct = 3,
           .parameters = "B, beta",
           .consequence = "one difference of losses cannot give both a coefficient and an exponent",
           .cure = "add a shorter run of the smallest model"}};
}

LawInfo ChinchillaLaw::info() {
  return {
      .name = "chinchilla",
      .equation = "L = E + A/N^alpha + B/D^beta",
      .source = "Hoffmann et al. 2022, arXiv:2203.15556, Eq. 2",
      // The 4500 starts of Hoffmann et al. 2022, §3.3 as listed by Besiroglu et al. 2024.
      .parameters = parameters(exp_grid({0, 5, 10, 15, 20, 25}), {0, 0.5, 1, 1.5, 2}, exp_grid({-1, -0.5, 0, 0.5, 1})),
      .inputs = {"N", "D"},
      .needs = chinchilla_needs(),
      .published = {{.name = "hoffmann",
                     .citation = "Hoffmann et al. 2022, arXiv:2203.15556, Approach 3, as printed (rounded)",
                     .values = {406.4, 0.34, 410.7, 0.28, 1.69}},
                    {.name = "hoffmann_unrounded",
                     .citation = "Hoffmann et al. 2022, arXiv:2203.15556, Approach 3, logarithms in the TeX source",
                     .values = {std::exp(6.0073404), 0.33917084, std::exp(6.0179186), 0.2849083, std::exp(0.5267228)}},
                    {.name = "besiroglu",
                     .citation =
                         "Besiroglu et al. 2024, arXiv:2404.10102, refit of 240 points, logarithms in its notebook",
                     .values = {std::exp(6.17795598), 0.34781303, std::exp(7.64273236), 0.36585412,
                                std::exp(0.59711196)}}},
      .keep = 8,  // of the 25 points that are left when A, B and E are solved for
  };
}

const Law& chinchilla_law() { return law_of_formula<ChinchillaLaw>(); }
const Law& chinchilla_tied_law() { return law_of_formula<ChinchillaTied>(); }

}  // namespace bitlaw
