// Answers that are cut at a length. N [parameters], T [tokens].
#include <algorithm>

#include "fitting/laws/formula_law.h"
#include "fitting/laws/start_grid.h"

namespace bitlaw {
namespace {

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

const Law& accuracy_law() { return law_of_formula<Accuracy>(); }

}  // namespace bitlaw
