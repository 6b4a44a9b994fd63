#pragma once

#include <cstddef>
#include <vector>

namespace bitlaw {

/// A run that could be bought.
struct DesignCandidate {
  std::vector<double> slope;  ///< [q] derivatives of what it measures by the unknowns, over the standard deviation of
                              ///< its noise
  double cost = 0;            ///< positive, in the budget's unit
};

/// Which of the candidates to buy, each once at most.
struct DesignProblem {
  /// [q, q] row-major, positive definite: what is known of the unknowns before, the inverse of their covariance.
  std::vector<double> information;
  std::vector<DesignCandidate> candidates;
  /// Each [q]: a combination of the unknowns. The mean of their variances is made least (c-optimal for one, I-optimal
  /// for many); with none, the determinant of the covariance (D-optimal).
  std::vector<std::vector<double>> aims;
  double budget = 0;
};

struct Design {
  std::vector<std::size_t> chosen;  ///< ascending
  double cost = 0;                  ///< of all chosen, at most the budget
  /// The mean variance of the aims, or the logarithm of the covariance's determinant.
  double before = 0, after = 0;
};

/// Greedy choice, then exchange of chosen runs for another as long as that helps (Fedorov 1972, Theory of Optimal
/// Experiments, ch. 3, under a budget in place of a number of runs). From two beginnings, by gain for its cost and by
/// gain: the better end. The best of all choices is not promised; tests hold it against them.
Design exchange_design(const DesignProblem& problem);

/// The variance of a combination of the unknowns once the runs are there.
double aim_variance(const DesignProblem& problem, const std::vector<std::size_t>& runs, const std::vector<double>& aim);

}  // namespace bitlaw
