#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "fitting/laws/schedule.h"

namespace bitlaw {

/// A change of the learning rate, or what stands for several.
struct RateChange {
  double step;      ///< k; between steps for what stands for several
  double drop;      ///< eta_{k-1} - eta_k
  double before;    ///< S1(k - 1), so that S_k(t) = S1(t) - before
  double log_rate;  ///< ln eta_k
};

/// The changes of a schedule's learning rate in a tree of blocks of 2^l steps, so that a sum over all changes up to a
/// step t of drop_k f(S_k(t), ln eta_k) takes some hundred terms instead of t, with f smooth on the scale of S_k(t), as
/// the gains of learning-rate laws are.
///
/// A block that begins no farther from t than twice its end, in S, and whose rates lie within a factor of two, is
/// replaced by the points of a Gauss rule for its drops as a measure over k, between steps the rates being interpolated
/// linearly. Blocks with few changes are summed as they are. A block's relative error for f = (1 + c S)^-beta, any c
/// and beta up to 1, is of the order of rho^-10 = 2e-8, rho = 3 + sqrt 8 (Trefethen 2013, Theorem 19.3); of the sum,
/// which the nearest changes rule, it is below 1e-9.
class RateChanges {
 public:
  /// Rates are positive from step 1. `exact`: no block is replaced.
  RateChanges(const Schedule& schedule, bool exact);

  double s1(std::size_t step) const { return s1_[step]; }
  std::size_t steps() const { return s1_.size(); }

  /// All points that blocks are replaced by, and the changes themselves.
  const std::vector<RateChange>& points() const { return points_; }

  /// Calls visit(first, last) with ranges of points() that stand for the changes of steps 1 to `step`.
  template <typename Visit>
  void for_each_range(std::size_t step, const Visit& visit) const {
    if (!levels_.empty() && step > 0) descend(levels_.size() - 1, 0, step, visit);
  }

 private:
  struct Block {
    std::size_t first = 0, last = 0;  ///< of its points
    double nearest = 0;               ///< `before` behind its last step
    double farthest = 0;              ///< `before` of its first step
    bool whole = false;               ///< its points are its changes; also where it has none
    bool smooth = false;              ///< one sign, rates within a factor of two: its points may stand for it
    bool empty() const { return whole && first == last; }
  };
  static constexpr std::size_t kLeaf = 8;  // steps
  static constexpr int kNodes = 5;

  Block parent(const Block& left, const Block& right, bool exact);
  RateChange at(double step, double drop) const;

  template <typename Visit>
  void descend(std::size_t level, std::size_t number, std::size_t step, const Visit& visit) const {
    const std::size_t size = kLeaf << level, begin = number * size;  // of changes: steps begin + 1 to begin + size
    if (begin >= step) return;
    const Block& block = levels_[level][number];
    if (block.empty()) return;
    if (begin + size <= step) {
      const double near = s1_[step] - block.nearest, far = s1_[step] - block.farthest;
      if (block.whole || (block.smooth && far <= 2 * near)) {
        visit(block.first, block.last);
        return;
      }
    }
    if (level > 0) {
      descend(level - 1, 2 * number, step, visit);
      if (2 * number + 1 < levels_[level - 1].size()) descend(level - 1, 2 * number + 1, step, visit);
      return;
    }
    const std::size_t until = std::min(begin + size, step);
    visit(change_at_[begin], change_at_[until]);
  }

  std::vector<double> s1_;    ///< [T + 1]
  std::vector<double> rate_;  ///< [T + 1]
  std::vector<RateChange> points_;
  std::vector<std::size_t> change_at_;      ///< [T + 1]: where in points() the changes behind step k begin
  std::vector<std::vector<Block>> levels_;  ///< [level][block], the last has one
};

}  // namespace bitlaw
