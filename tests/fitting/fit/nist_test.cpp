// The nonlinear problems of the NIST Statistical Reference Datasets, all 27: NIST's files with certified parameters,
// standard deviations and sums of squares are in tests/golden/nist; here are the formulas.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "core/base/check.h"
#include "core/base/file.h"
#include "fitting/fit/fit.h"
#include "fitting/laws/text_law.h"
#include "fitting/uncertainty/covariance.h"
#include "tests/fitting/relative.h"

using namespace bitlaw;

namespace {

struct Problem {
  std::string name;
  std::string formula;  ///< NIST's x is x1: an input that is called x may not be negative
  std::vector<std::string> inputs{"x1"};
  Residual residual = Residual::Plain;
  std::vector<int> starts{1, 2};  ///< of NIST's, those that the fit is made from
};

const std::string kMisra1a = "b1*(1 - exp(-b2*x1))";
const std::string kChwirut = "exp(-b1*x1)/(b2 + b3*x1)";
const std::string kLanczos = "b1*exp(-b2*x1) + b3*exp(-b4*x1) + b5*exp(-b6*x1)";
const std::string kGauss = "b1*exp(-b2*x1) + b3*exp(-(x1 - b4)^2/b5^2) + b6*exp(-(x1 - b7)^2/b8^2)";
const std::string kCubic = "(b1 + b2*x1 + b3*x1^2 + b4*x1^3)/(1 + b5*x1 + b6*x1^2 + b7*x1^3)";
const std::string kPi = "3.141592653589793238";

const std::vector<Problem> kProblems{
    {"Bennett5", "b1*(b2 + x1)^(-1/b3)"},
    // From start 1 the first step goes where exp(-b2*x1) is zero in all rows.
    {"BoxBOD", kMisra1a, {"x1"}, Residual::Plain, {2}},
    {"Chwirut1", kChwirut},
    {"Chwirut2", kChwirut},
    {"DanWood", "b1*x1^b2"},
    {"ENSO", "b1 + b2*cos(2*" + kPi + "*x1/12) + b3*sin(2*" + kPi + "*x1/12) + b5*cos(2*" + kPi +
                 "*x1/b4) + b6*sin(2*" + kPi + "*x1/b4) + b8*cos(2*" + kPi + "*x1/b7) + b9*sin(2*" + kPi + "*x1/b7)"},
    {"Eckerle4", "(b1/b2)*exp(-0.5*((x1 - b3)/b2)^2)"},
    {"Gauss1", kGauss},
    {"Gauss2", kGauss},
    {"Gauss3", kGauss},
    {"Hahn1", kCubic},
    {"Kirby2", "(b1 + b2*x1 + b3*x1^2)/(1 + b4*x1 + b5*x1^2)"},
    {"Lanczos1", kLanczos},
    {"Lanczos2", kLanczos},
    {"Lanczos3", kLanczos},
    {"MGH09", "b1*(x1^2 + x1*b2)/(x1^2 + x1*b3 + b4)"},
    {"MGH10", "b1*exp(b2/(x1 + b3))", {"x1"}, Residual::Plain, {2}},  // from start 1 the steps end far away
    {"MGH17", "b1 + b2*exp(-x1*b4) + b3*exp(-x1*b5)"},
    {"Misra1a", kMisra1a},
    {"Misra1b", "b1*(1 - (1 + b2*x1/2)^-2)"},
    {"Misra1c", "b1*(1 - (1 + 2*b2*x1)^-0.5)"},
    {"Misra1d", "b1*b2*x1*(1 + b2*x1)^-1"},
    {"Nelson", "exp(b1 - b2*x1*exp(-b3*x2))", {"x1", "x2"}, Residual::Log},  // NIST models log y
    {"Rat42", "b1/(1 + exp(b2 - b3*x1))"},
    {"Rat43", "b1/(1 + exp(b2 - b3*x1))^(1/b4)"},
    {"Roszman1", "b1 - b2*x1 - atan(b3/(x1 - b4))/" + kPi},
    {"Thurber", kCubic},
};

struct Certified {
  struct Parameter {
    std::string name;
    double starts[2], value, standard_deviation;
  };
  std::vector<Parameter> parameters;
  double sum_of_squares = 0;
  Observations observations;
};

/// A file of NIST: 60 lines in which those of parameters read "b1 = start, start, value, standard deviation", then rows
/// of y and the inputs.
Certified read_certified(const std::string& name) {
  constexpr int kFirstRow = 61;
  Certified certified;
  std::istringstream file(read_file(BITLAW_SOURCE_DIR "/tests/golden/nist/" + name + ".dat"));
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    std::istringstream words(line);
    if (number >= kFirstRow) {
      double y = 0;
      words >> y;
      std::vector<double> inputs;
      for (double x = 0; words >> x;) inputs.push_back(x);
      certified.observations.loss.push_back(y);
      certified.observations.inputs.push_back(inputs);
      certified.observations.ids.push_back(std::to_string(number));
      continue;
    }
    Certified::Parameter parameter{};
    std::string equals;
    words >> parameter.name >> equals;
    if (parameter.name.starts_with('b') && equals == "=") {
      words >> parameter.starts[0] >> parameter.starts[1] >> parameter.value >> parameter.standard_deviation;
      BITLAW_CHECK(!words.fail(), "{}: {}", name, line);
      certified.parameters.push_back(parameter);
    }
    constexpr std::string_view kSum = "Residual Sum of Squares:";
    if (line.starts_with(kSum)) certified.sum_of_squares = std::stod(line.substr(kSum.size()));
  }
  certified.observations.cluster = certified.observations.ids;
  return certified;
}

std::unique_ptr<Law> law_from(const Problem& problem, const Certified& certified, int start) {
  LawText text{.name = problem.name, .formula = problem.formula, .inputs = problem.inputs};
  for (const Certified::Parameter& known : certified.parameters) {
    text.parameters[known.name] = {.lower = -1e6, .upper = 1e6, .starts = {known.starts[start - 1]}};
  }
  return text_law(text);
}

/// How far apart sums of squares may be, relative: 1e-6, but 2 |d| / |r| where rounding every prediction by up to an
/// ulp, d, moves the residuals r more than that. This is so for Lanczos1 only: its |r| is 4e-13.
double tolerance_of_sum(const Certified& certified) {
  double squares = 0;
  for (const double y : certified.observations.loss) squares += y * y;
  return std::max(1e-6, 2 * std::numeric_limits<double>::epsilon() * std::sqrt(squares / certified.sum_of_squares));
}

}  // namespace

TEST_CASE("NIST: certified parameters, standard deviations and sums of squares to six digits") {
  CHECK(kProblems.size() == 27);
  for (const Problem& problem : kProblems) {
    const Certified certified = read_certified(problem.name);
    for (const int start : problem.starts) {
      CAPTURE(problem.name);
      CAPTURE(start);
      const auto law = law_from(problem, certified, start);
      FitOptions options;
      options.objective = {.loss = Loss::LeastSquares, .residual = problem.residual};
      options.bootstrap = 0;
      const FitRecord fit = fit_law(*law, certified.observations, options, problem.name);
      const double sum_tolerance = tolerance_of_sum(certified);
      CHECK(2 * fit.cost == relative(certified.sum_of_squares, sum_tolerance));

      // NIST's standard deviations are those of noise of one size, s^2 (J^T J)^-1.
      const std::vector<double> natural = fit.estimates();
      const std::size_t p = natural.size(), n = certified.observations.loss.size();
      REQUIRE(p == certified.parameters.size());
      const Covariance covariance =
          robust_covariance(Objective(*law, certified.observations, options.objective), law->to_fitted(natural),
                            std::vector<bool>(p, true), certified.observations.cluster);
      const double variance = 2 * fit.cost / static_cast<double>(n - p);
      for (std::size_t j = 0; j < p; ++j) {
        const auto known =
            std::find_if(certified.parameters.begin(), certified.parameters.end(),
                         [&](const auto& parameter) { return parameter.name == fit.parameters[j].name; });
        REQUIRE(known != certified.parameters.end());
        CAPTURE(known->name);
        CHECK(natural[j] == relative(known->value, 1e-6));
        CHECK(std::sqrt(variance * covariance.inverse_curvature[j * p + j]) ==
              relative(known->standard_deviation, std::max(1e-6, sum_tolerance / 2)));
      }
    }
  }
}
