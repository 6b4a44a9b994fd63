#pragma once

#include <vector>

#include "fitting/fit/minimize.h"
#include "fitting/uncertainty/covariance.h"

namespace bitlaw {

/// An interval of one parameter, fitted coordinate; an end is infinite where it is open: the data refuse no value on
/// that side within the parameter's bounds.
struct ProfileInterval {
  double low, high;
};

/// The values x of parameter j at which the objective, minimized over the others, rises by no more than
///
///   rise = t^2 V_jj / (2 (H^-1)_jj),
///
/// V the covariance and H^-1 its inverse curvature: where the objective is a parabola that is the interval x +- t
/// sqrt(V_jj), so the profile inherits the sandwich's allowance for unequal noise and for rows of one run, and adds the
/// true shape away from the optimum. For least squares and equal noise the rise is the likelihood ratio's (Bates &
/// Watts 1988, §6.1). t: the two-sided quantile wanted, e.g. 1.96.
///
/// Where V_jj says nothing (the parameter is on a bound, or undecided) the median of V_kk / (H^-1)_kk over the others
/// stands in; NaNs where they say nothing either. Ends are looked for in growing steps as far as the bounds, some
/// 15 on a side, and found to 1e-3 of their distance from the optimum; beyond an end the others are started anew all
/// over their box, so that a second valley there opens the interval.
ProfileInterval profile_interval(const Objective& objective, const std::vector<double>& optimum,
                                 const std::vector<bool>& fixed, const Covariance& covariance, std::size_t j, double t);

}  // namespace bitlaw
