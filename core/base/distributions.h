#pragma once

namespace bitlaw {

// Of Boost.Math, to about the precision of double. Its templates take a compiler seconds, so they stand in one place.

double normal_cdf(double z);
double normal_quantile(double probability);

/// Infinite where it is beyond double, as for a hundredth of a degree of freedom, which is what data leave of a
/// parameter that a single run decides.
double student_quantile(double freedom, double probability);

/// P(T > t).
double student_tail(double freedom, double t);

/// P(X > x) for x >= 0.
double chi_squared_tail(double freedom, double x);

double beta_quantile(double alpha, double beta, double probability);

}  // namespace bitlaw
