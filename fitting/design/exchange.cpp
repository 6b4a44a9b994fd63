#include "fitting/design/exchange.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "core/base/check.h"

namespace bitlaw {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kWorthwhile = 1e-9;  // relative gain below which an exchange is rounding noise
constexpr int kMostPasses = 100;
constexpr std::size_t kMostTried = 500;  // in one pass

enum class Greed {
  GainForCost,
  Gain
};

VectorXd vector_of(const std::vector<double>& values) {
  return Eigen::Map<const VectorXd>(values.data(), static_cast<Index>(values.size()));
}

/// The candidates, some of them chosen, and the covariance V that the unknowns then have.
class Exchange {
 public:
  explicit Exchange(const DesignProblem& problem) : problem_(problem) {
    const auto q = static_cast<Index>(std::lround(std::sqrt(static_cast<double>(problem.information.size()))));
    information_ = Eigen::Map<const MatrixXd>(problem.information.data(), q, q);
    for (const DesignCandidate& candidate : problem.candidates) {
      BITLAW_CHECK(candidate.cost > 0 && static_cast<Index>(candidate.slope.size()) == q, "a run that costs {}",
                   candidate.cost);
      slopes_.push_back(vector_of(candidate.slope));
    }
    aims_ = MatrixXd::Zero(q, q);
    for (const auto& aim : problem.aims) {
      aims_ += vector_of(aim) * vector_of(aim).transpose() / static_cast<double>(problem.aims.size());
    }
    state_ = {information_.inverse(), std::vector<bool>(problem.candidates.size()), problem.budget};
  }

  /// What is made least.
  double criterion() const {
    if (!problem_.aims.empty()) return (state_.covariance * aims_).trace();
    return 2 * std::log(state_.covariance.llt().matrixL().determinant());
  }

  /// Buys what gains most, as long as there is anything that gains and can be paid.
  void buy(Greed greed) {
    while (const auto best = best_candidate(greed)) set(*best, true);
  }

  /// Tries runs that are not chosen, one after the other: takes it, gives back what then matters least until the money
  /// suffices, and spends what is left. Whether that ever helped.
  bool exchange(Greed greed) {
    bool any = false;
    for (const std::size_t i : worth_trying()) {
      if (state_.chosen[i]) continue;  // bought meanwhile
      const State before = state_;
      const double least = criterion();
      set(i, true);
      while (state_.left < 0) set(least_missed(i), false);
      buy(greed);
      if (least - criterion() > kWorthwhile * std::abs(least)) {
        any = true;
      } else {
        state_ = before;
      }
    }
    refresh();
    return any;
  }

  Design design() const {
    Design design{.chosen = {}, .cost = 0, .before = Exchange(problem_).criterion(), .after = criterion()};
    for (std::size_t i = 0; i < state_.chosen.size(); ++i) {
      if (!state_.chosen[i]) continue;
      design.chosen.push_back(i);
      design.cost += problem_.candidates[i].cost;
    }
    return design;
  }

 private:
  /// What the criterion falls by when the candidate, which is not chosen, is.
  double gain(std::size_t i) const {
    const VectorXd along = state_.covariance * slopes_[i];
    const double size = 1 + slopes_[i].dot(along);
    return problem_.aims.empty() ? std::log(size) : along.dot(aims_ * along) / size;
  }

  /// Runs that are not chosen and could be paid alone, of thousands those that gain most.
  std::vector<std::size_t> worth_trying() const {
    std::vector<std::pair<double, std::size_t>> gains;
    for (std::size_t i = 0; i < state_.chosen.size(); ++i) {
      if (!state_.chosen[i] && problem_.candidates[i].cost <= problem_.budget) gains.emplace_back(-gain(i), i);
    }
    if (gains.size() > kMostTried) {
      std::nth_element(gains.begin(), gains.begin() + kMostTried, gains.end());
      gains.resize(kMostTried);
    }
    std::vector<std::size_t> runs;
    for (const auto& [loss, i] : gains) runs.push_back(i);
    std::sort(runs.begin(), runs.end());
    return runs;
  }

  std::optional<std::size_t> best_candidate(Greed greed) const {
    std::optional<std::size_t> best;
    double most = 0;
    for (std::size_t i = 0; i < state_.chosen.size(); ++i) {
      const double cost = problem_.candidates[i].cost;
      if (state_.chosen[i] || cost > state_.left) continue;
      const double worth = gain(i) / (greed == Greed::GainForCost ? cost : 1);
      if (worth > most) best = i;
      most = std::max(most, worth);
    }
    return best;
  }

  /// The chosen run, other than `kept`, without which the criterion rises least for the money.
  std::size_t least_missed(std::size_t kept) const {
    std::size_t least = kept;
    double fewest = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < state_.chosen.size(); ++i) {
      if (!state_.chosen[i] || i == kept) continue;
      const VectorXd along = state_.covariance * slopes_[i];
      const double size = 1 - slopes_[i].dot(along);
      const double loss = problem_.aims.empty() ? -std::log(size) : along.dot(aims_ * along) / size;
      const double worth = loss / problem_.candidates[i].cost;
      if (worth < fewest) least = i;
      fewest = std::min(fewest, worth);
    }
    return least;
  }

  /// V after one row more or less (Sherman and Morrison 1950).
  void set(std::size_t i, bool chosen) {
    const VectorXd along = state_.covariance * slopes_[i];
    const double sign = chosen ? 1 : -1;
    state_.covariance -= sign / (1 + sign * slopes_[i].dot(along)) * along * along.transpose();
    state_.chosen[i] = chosen;
    state_.left -= sign * problem_.candidates[i].cost;
  }

  /// V and the money left from scratch, without the rounding of many updates.
  void refresh() {
    MatrixXd information = information_;
    state_.left = problem_.budget;
    for (std::size_t i = 0; i < state_.chosen.size(); ++i) {
      if (!state_.chosen[i]) continue;
      information += slopes_[i] * slopes_[i].transpose();
      state_.left -= problem_.candidates[i].cost;
    }
    state_.covariance = information.inverse();
  }

  struct State {
    MatrixXd covariance;
    std::vector<bool> chosen;
    double left;  ///< of the budget
  };

  const DesignProblem& problem_;
  std::vector<VectorXd> slopes_;
  MatrixXd information_, aims_;
  State state_;
};

Design design_from(const DesignProblem& problem, Greed greed) {
  Exchange exchange(problem);
  exchange.buy(greed);
  for (int pass = 0; pass < kMostPasses; ++pass) {
    if (!exchange.exchange(greed)) break;
  }
  return exchange.design();
}

}  // namespace

Design exchange_design(const DesignProblem& problem) {
  Design one = design_from(problem, Greed::GainForCost), other = design_from(problem, Greed::Gain);
  return other.after < one.after ? other : one;
}

double aim_variance(const DesignProblem& problem, const std::vector<std::size_t>& runs,
                    const std::vector<double>& aim) {
  const auto q = static_cast<Index>(aim.size());
  MatrixXd information = Eigen::Map<const MatrixXd>(problem.information.data(), q, q);
  for (const std::size_t i : runs) {
    const VectorXd slope = vector_of(problem.candidates[i].slope);
    information += slope * slope.transpose();
  }
  return vector_of(aim).dot(information.llt().solve(vector_of(aim)));
}

}  // namespace bitlaw
