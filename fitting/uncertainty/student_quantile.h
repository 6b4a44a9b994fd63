#pragma once

#include <boost/math/distributions/students_t.hpp>

namespace bitlaw {

/// Quantile of Student's distribution; infinite where it is beyond double, as for a hundredth of a degree of freedom,
/// which is what data leave of a parameter that a single run decides.
inline double student_quantile(double freedom, double probability) {
  using boost::math::policies::ignore_error;
  using Policy = boost::math::policies::policy<boost::math::policies::overflow_error<ignore_error>>;
  return quantile(boost::math::students_t_distribution<double, Policy>(freedom), probability);
}

}  // namespace bitlaw
