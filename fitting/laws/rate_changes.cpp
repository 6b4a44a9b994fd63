#include "fitting/laws/rate_changes.h"

#include <algorithm>
#include <cmath>

#include "fitting/laws/gauss_rule.h"

namespace bitlaw {

RateChanges::RateChanges(const Schedule& schedule, bool exact) : rate_(schedule) {
  double sum = 0;
  for (const double rate : schedule) {
    sum += rate;
    s1_.push_back(sum);
  }
  // The changes themselves come first, those that are none left out.
  for (std::size_t k = 1; k < schedule.size(); ++k) {
    change_at_.push_back(points_.size());
    const double drop = schedule[k - 1] - schedule[k];
    if (drop != 0) points_.push_back({static_cast<double>(k), drop, s1_[k - 1], std::log(schedule[k])});
  }
  change_at_.push_back(points_.size());
  const std::size_t steps = change_at_.size() - 1;
  if (steps == 0) return;
  std::vector<Block> level;
  for (std::size_t begin = 0; begin < steps; begin += kLeaf) {
    const std::size_t end = std::min(begin + kLeaf, steps);
    level.push_back({.first = change_at_[begin],
                     .last = change_at_[end],
                     .nearest = s1_[end - 1],
                     .farthest = s1_[begin],
                     .whole = true,
                     .smooth = false});
  }
  levels_.push_back(std::move(level));
  while (levels_.back().size() > 1) {
    std::vector<Block> above;
    const std::vector<Block>& below = levels_.back();
    for (std::size_t k = 0; k < below.size(); k += 2) {
      above.push_back(k + 1 < below.size() ? parent(below[k], below[k + 1], exact) : below[k]);
    }
    levels_.push_back(std::move(above));
  }
}

/// What lies between the steps, for a point of a rule: rates on straight lines, their sums on the parabolas that go
/// with them.
RateChange RateChanges::at(double step, double drop) const {
  const auto k = std::clamp<std::size_t>(static_cast<std::size_t>(step), 1, rate_.size() - 2);
  const double share = step - static_cast<double>(k), slope = rate_[k + 1] - rate_[k];
  return {step, drop, s1_[k - 1] + share * rate_[k] + share * (share - 1) / 2 * slope,
          std::log(rate_[k] + share * slope)};
}

RateChanges::Block RateChanges::parent(const Block& left, const Block& right, bool exact) {
  Block block{.first = points_.size(), .last = points_.size(), .nearest = right.nearest, .farthest = left.farthest};
  std::vector<RateChange> all(points_.begin() + static_cast<std::ptrdiff_t>(left.first),
                              points_.begin() + static_cast<std::ptrdiff_t>(left.last));
  all.insert(all.end(), points_.begin() + static_cast<std::ptrdiff_t>(right.first),
             points_.begin() + static_cast<std::ptrdiff_t>(right.last));
  const bool whole = left.whole && right.whole;
  block.whole = whole && (exact || all.size() <= kNodes);
  if (all.empty()) return block;
  const auto [low, high] = std::minmax_element(
      all.begin(), all.end(), [](const RateChange& a, const RateChange& b) { return a.log_rate < b.log_rate; });
  const bool falls = all.front().drop > 0;
  const bool one_sign =
      std::all_of(all.begin(), all.end(), [falls](const RateChange& c) { return (c.drop > 0) == falls; });
  block.smooth = !exact && (left.whole || left.smooth) && (right.whole || right.smooth) && one_sign &&
                 high->log_rate - low->log_rate < std::log(2.0);
  if (block.whole) {
    points_.insert(points_.end(), all.begin(), all.end());
  } else if (block.smooth) {
    std::vector<WeightedPoint> weighted;
    for (const RateChange& change : all) weighted.push_back({change.step, std::abs(change.drop)});
    for (const WeightedPoint& point : gauss_rule(weighted, kNodes)) {
      points_.push_back(at(point.place, falls ? point.weight : -point.weight));
    }
  }
  block.last = points_.size();
  return block;
}

}  // namespace bitlaw
