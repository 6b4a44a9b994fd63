// Nonlinear problems of the NIST Statistical Reference Datasets (https://www.itl.nist.gov/div898/strd/), with certified
// parameters and residual sums of squares: formulas as text, least squares on plain residuals, from NIST's own starts.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "fitting/fit/fit.h"
#include "fitting/laws/text_law.h"
#include "tests/fitting/relative.h"

using namespace bitlaw;

namespace {

struct Certified {
  std::string name, formula;
  std::vector<double> x, y;
  std::vector<std::string> parameters;
  std::vector<double> starts, values;  ///< starts: NIST's first, the far one
  double sum_of_squares;
};

const std::vector<double> kMisraX{77.6,  114.9, 141.1, 190.8, 239.9, 289.0, 332.8,
                                  378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0};
const std::vector<double> kMisraY{10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02,
                                  44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78};

const std::vector<Certified> kProblems{
    {"Misra1a",
     "b1*(1 - exp(-b2*x))",
     kMisraX,
     kMisraY,
     {"b1", "b2"},
     {500, 1e-4},
     {2.3894212918e2, 5.5015643181e-4},
     1.2455138894e-1},
    {"Misra1b",
     "b1*(1 - (1 + b2*x/2)^-2)",
     kMisraX,
     kMisraY,
     {"b1", "b2"},
     {500, 1e-4},
     {3.3799746163e2, 3.9039091287e-4},
     7.5464681533e-2},
    {"Misra1c",
     "b1*(1 - (1 + 2*b2*x)^-0.5)",
     kMisraX,
     kMisraY,
     {"b1", "b2"},
     {500, 1e-4},
     {6.3642725809e2, 2.0813627256e-4},
     4.0966836971e-2},
    {"Misra1d",
     "b1*b2*x/(1 + b2*x)",
     kMisraX,
     kMisraY,
     {"b1", "b2"},
     {500, 1e-4},
     {4.3736970754e2, 3.0227324449e-4},
     5.6419295283e-2},
    {"BoxBOD",
     "b1*(1 - exp(-b2*x))",
     {1, 2, 3, 5, 7, 10},
     {109, 149, 149, 191, 213, 224},
     {"b1", "b2"},
     {100, 0.75},
     {2.1380940889e2, 5.4723748542e-1},
     1.1680088766e3},
    {"DanWood",
     "b1*x^b2",
     {1.309, 1.471, 1.490, 1.565, 1.611, 1.680},
     {2.138, 3.421, 3.597, 4.340, 4.882, 5.660},
     {"b1", "b2"},
     {1, 5},
     {7.6886226176e-1, 3.8604055871},
     4.3173084083e-3},
    {"MGH09",
     "b1*(x^2 + x*b2)/(x^2 + x*b3 + b4)",
     {4.0, 2.0, 1.0, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625},
     {0.1957, 0.1947, 0.1735, 0.16, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246},
     {"b1", "b2", "b3", "b4"},
     {0.25, 0.39, 0.415, 0.39},
     {1.9280693458e-1, 1.9128232873e-1, 1.2305650693e-1, 1.3606233068e-1},
     3.0750560385e-4},
    {"Rat42",
     "b1/(1 + exp(b2 - b3*x))",
     {9, 14, 21, 28, 42, 57, 63, 70, 79},
     {8.93, 10.80, 18.59, 22.33, 39.35, 56.11, 61.73, 64.62, 67.08},
     {"b1", "b2", "b3"},
     {100, 1, 0.1},
     {7.2462237576e1, 2.6180768402, 6.7359200066e-2},
     8.0565229338},
};

}  // namespace

TEST_CASE("NIST: certified parameters and sums of squares to six digits and more") {
  for (const Certified& problem : kProblems) {
    CAPTURE(problem.name);
    LawText text{.formula = problem.formula, .inputs = {"x"}};
    for (std::size_t j = 0; j < problem.starts.size(); ++j) {
      ParameterText& parameter = text.parameters[problem.parameters[j]];
      parameter.lower = -1e6;
      parameter.upper = 1e6;
      parameter.starts = {problem.starts[j]};
    }
    Observations observations{.loss = problem.y};
    for (const double x : problem.x) {
      observations.inputs.push_back({x});
      observations.ids.push_back(std::to_string(x));
    }
    observations.cluster = observations.ids;
    const auto law = text_law(text);
    FitOptions options;
    options.objective = {.loss = Loss::LeastSquares, .residual = Residual::Plain};
    options.bootstrap = 0;
    const FitRecord fit = fit_law(*law, observations, options, problem.name);
    CHECK(2 * fit.cost == relative(problem.sum_of_squares, 1e-9));
    for (std::size_t j = 0; j < problem.values.size(); ++j) {
      CHECK(fit.parameters[j].name == problem.parameters[j]);
      CHECK(fit.parameters[j].estimate == relative(problem.values[j], 1e-6));
    }
  }
}
