#include "fitting/design/exchange.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
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
// Kinds tried in one pass. A try may move all that is bought; of many runs each matters little.
constexpr std::size_t kLeastTried = 20, kMostTried = 500, kMostMoves = 20'000;

enum class Greed {
  GainForCost,
  Gain
};

VectorXd vector_of(const std::vector<double>& values) {
  return Eigen::Map<const VectorXd>(values.data(), static_cast<Index>(values.size()));
}

/// Candidates that tell the same for the same cost, as the seeds of a run do: which of them is bought makes no
/// difference.
struct RunKind {
  VectorXd slope;
  double cost = 0;
  std::vector<std::size_t> candidates;  ///< ascending; the first ones are bought first
};

/// In the order of their first candidates.
std::vector<RunKind> run_kinds_of(const DesignProblem& problem) {
  std::vector<RunKind> kinds;
  std::map<std::pair<double, std::vector<double>>, std::size_t> place;
  for (std::size_t i = 0; i < problem.candidates.size(); ++i) {
    const auto& [slope, cost] = problem.candidates[i];
    BITLAW_CHECK(cost > 0 && slope.size() * slope.size() == problem.information.size(), "a run that costs {}", cost);
    const auto [found, is_new] = place.try_emplace({cost, slope}, kinds.size());
    if (is_new) kinds.push_back({vector_of(slope), cost, {}});
    kinds[found->second].candidates.push_back(i);
  }
  return kinds;
}

/// How many of each kind are chosen, and the covariance V that the unknowns then have.
class Exchange {
 public:
  explicit Exchange(const DesignProblem& problem) : problem_(problem), kinds_(run_kinds_of(problem)) {
    const auto q = static_cast<Index>(std::lround(std::sqrt(static_cast<double>(problem.information.size()))));
    information_ = Eigen::Map<const MatrixXd>(problem.information.data(), q, q);
    aims_ = MatrixXd::Zero(q, q);
    for (const auto& aim : problem.aims) {
      aims_ += vector_of(aim) * vector_of(aim).transpose() / static_cast<double>(problem.aims.size());
    }
    state_ = {information_.inverse(), std::vector<std::size_t>(kinds_.size()), problem.budget};
  }

  /// What is made least.
  double criterion() const {
    if (!problem_.aims.empty()) return (state_.covariance * aims_).trace();
    return 2 * std::log(state_.covariance.llt().matrixL().determinant());
  }

  /// Buys what gains most, as long as there is anything that gains and can be paid.
  void buy(Greed greed) {
    while (const auto best = best_kind(greed)) buy_one(*best);
  }

  /// Tries one run more of each kind, one kind after the other: takes it, gives back what then matters least until the
  /// money suffices, and spends what is left. Whether that ever helped.
  bool exchange(Greed greed) {
    bool any = false;
    for (const std::size_t i : worth_trying()) {
      if (!available(i)) continue;  // bought meanwhile
      const State before = state_;
      const double least = criterion();
      buy_one(i);
      while (state_.left < 0) give_back(least_missed(i));
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
    for (std::size_t i = 0; i < kinds_.size(); ++i) {
      const auto& candidates = kinds_[i].candidates;
      const auto bought = candidates.begin() + static_cast<std::ptrdiff_t>(state_.chosen[i]);
      design.chosen.insert(design.chosen.end(), candidates.begin(), bought);
      design.cost += static_cast<double>(state_.chosen[i]) * kinds_[i].cost;
    }
    std::sort(design.chosen.begin(), design.chosen.end());
    return design;
  }

 private:
  bool available(std::size_t i) const { return state_.chosen[i] < kinds_[i].candidates.size(); }

  /// What the criterion falls by when one more of the kind is chosen.
  double gain(std::size_t i) const {
    const VectorXd along = state_.covariance * kinds_[i].slope;
    const double size = 1 + kinds_[i].slope.dot(along);
    return problem_.aims.empty() ? std::log(size) : along.dot(aims_ * along) / size;
  }

  /// What the criterion falls by for a little of one more: minus its derivative by how many are chosen.
  double slope_of_gain(std::size_t i) const {
    const VectorXd along = state_.covariance * kinds_[i].slope;
    return problem_.aims.empty() ? kinds_[i].slope.dot(along) : along.dot(aims_ * along);
  }

  /// Kinds of which there are more, one could be paid alone, and an exchange may help: the criterion is convex in the
  /// numbers of runs, so what is given back costs at least its derivatives, and one more brings at most its own. Of
  /// thousands those that may bring most.
  std::vector<std::size_t> worth_trying() const {
    double cheapest = std::numeric_limits<double>::infinity();  // of what is chosen, for the money
    for (std::size_t i = 0; i < kinds_.size(); ++i) {
      if (state_.chosen[i] > 0) cheapest = std::min(cheapest, slope_of_gain(i) / kinds_[i].cost);
    }
    std::vector<std::pair<double, std::size_t>> hopes;
    for (std::size_t i = 0; i < kinds_.size(); ++i) {
      if (!available(i) || kinds_[i].cost > problem_.budget) continue;
      const double hope = slope_of_gain(i) - cheapest * std::max(0.0, kinds_[i].cost - state_.left);
      if (hope > 0) hopes.emplace_back(-hope, i);
    }
    const std::size_t bought = std::accumulate(state_.chosen.begin(), state_.chosen.end(), std::size_t{1});
    const std::size_t most = std::clamp(kMostMoves / bought, kLeastTried, kMostTried);
    if (hopes.size() > most) {
      std::nth_element(hopes.begin(), hopes.begin() + static_cast<std::ptrdiff_t>(most), hopes.end());
      hopes.resize(most);
    }
    std::vector<std::size_t> kinds;
    for (const auto& [loss, i] : hopes) kinds.push_back(i);
    std::sort(kinds.begin(), kinds.end());
    return kinds;
  }

  std::optional<std::size_t> best_kind(Greed greed) const {
    std::optional<std::size_t> best;
    double most = 0;
    for (std::size_t i = 0; i < kinds_.size(); ++i) {
      const double cost = kinds_[i].cost;
      if (!available(i) || cost > state_.left) continue;
      const double worth = gain(i) / (greed == Greed::GainForCost ? cost : 1);
      if (worth > most) best = i;
      most = std::max(most, worth);
    }
    return best;
  }

  /// The kind, other than `kept`, of which the criterion rises least for the money when one is given back.
  std::size_t least_missed(std::size_t kept) const {
    std::size_t least = kept;
    double fewest = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < kinds_.size(); ++i) {
      if (state_.chosen[i] == 0 || i == kept) continue;
      const VectorXd along = state_.covariance * kinds_[i].slope;
      const double size = 1 - kinds_[i].slope.dot(along);
      const double loss = problem_.aims.empty() ? -std::log(size) : along.dot(aims_ * along) / size;
      const double worth = loss / kinds_[i].cost;
      if (worth < fewest) least = i;
      fewest = std::min(fewest, worth);
    }
    return least;
  }

  void buy_one(std::size_t i) {
    add_rows(i, 1);
    ++state_.chosen[i];
  }

  void give_back(std::size_t i) {
    add_rows(i, -1);
    --state_.chosen[i];
  }

  /// V and the money left after one row more, 1, or less, -1 (Sherman and Morrison 1950).
  void add_rows(std::size_t i, double sign) {
    const VectorXd along = state_.covariance * kinds_[i].slope;
    state_.covariance -= sign / (1 + sign * kinds_[i].slope.dot(along)) * along * along.transpose();
    state_.left -= sign * kinds_[i].cost;
  }

  /// V and the money left from scratch, without the rounding of many updates.
  void refresh() {
    MatrixXd information = information_;
    state_.left = problem_.budget;
    for (std::size_t i = 0; i < kinds_.size(); ++i) {
      const auto count = static_cast<double>(state_.chosen[i]);
      information += count * kinds_[i].slope * kinds_[i].slope.transpose();
      state_.left -= count * kinds_[i].cost;
    }
    state_.covariance = information.inverse();
  }

  struct State {
    MatrixXd covariance;
    std::vector<std::size_t> chosen;  ///< how many of each kind
    double left;                      ///< of the budget
  };

  const DesignProblem& problem_;
  std::vector<RunKind> kinds_;
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
