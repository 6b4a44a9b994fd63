#include <fmt/format.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "core/base/cores.h"
#include "core/base/error.h"
#include "core/record/fit_json.h"
#include "core/record/sweep_file.h"
#include "experiments/cli/optimum_answers.h"
#include "experiments/fits/fit_solve.h"
#include "experiments/fits/given_law.h"
#include "experiments/fits/given_schedule.h"
#include "experiments/sweep/learning_rates.h"
#include "fitting/predict/bands.h"
#include "notebooks/python/binding/python_types.h"

namespace bitlaw::python {
namespace nb = nanobind;
namespace {

using Texts = std::vector<std::string>;

/// The request of `bitlaw fit` with the same names, as typed there.
FitRequest request_of(const std::map<std::string, Texts>& lists, const std::map<std::string, std::string>& options) {
  const auto all = [&](const char* name) {
    const auto found = lists.find(name);
    return found == lists.end() ? Texts() : found->second;
  };
  const auto one = [&](const char* name) {
    const Texts found = all(name);
    return found.empty() ? std::string() : found.front();
  };
  FitRequest request;
  request.words = all("words");
  request.formula = one("formula");
  request.per = one("per");
  request.tail = one("tail");
  request.seeds = one("seeds");
  request.outliers = one("outliers");
  request.columns = all("columns");
  request.where = all("where");
  request.fixed = all("fix");
  request.set = all("set");
  request.parameters = all("parameters");
  request.schedules = all("schedule");
  request.test = all("test");
  request.options = options;
  return request;
}

std::vector<FitRecord> fit(const std::map<std::string, Texts>& lists,
                           const std::map<std::string, std::string>& options) {
  const nb::gil_scoped_release released;
  const int threads = all_cores();
  const FitRequest request = request_of(lists, options);
  std::vector<FitRecord> fits;
  for (FittedData& fitted : solve(fit_problem(request, threads), request, threads)) {
    fits.push_back(std::move(fitted.fit));
  }
  return fits;
}

/// A law with given coefficients, as a fit without uncertainty.
FitRecord given_law(const std::string& name, const std::string& published, const std::string& params) {
  const Law& law = find_law(name);
  FitRecord fit = fit_of_coefficients(law, coefficients_of(law, {.params = params, .published = published}));
  fit.name = fit.law;
  fit.equation = law.equation();
  fit.source = law.source();
  for (std::size_t j = 0; j < fit.parameters.size(); ++j) {
    fit.parameters[j].name = law.parameters()[j].name;
    fit.parameters[j].units = law.parameters()[j].units;
  }
  return fit;
}

/// A float64 array of its own.
nb::object array_of(std::vector<double> values, std::initializer_list<std::size_t> shape) {
  auto owned = std::make_unique<std::vector<double>>(std::move(values));
  double* data = owned->data();
  const nb::capsule owner(owned.release(), [](void* p) noexcept { delete static_cast<std::vector<double>*>(p); });
  return nb::cast(nb::ndarray<nb::numpy, double>(data, shape, owner));
}

constexpr std::size_t kPredictionColumns = 10;

/// Appends value, standard error, then the bands of bands.h, low and high.
void append_bands(std::vector<double>& out, const Law& law, const FitRecord& fit, std::span<const double> inputs) {
  const Prediction p = predict_with_bands(law, fit, inputs, residual_of_fit(fit));
  out.insert(out.end(),
             {p.value, p.standard_error, p.confidence.low, p.confidence.high, p.prediction.low, p.prediction.high,
              p.confidence_draws.low, p.confidence_draws.high, p.prediction_draws.low, p.prediction_draws.high});
}

/// [rows, kPredictionColumns] of inputs [rows, inputs], a row as of append_bands().
nb::object predict(const FitRecord& fit, const Input& inputs) {
  const std::shared_ptr<const Law> law = law_of_fit(fit);
  const std::size_t width = law->inputs().size(), rows = width == 0 ? 0 : inputs.size() / width;
  const auto* values = static_cast<const double*>(inputs.data());
  std::vector<double> out;
  {
    const nb::gil_scoped_release released;
    for (std::size_t row = 0; row < rows; ++row) {
      const std::span<const double> x(values + row * width, width);
      for (std::size_t k = 0; k < width; ++k) {
        if (x[k] >= least_value(law->inputs()[k])) continue;
        throw InputError(fmt::format("row {}: {} is {}, so law '{}' has no value; give a number of at least {}", row,
                                     law->inputs()[k], x[k], law->name(), least_value(law->inputs()[k])));
      }
      append_bands(out, *law, fit, x);
    }
  }
  return array_of(std::move(out), {rows, kPredictionColumns});
}

/// [steps, kPredictionColumns] as of predict(), of some steps of a schedule; given: the law's inputs beside S1 and S2.
nb::object predict_along(const FitRecord& fit, const std::vector<double>& rates, const std::vector<std::size_t>& steps,
                         const std::map<std::string, double>& given) {
  std::vector<double> out;
  {
    const nb::gil_scoped_release released;
    const GivenScheduleLaw law = schedule_law_of_fit(fit, given);
    check_rates(law, rates, "schedule");
    const LawAlongSchedule along = law.law.along(rates);
    for (const std::size_t step : steps) append_bands(out, *along.law, fit, along.inputs[step]);
  }
  return array_of(std::move(out), {steps.size(), kPredictionColumns});
}

using Answer = std::tuple<std::string, std::string, double, double, double>;  // for, name, value, low, high

std::vector<Answer> optimum(const FitRecord& fit, const std::map<std::string, std::vector<double>>& numbers,
                            const std::map<std::string, double>& given, const Texts& formats, bool layouts) {
  const auto all = [&](const char* name) {
    const auto found = numbers.find(name);
    return found == numbers.end() ? std::vector<double>() : found->second;
  };
  const auto one = [&](const char* name) {
    const std::vector<double> found = all(name);
    return found.empty() ? std::nullopt : std::optional(found.front());
  };
  const nb::gil_scoped_release released;
  OptimumQuestions questions;
  questions.compute = all("compute");
  questions.sizes = all("size");
  questions.formats = formats;
  questions.given = given;
  questions.held = {.params = one("N"), .tokens = one("D"), .bits = one("bits")};
  questions.cost.factor = one("cost_factor").value_or(questions.cost.factor);
  questions.cost.offset = one("cost_offset").value_or(questions.cost.offset);
  questions.loss = one("loss");
  questions.scale_bits = one("scale_bits");
  questions.layouts = layouts;
  const std::shared_ptr<const Law> law = law_of_fit(fit);
  std::vector<Answer> answers;
  for (const OptimumAnswer& a : answer_questions(*law, fit, questions)) {
    answers.emplace_back(a.question, a.name, a.quantity.value, a.quantity.interval.low, a.quantity.interval.high);
  }
  return answers;
}

Texts parameter_names(const FitRecord& fit) {
  Texts names;
  for (const FittedParameter& parameter : fit.parameters) names.push_back(parameter.name);
  return names;
}

/// [parameters, 9]: estimate, standard error, intervals by covariance, bootstrap and profile, jackknife's error.
nb::object parameters(const FitRecord& fit) {
  std::vector<double> numbers;
  for (const FittedParameter& p : fit.parameters) {
    numbers.insert(numbers.end(), {p.estimate, p.standard_error, p.ci_low, p.ci_high, p.boot_low, p.boot_high,
                                   p.profile_low, p.profile_high, p.jackknife_error});
  }
  return array_of(std::move(numbers), {fit.parameters.size(), 9});
}

Texts input_names(const FitRecord& fit) {
  const std::shared_ptr<const Law> law = law_of_fit(fit);
  return {law->inputs().begin(), law->inputs().end()};
}

nb::object draws(const FitRecord& fit) {
  const std::size_t width = std::max<std::size_t>(1, fit.parameters.size());
  return array_of(fit.draws, {fit.draws.size() / width, fit.parameters.size()});
}

}  // namespace

void bind_fits(nb::module_& m) {
  nb::class_<FitRecord>(m, "FitRecord", "A fitted law as the library has it: what bitlaw.Fit asks.")
      .def_ro("name", &FitRecord::name)
      .def_ro("law", &FitRecord::law)
      .def_ro("equation", &FitRecord::equation)
      .def_ro("source", &FitRecord::source)
      .def_ro("level", &FitRecord::level)
      .def_ro("run_ids", &FitRecord::run_ids)
      .def_ro("warnings", &FitRecord::warnings)
      .def("json", [](const FitRecord& fit) { return fit_to_json(fit); })
      .def("parameters", &parameters)
      .def("parameter_names", &parameter_names)
      .def("input_names", &input_names)
      .def("draws", &draws)
      .def("observed", [](const FitRecord& fit) { return array_of(fit.observed, {fit.observed.size()}); })
      .def("predicted", [](const FitRecord& fit) { return array_of(fit.predicted, {fit.predicted.size()}); })
      .def("predict", &predict)
      .def("predict_along", &predict_along)
      .def("optimum", &optimum);
  m.def("fit", &fit);
  m.def("given_law", &given_law);
  m.def("laws", [] {
    std::vector<std::pair<std::string, std::string>> rows;
    for (const std::string_view name : law_names()) rows.emplace_back(name, find_law(name).equation());
    return rows;
  });
  m.def("learning_rates", [](const std::string& file) {
    std::vector<std::vector<double>> rates;
    {
      const nb::gil_scoped_release released;
      for (const RunRecord& run : read_sweep_file(file).runs) rates.push_back(learning_rates(run));
    }
    nb::list arrays;
    for (std::vector<double>& of_run : rates) {
      const std::size_t steps = of_run.size();
      arrays.append(array_of(std::move(of_run), {steps}));
    }
    return arrays;
  });
  m.def("schedule", [](const std::string& word) { return given_schedule(word, std::nullopt); });
  m.def("read_fits", [](const std::string& file) {
    const nb::gil_scoped_release released;
    if (file.ends_with(".json")) return std::vector{read_fit(file)};
    return read_fit_file(file);
  });
  m.def("write_fits", [](const std::string& file, const std::vector<FitRecord>& fits, const std::string& command) {
    const nb::gil_scoped_release released;
    write_fit_file(file, fits, command);
  });
}

}  // namespace bitlaw::python
