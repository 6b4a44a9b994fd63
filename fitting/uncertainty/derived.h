#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "fitting/laws/law.h"

namespace bitlaw {

/// Of natural parameters [p].
using DerivedValue = std::function<double(std::span<const double>)>;

/// A quantity that follows from a law's parameters.
struct Derived {
  std::string name, units;
  DerivedValue value;
};

/// What follows from a registered law; nothing of a formula of a user, whose names may mean anything:
///
/// - two power-law terms in N and D (A / N^alpha, B / D^beta): the exponents a, b of N_opt ~ C^a, D_opt ~ C^b with C =
/// 6 N D, and
///   for `compute` [FLOP] above zero N_opt, D_opt and their ratio (Hoffmann et al. 2022, arXiv:2203.15556, Eq. 4;
///   repetition of data and low precision left out);
/// - fp_quantization: the share of the bits E + M + 1 that the best mantissa takes, nu / (delta + nu) (Sun et al. 2025,
///   arXiv:2501.02423, App. C: M_opt + 0.5 = share * P); the tokens beyond which more of them raise the loss of 10^9
///   parameters (App. D); for `compute` above zero the width that is best with its N and D at C = (6/16) N D P (Eq.
///   25).
std::vector<Derived> derived_quantities(const Law& law, double compute);

/// d quantity / d fitted [p] at `fitted` [p], by central differences.
std::vector<double> gradient_of(const Law& law, const Derived& quantity, std::span<const double> fitted);

/// The standard error by the delta method, from a covariance [p, p] of the fitted coordinates at `fitted` [p].
double delta_method_error(const Law& law, const Derived& quantity, std::span<const double> fitted,
                          std::span<const double> covariance);

}  // namespace bitlaw
