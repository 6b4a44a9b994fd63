// Loss over size, steps and batch, the critical batch depending on the loss itself.
#include "fitting/laws/formula_law.h"
#include "fitting/laws/start_grid.h"
#include "fitting/laws/value_of.h"

namespace bitlaw {
namespace {

/// L(N, S, B), implicit:  L = (N_c/N)^alpha_N + ( (S_c/S) (1 + B_* / (B L^(1/alpha_B))) )^alpha_S.
/// Su et al. 2024, arXiv:2403.06563, §4.
struct Trajectory {
  static constexpr int kParameters = 6, kInputs = 3;
  static LawInfo info() {
    return {.name = "trajectory",
            .equation = "L = (N_c/N)^alpha_N + ((S_c/S) (1 + B_*/(batch L^(1/alpha_B))))^alpha_S",
            .source = "Su et al. 2024, arXiv:2403.06563, §4",
            .parameters = {coefficient("N_c", "parameter", exp_grid({20, 30}), 1e-12, 1e60),
                           exponent("alpha_N", {0.08, 0.3}), coefficient("S_c", "step", exp_grid({5, 8})),
                           exponent("alpha_S", {0.3, 0.7}), coefficient("B_*", "token", exp_grid({12, 18})),
                           exponent("alpha_B", {0.2, 0.5}, 1e-2)},
            .inputs = {"N", "S", "batch"},
            .needs = {{.input = "N",
                       .distinct = 2,
                       .parameters = "N_c, alpha_N",
                       .consequence = "scale and exponent trade off against each other",
                       .cure = "add a smaller model"},
                      {.input = "batch",
                       .distinct = 2,
                       .parameters = "B_*, S_c",
                       .consequence = "the cost of a batch is not told from that of steps",
                       .cure = "repeat the smallest run with another batch"}}};
  }

  /// (ln N, ln S, ln batch)
  static std::array<double, 3> features(const double* inputs) {
    return {std::log(inputs[0]), std::log(inputs[1]), std::log(inputs[2])};
  }

  /// The right-hand side falls in L, so L minus it rises, and it is concave: Newton's steps from the left, here from
  /// the loss at an infinite batch, come up to the root and never pass it. The last one carries the derivatives.
  template <typename T>
  static T predict(const T* natural, const double* features) {
    using std::exp, std::log;
    const T level = exp(natural[1] * (log(natural[0]) - features[0]));
    const T &alpha_s = natural[3], &alpha_b = natural[5];
    const T steps = exp(alpha_s * (log(natural[2]) - features[1]));
    const T log_batch = log(natural[4]) - features[2];
    T loss = level + steps;
    for (int step = 0; step < 60; ++step) {
      const T ratio = exp(log_batch - log(loss) / alpha_b);  // B_crit / B
      const T term = steps * exp(alpha_s * log(1.0 + ratio));
      const T slope = 1.0 + term * alpha_s * ratio / ((1.0 + ratio) * alpha_b * loss);
      const T change = (level + term - loss) / slope;
      loss += change;
      if (step > 0 && !(value_of(change) > 1e-15 * value_of(loss))) break;
    }
    return loss;
  }
};

}  // namespace

const Law& trajectory_law() { return law_of_formula<Trajectory>(); }

}  // namespace bitlaw
