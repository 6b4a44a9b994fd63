#include "fitting/laws/gauss_rule.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

namespace bitlaw {

std::vector<WeightedPoint> gauss_rule(const std::vector<WeightedPoint>& points, int nodes) {
  using Eigen::Index;
  if (points.size() <= static_cast<std::size_t>(nodes)) return points;
  const auto count = static_cast<Index>(points.size());
  const auto [low, high] = std::minmax_element(
      points.begin(), points.end(), [](const WeightedPoint& a, const WeightedPoint& b) { return a.place < b.place; });
  const double middle = (low->place + high->place) / 2, half = (high->place - low->place) / 2;
  if (!(half > 0)) return points;
  double total = 0;
  for (const WeightedPoint& point : points) total += point.weight;
  Eigen::ArrayXd x(count);
  Eigen::VectorXd current(count), previous = Eigen::VectorXd::Zero(count);
  for (Index i = 0; i < count; ++i) {
    const WeightedPoint& point = points[static_cast<std::size_t>(i)];
    x(i) = (point.place - middle) / half;
    current(i) = std::sqrt(point.weight / total);
  }
  Eigen::VectorXd diagonal(nodes), beside(nodes - 1);
  double norm = 0;
  for (int k = 0; k < nodes; ++k) {
    diagonal(k) = (x * current.array().square()).sum();
    Eigen::VectorXd next = ((x - diagonal(k)) * current.array()).matrix() - norm * previous;
    norm = next.norm();
    if (k + 1 < nodes) beside(k) = norm;
    previous = current;
    current = next / norm;
  }
  Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver;
  solver.computeFromTridiagonal(diagonal, beside);
  std::vector<WeightedPoint> rule;
  for (int k = 0; k < nodes; ++k) {
    const double first = solver.eigenvectors()(0, k);
    rule.push_back({middle + half * solver.eigenvalues()(k), total * first * first});
  }
  return rule;
}

}  // namespace bitlaw
