// Repeated trials. k [trials].
#include "fitting/laws/formula_law.h"
#include "fitting/laws/start_grid.h"

namespace bitlaw {
namespace {

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

}  // namespace

const Law& coverage_law() { return law_of_formula<Coverage>(); }

}  // namespace bitlaw
