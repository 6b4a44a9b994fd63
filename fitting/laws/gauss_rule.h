#pragma once

#include <vector>

namespace bitlaw {

/// A weight at a place.
struct WeightedPoint {
  double place, weight;
};

/// The Gauss rule of `nodes` points for a sum over points with weights of one sign: the sum of f over its points is the
/// given one for every polynomial f of degree up to 2 nodes - 1. At most `nodes` points are returned as they are.
///
/// Lanczos' recurrence for the measure's Jacobi matrix, whose eigenvalues are the places (Golub & Welsch 1969).
std::vector<WeightedPoint> gauss_rule(const std::vector<WeightedPoint>& points, int nodes);

}  // namespace bitlaw
