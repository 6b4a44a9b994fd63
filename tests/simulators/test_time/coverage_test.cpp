#include "simulators/test_time/coverage.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <boost/multiprecision/cpp_int.hpp>
#include <cmath>
#include <vector>

namespace bitlaw {
namespace {

using boost::multiprecision::cpp_int;
using boost::multiprecision::cpp_rational;

cpp_int binomial(int n, int k) {
  cpp_int result = 1;
  for (int i = 1; i <= k; ++i) result = result * (n - k + i) / i;
  return k > n ? cpp_int(0) : result;
}

TEST_CASE(
    "coverage: pass@k is 1 - C(n - c, k) / C(n, k) in rational arithmetic, for every n up to 40 and some beyond") {
  std::vector<int> sizes{200, 1000};
  for (int n = 1; n <= 40; ++n) sizes.push_back(n);
  for (const int n : sizes) {
    const int step = n > 40 ? 37 : 1;
    for (int c = 0; c <= n; c += step) {
      for (int k = 1; k <= n; k += step) {
        const cpp_rational exact = 1 - cpp_rational(binomial(n - c, k), binomial(n, k));
        const double expected = exact.convert_to<double>();
        const double error = std::abs(pass_at_k(n, c, k) - expected);
        if (error <= 1e-15 * std::max(1, std::min(c, k)) * expected) continue;
        CAPTURE(n);
        CAPTURE(c);
        CAPTURE(k);
        CHECK(pass_at_k(n, c, k) == expected);
      }
    }
  }
}

TEST_CASE("coverage: neither large counts nor small chances lose digits") {
  // One right of n: the chance to draw it is k / n.
  CHECK(pass_at_k(1'000'000'000'000, 1, 1) == doctest::Approx(1e-12).epsilon(1e-15));
  CHECK(pass_at_k(1'000'000'000'000, 1, 1000) == doctest::Approx(1e-9).epsilon(1e-13));
  CHECK(pass_at_k(1'000'000'000'000, 1000, 1) == doctest::Approx(1e-9).epsilon(1e-13));
  CHECK(pass_at_k(10'000'000, 5'000'000, 3) == doctest::Approx(0.875).epsilon(1e-6));
  CHECK(pass_at_k(1000, 0, 1000) == 0);
  CHECK(pass_at_k(1000, 1, 1000) == 1);
}

TEST_CASE("coverage: the best of k scores, averaged over all choices of k") {
  const std::vector<float> scores{1, 1, 0.75, 0.5, 0.5, 0.5, 0.25, 0, 0};  // falling
  for (int k = 1; k <= 9; ++k) {
    double sum = 0;
    int choices = 0;
    for (unsigned mask = 1; mask < 512; ++mask) {
      if (std::popcount(mask) != k) continue;
      float best = 0;
      for (unsigned i = 0; i < 9; ++i) best = (mask >> i & 1U) != 0U ? std::max(best, scores[i]) : best;
      sum += static_cast<double>(best);
      ++choices;
    }
    CHECK(best_of_k(scores, k) == doctest::Approx(sum / choices).epsilon(1e-14));
  }
  const std::vector<float> binary{1, 1, 0, 0, 0};
  CHECK(best_of_k(binary, 2) == pass_at_k(5, 2, 2));
}

}  // namespace
}  // namespace bitlaw
