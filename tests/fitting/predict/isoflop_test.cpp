#include "fitting/predict/isoflop.h"

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <string>

#include "core/record/table_rows.h"
#include "tests/fitting/relative.h"
#include "tests/support/reference_data.h"

using namespace bitlaw;

TEST_CASE("Akima: values and minimum are those of scipy.interpolate.Akima1DInterpolator 1.17") {
  const AkimaCurve curve({0, .7, 1.1, 2.3, 3, 4.2}, {2, 1.2, .9, .75, 1.1, 1.9});
  const double expected[][2]{{.2, 1.745195897908035},
                             {.9, 1.0258771929824562},
                             {1.7, 0.693421052631579},
                             {2.6, 0.8774436090225566},
                             {3.9, 1.6839638157894734}};
  for (const auto& [x, y] : expected) CHECK(curve(x) == relative(y, 1e-14));
  CHECK(curve.argmin() == relative(1.89644093, 1e-8));
  CHECK(curve(curve.argmin()) == relative(0.67816244, 1e-7));
  const AkimaCurve three({0, 1, 2.5}, {1, .2, .9});
  CHECK(three(.5) == relative(0.44166666666666665, 1e-14));
  CHECK(three(1.5) == relative(0.22222222222222218, 1e-14));
  CHECK(three.argmin() == relative(1.19736842, 1e-8));
}

TEST_CASE("Akima: goes through its points, is straight on a line and a parabola on evenly spaced points of one") {
  const AkimaCurve line({0, 1, 3, 4}, {1, 3, 7, 9});
  for (const double x : {-1.0, 0.5, 1.0, 2.2, 4.0, 5.0}) CHECK(line(x) == relative(1 + 2 * x, 1e-14));
  const auto parabola = [](double x) { return 2 + (x - 2.3) * (x - 2.3); };
  std::vector<double> x, y;
  for (int i = 0; i < 6; ++i) {
    x.push_back(i);
    y.push_back(parabola(i));
  }
  const AkimaCurve curve(x, y);
  for (const double at : {0.0, 0.3, 2.5, 5.0}) CHECK(curve(at) == relative(parabola(at), 1e-13));
  CHECK(curve.argmin() == relative(2.3, 1e-13));
}

TEST_CASE("isoflop: the best of runs of equal size counts, order does not, and a minimum at the end is said") {
  const std::vector<double> params{1e8, 1e6, 1e7, 1e7}, loss{3.1, 3.2, 9, 3.0};
  const IsoflopOptimum optimum = isoflop_optimum(params, loss);
  CHECK(optimum.inside);
  CHECK(optimum.params > 1e7);  // towards the lower side
  CHECK(optimum.params < 1e8);
  CHECK(optimum.loss < 3.0);
  const std::vector<double> sizes{1e6, 1e7, 1e8}, falling{3.0, 2.5, 2.2};
  CHECK(!isoflop_optimum(sizes, falling).inside);
  CHECK(isoflop_optimum(sizes, falling).params == relative(1e8, 1e-14));
}

namespace {

struct Budget {
  std::map<double, double> best;  ///< loss by N
  double published = NAN;         ///< N
};

using Experiment = std::map<double, Budget>;  ///< by compute

/// Porian et al. 2024, arXiv:2406.19146: by "file row".
std::map<std::string, Experiment> porian() {
  std::map<std::string, Experiment> all;
  const auto read = [&](const char* file, const auto& take) {
    const auto rows = open_table(reference_data(std::string("porian-rw/") + file));
    const auto number = [&](const char* name) { return rows->number(rows->index_of(name)); };
    while (rows->next()) {
      take(all[rows->text(rows->index_of("file")) + " " + rows->text(rows->index_of("row"))][number("flops")], number);
    }
  };
  read("isoflop_points.csv", [](Budget& budget, const auto& number) {
    const auto [known, added] = budget.best.try_emplace(number("N"), number("loss"));
    if (!added) known->second = std::min(known->second, number("loss"));
  });
  read("optimal_pairs.csv", [](Budget& budget, const auto& number) { budget.published = number("n_opt"); });
  return all;
}

}  // namespace

TEST_CASE("isoflop: Porian's optimal sizes from their raw points, on their grid and without one") {
  if (reference_data("porian-rw/isoflop_points.csv").empty()) return;
  int budgets = 0, equal = 0;
  for (const auto& [name, experiment] : porian()) {
    for (const auto& [compute, budget] : experiment) {
      if (std::isnan(budget.published) || budget.best.size() < 3) continue;
      CAPTURE(name);
      CAPTURE(compute);
      std::vector<double> params, loss, x, y;
      for (const auto& [n, l] : budget.best) {
        params.push_back(n), loss.push_back(l);
        x.push_back(std::log(n)), y.push_back(std::log(l));
      }
      // Theirs: of 25 (n - 1) sizes in geometric sequence the one with the least loss.
      const AkimaCurve curve(x, y);
      const double points = 25 * static_cast<double>(params.size() - 1), step = (x.back() - x.front()) / (points - 1);
      double best = x.front();
      for (double k = 0; k < points; ++k) {
        if (curve(x.front() + k * step) < curve(best)) best = x.front() + k * step;
      }
      CHECK(std::abs(std::log(isoflop_optimum(params, loss).params) - best) < step);
      // What is published is the median of it over 1000 sets with noise added: at most three steps away.
      const double steps = std::abs(std::log(budget.published) - best) / step;
      CHECK(steps < 3.01);
      ++budgets;
      equal += steps < 1e-6 ? 1 : 0;
    }
  }
  CHECK(budgets == 115);
  CHECK(equal >= 60);  // and where the median is the same point, to all digits
}
