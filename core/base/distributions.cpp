#include "core/base/distributions.h"

#include <boost/math/distributions/beta.hpp>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>

namespace bitlaw {

double normal_cdf(double z) { return cdf(boost::math::normal(), z); }

double normal_quantile(double probability) { return quantile(boost::math::normal(), probability); }

double student_quantile(double freedom, double probability) {
  using boost::math::policies::ignore_error;
  using Policy = boost::math::policies::policy<boost::math::policies::overflow_error<ignore_error>>;
  return quantile(boost::math::students_t_distribution<double, Policy>(freedom), probability);
}

double student_tail(double freedom, double t) { return cdf(complement(boost::math::students_t(freedom), t)); }

double chi_squared_tail(double freedom, double x) { return cdf(complement(boost::math::chi_squared(freedom), x)); }

double beta_quantile(double alpha, double beta, double probability) {
  return quantile(boost::math::beta_distribution<>(alpha, beta), probability);
}

}  // namespace bitlaw
