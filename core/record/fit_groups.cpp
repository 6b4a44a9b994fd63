#include "core/record/fit_groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/base/build_info.h"
#include "core/base/check.h"
#include "core/base/error.h"
#include "core/record/diagnosis_groups.h"

namespace bitlaw {
namespace {

using hdf5::Group;
using Numbers = std::vector<double>;

/// One value of each parameter.
template <typename T, typename Member>
std::vector<T> column(const FitRecord& fit, Member member) {
  std::vector<T> values;
  for (const FittedParameter& parameter : fit.parameters) values.push_back(static_cast<T>(parameter.*member));
  return values;
}

/// Two values of each parameter, [p, 2].
Numbers interval(const FitRecord& fit, double FittedParameter::*low, double FittedParameter::*high) {
  Numbers values;
  for (const FittedParameter& parameter : fit.parameters) {
    values.push_back(parameter.*low);
    values.push_back(parameter.*high);
  }
  return values;
}

void write_verdict(const Group& group, const FitRecord& fit) {
  group.set_attribute("name", fit.name);
  group.set_attribute("law", fit.law);
  group.set_attribute("equation", fit.equation);
  group.set_attribute("source", fit.source);
  group.set_attribute("objective", fit.objective);
  group.set_attribute("level", fit.level);
  group.set_attribute("status", fit.status);
  group.set_attribute("converged", std::int64_t{fit.converged});
  group.set_attribute("cost", fit.cost);
  if (!std::isnan(fit.scale)) group.set_attribute("scale", fit.scale);
  group.set_attribute("degrees_of_freedom", fit.degrees_of_freedom);
  group.set_attribute("noise", fit.noise);
  group.set_attribute("gradient_norm", fit.gradient_norm);
  group.set_attribute("condition_number", fit.condition_number);
  group.set_attribute("starts", std::int64_t{fit.starts});
  group.set_attribute("starts_agreeing", std::int64_t{fit.starts_agreeing});
  if (!fit.warnings.empty()) group.set_attribute("warnings", fit.warnings);
}

void write_parameters(const Group& group, const FitRecord& fit) {
  const auto names = column<std::string>(fit, &FittedParameter::name);
  group.add_coordinate<std::string>("param", names, {"parameter of the law"});
  group.add_coordinate<std::string>("bound", std::array<std::string, 2>{"low", "high"}, {"end of an interval"});
  group.write<double>("params", column<double>(fit, &FittedParameter::estimate), {"param"}, {"estimate"});
  group.write<double>("se", column<double>(fit, &FittedParameter::standard_error), {"param"},
                      {"standard error from the covariance"});
  group.write<double>("ci", interval(fit, &FittedParameter::ci_low, &FittedParameter::ci_high), {"param", "bound"},
                      {"interval from the covariance"});
  group.write<double>("ci_bootstrap", interval(fit, &FittedParameter::boot_low, &FittedParameter::boot_high),
                      {"param", "bound"}, {"percentile interval of the bootstrap by run"});
  group.write<double>("ci_profile", interval(fit, &FittedParameter::profile_low, &FittedParameter::profile_high),
                      {"param", "bound"}, {"interval by profile of the objective; infinite where open"});
  group.write<double>("se_jackknife", column<double>(fit, &FittedParameter::jackknife_error), {"param"},
                      {"standard error leaving one run out at a time"});
  group.write<std::string>("param_units", column<std::string>(fit, &FittedParameter::units), {"param"},
                           {"unit of the parameter"});
  group.write<std::int8_t>("at_bound", column<std::int8_t>(fit, &FittedParameter::at_bound), {"param"},
                           {"1 when the estimate lies at a bound"});
  group.write<std::int8_t>("fixed", column<std::int8_t>(fit, &FittedParameter::fixed), {"param"},
                           {"1 when the parameter was held, not fitted"});
  group.write<std::int8_t>("intervals_disagree", column<std::int8_t>(fit, &FittedParameter::intervals_disagree),
                           {"param"}, {"1 when the widths of ci and ci_bootstrap differ by more than noise explains"});
  if (!fit.covariance.empty()) {
    group.add_coordinate<std::string>("param2", names, {"parameter of the law"});
    group.write<double>("covariance", fit.covariance, {"param", "param2"}, {"covariance of the estimates"});
  }
  const VarianceForm& form = fit.variance_form;
  if (form.axes.empty()) return;
  group.add_dimension("variance_axis", static_cast<std::int64_t>(form.axes.size() / fit.parameters.size()));
  group.add_dimension("variance_mean_term", static_cast<std::int64_t>(form.mean.size()));
  group.add_dimension("variance_spread_term", static_cast<std::int64_t>(form.spread.size()));
  group.write<double>("variance_axes", form.axes, {"variance_axis", "param"},
                      {"coordinates of a combination of fitted coordinates in the two forms below"});
  group.write<double>("variance_mean", form.mean, {"variance_mean_term"}, {"its mean variance, a quadratic form"});
  group.write<double>("variance_spread", form.spread, {"variance_spread_term"},
                      {"half that variance's own variance, a form of fourth degree"});
}

void write_derived(const Group& group, const FitRecord& fit) {
  std::vector<std::string> names, units;
  Numbers estimates, errors, intervals, bootstrap;
  for (const DerivedQuantity& q : fit.derived) {
    names.push_back(q.name);
    units.push_back(q.units);
    estimates.push_back(q.estimate);
    errors.push_back(q.standard_error);
    intervals.insert(intervals.end(), {q.ci_low, q.ci_high});
    bootstrap.insert(bootstrap.end(), {q.boot_low, q.boot_high});
  }
  group.add_coordinate<std::string>("quantity", names, {"what follows from the parameters"});
  group.write<std::string>("derived_units", units, {"quantity"}, {"unit of the quantity"});
  group.write<double>("derived", estimates, {"quantity"}, {"estimate"});
  group.write<double>("derived_se", errors, {"quantity"}, {"standard error by the delta method"});
  group.write<double>("derived_ci", intervals, {"quantity", "bound"}, {"interval by the delta method"});
  group.write<double>("derived_ci_bootstrap", bootstrap, {"quantity", "bound"},
                      {"percentile interval of the bootstrap"});
}

std::vector<DerivedQuantity> read_derived(const Group& group) {
  const auto names = group.read<std::string>("quantity"), units = group.read<std::string>("derived_units");
  const auto estimate = group.read<double>("derived"), se = group.read<double>("derived_se");
  const auto ci = group.read<double>("derived_ci"), boot = group.read<double>("derived_ci_bootstrap");
  const std::size_t count = names.size();
  if (units.size() != count || estimate.size() != count || se.size() != count || ci.size() != 2 * count ||
      boot.size() != 2 * count) {
    throw InputError(
        fmt::format("{}: has lists of derived quantities of unequal length, so it is corrupt; restore it or fit again",
                    group.place()));
  }
  std::vector<DerivedQuantity> derived;
  for (std::size_t i = 0; i < count; ++i) {
    derived.push_back({.name = names[i],
                       .units = units[i],
                       .estimate = estimate[i],
                       .standard_error = se[i],
                       .ci_low = ci[2 * i],
                       .ci_high = ci[2 * i + 1],
                       .boot_low = boot[2 * i],
                       .boot_high = boot[2 * i + 1]});
  }
  return derived;
}

/// The numbers of FitMetrics with their names and meanings.
struct MetricField {
  const char* name;
  double FitMetrics::*member;
  const char* meaning;
};
constexpr std::array<MetricField, 6> kMetricFields{
    {{"r2", &FitMetrics::r2, "1 - squares of the errors over squares about the mean"},
     {"mae", &FitMetrics::mae, "mean absolute error"},
     {"rmse", &FitMetrics::rmse, "root of the mean squared error"},
     {"relative_mean", &FitMetrics::relative_mean, "mean of |observed - predicted| / observed"},
     {"relative_worst", &FitMetrics::relative_worst, "largest |observed - predicted| / observed"},
     {"log_rmse", &FitMetrics::log_rmse, "root of the mean squared error of log loss"}}};

void write_metrics(const Group& group, const FitRecord& fit) {
  std::vector<std::string> names;
  std::vector<std::int64_t> counts;
  for (const FitMetrics& metrics : fit.metrics) {
    names.push_back(metrics.name);
    counts.push_back(metrics.count);
  }
  group.add_coordinate<std::string>("split", names, {"observations that were predicted"});
  group.write<std::int64_t>("n", counts, {"split"}, {"number of observations"});
  for (const MetricField& field : kMetricFields) {
    Numbers values;
    for (const FitMetrics& metrics : fit.metrics) values.push_back(metrics.*field.member);
    group.write<double>(field.name, values, {"split"}, {field.meaning});
  }
}

std::vector<FitMetrics> read_metrics(const Group& group) {
  std::vector<FitMetrics> metrics;
  const auto counts = group.read<std::int64_t>("n");
  for (const std::string& name : group.read<std::string>("split")) metrics.push_back({.name = name});
  const auto require_whole = [&](std::size_t values) {
    if (values == metrics.size()) return;
    throw InputError(
        fmt::format("{}: has metrics of unequal length, so it is corrupt; restore it or fit again", group.place()));
  };
  require_whole(counts.size());
  for (std::size_t i = 0; i < metrics.size(); ++i) metrics[i].count = counts[i];
  for (const MetricField& field : kMetricFields) {
    const Numbers values = group.read<double>(field.name);
    require_whole(values.size());
    for (std::size_t i = 0; i < metrics.size(); ++i) metrics[i].*field.member = values[i];
  }
  return metrics;
}

void write_residuals(const Group& group, const FitRecord& fit) {
  group.add_dimension("obs", static_cast<std::int64_t>(fit.run_ids.size()));
  group.write<std::string>("run_id", fit.run_ids, {"obs"}, {"run of the observation"});
  group.write<double>("observed", fit.observed, {"obs"}, {"measured loss per token", "nat"});
  group.write<double>("predicted", fit.predicted, {"obs"}, {"loss per token by the law", "nat"});
  Numbers residual;
  for (std::size_t i = 0; i < fit.observed.size() && i < fit.predicted.size(); ++i) {
    residual.push_back(std::log(fit.observed[i] / fit.predicted[i]));
  }
  group.write<double>("residual", residual, {"obs"}, {"log(observed / predicted)"});
}

void write_posterior(const Group& group, const FitRecord& fit, const std::string& created_at) {
  const std::size_t count = fit.parameters.size();
  BITLAW_CHECK(count > 0 && fit.draws.size() % count == 0, "{} draws of {} parameters", fit.draws.size(), count);
  const std::size_t draws = fit.draws.size() / count;
  group.set_attribute("created_at", created_at);
  group.set_attribute("inference_library", std::string("bitlaw"));
  group.set_attribute("inference_library_version", build_info().version);
  group.set_attribute("sampling", std::string("bootstrap by run; not a Bayesian posterior"));
  std::vector<std::int64_t> draw_numbers(draws);
  for (std::size_t d = 0; d < draws; ++d) draw_numbers[d] = static_cast<std::int64_t>(d);
  group.add_coordinate<std::int64_t>("chain", std::array<std::int64_t, 1>{0}, {"chain"});
  group.add_coordinate<std::int64_t>("draw", draw_numbers, {"bootstrap draw"});
  for (std::size_t p = 0; p < count; ++p) {
    Numbers values(draws);
    for (std::size_t d = 0; d < draws; ++d) values[d] = fit.draws[d * count + p];
    const FittedParameter& parameter = fit.parameters[p];
    group.write<double>(parameter.name, values, {"chain", "draw"}, {"bootstrap estimate", parameter.units});
  }
}

Numbers read_posterior(const Group& group, const FitRecord& fit) {
  const std::size_t count = fit.parameters.size();
  const std::size_t draws = group.read<std::int64_t>("draw").size();
  Numbers all(draws * count);
  for (std::size_t p = 0; p < count; ++p) {
    const Numbers values = group.read<double>(fit.parameters[p].name);
    if (values.size() != draws)
      throw InputError(fmt::format("{}: has ragged draws, so it is corrupt; restore it or fit again", group.place()));
    for (std::size_t d = 0; d < draws; ++d) all[d * count + p] = values[d];
  }
  return all;
}

std::vector<FittedParameter> read_parameters(const Group& group) {
  const auto names = group.read<std::string>("param"), units = group.read<std::string>("param_units");
  const auto estimate = group.read<double>("params"), se = group.read<double>("se");
  const auto ci = group.read<double>("ci"), boot = group.read<double>("ci_bootstrap");
  const auto at_bound = group.read<std::int8_t>("at_bound"), fixed = group.read<std::int8_t>("fixed");
  const std::size_t count = names.size();
  std::vector<std::int8_t> disagree(count);  // the first files of this schema do not have it
  if (group.contains("intervals_disagree")) disagree = group.read<std::int8_t>("intervals_disagree");
  const double nan = std::numeric_limits<double>::quiet_NaN();
  Numbers profile(2 * count, nan), jackknife(count, nan);  // nor these
  if (group.contains("ci_profile")) profile = group.read<double>("ci_profile");
  if (group.contains("se_jackknife")) jackknife = group.read<double>("se_jackknife");
  if (units.size() != count || estimate.size() != count || se.size() != count || ci.size() != 2 * count ||
      boot.size() != 2 * count || at_bound.size() != count || fixed.size() != count || disagree.size() != count ||
      profile.size() != 2 * count || jackknife.size() != count) {
    throw InputError(fmt::format("{}: has parameter lists of unequal length, so it is corrupt; restore it or fit again",
                                 group.place()));
  }
  std::vector<FittedParameter> parameters;
  for (std::size_t i = 0; i < count; ++i) {
    parameters.push_back({.name = names[i],
                          .units = units[i],
                          .estimate = estimate[i],
                          .standard_error = se[i],
                          .ci_low = ci[2 * i],
                          .ci_high = ci[2 * i + 1],
                          .boot_low = boot[2 * i],
                          .boot_high = boot[2 * i + 1],
                          .at_bound = at_bound[i] != 0,
                          .fixed = fixed[i] != 0,
                          .intervals_disagree = disagree[i] != 0,
                          .profile_low = profile[2 * i],
                          .profile_high = profile[2 * i + 1],
                          .jackknife_error = jackknife[i]});
  }
  return parameters;
}

VarianceForm read_variance_form(const Group& group, std::size_t parameters) {
  VarianceForm form{.axes = group.read<double>("variance_axes"),
                    .mean = group.read<double>("variance_mean"),
                    .spread = group.read<double>("variance_spread")};
  if (!form.fits(parameters)) {
    throw InputError(
        fmt::format("{}: has variance_axes, variance_mean and variance_spread of lengths that do not belong "
                    "together, so it is corrupt; restore it or fit again",
                    group.place()));
  }
  return form;
}

FitRecord read_fit(const Group& group) {
  FitRecord fit;
  fit.name = group.text_attribute("name");
  fit.law = group.text_attribute("law");
  fit.equation = group.text_attribute("equation");
  fit.source = group.text_attribute("source");
  fit.objective = group.text_attribute("objective");
  fit.status = group.text_attribute("status");
  if (group.has_attribute("level")) fit.level = group.real_attribute("level");  // the first files are of level 0.95
  fit.converged = group.integer_attribute("converged") != 0;
  fit.cost = group.real_attribute("cost");
  fit.gradient_norm = group.real_attribute("gradient_norm");
  fit.condition_number = group.real_attribute("condition_number");
  fit.starts = static_cast<int>(group.integer_attribute("starts"));
  fit.starts_agreeing = static_cast<int>(group.integer_attribute("starts_agreeing"));
  fit.warnings = group.text_list_attribute("warnings");
  fit.parameters = read_parameters(group);
  if (group.has_attribute("noise")) {  // not in the first files of this schema
    fit.degrees_of_freedom = group.real_attribute("degrees_of_freedom");
    fit.noise = group.real_attribute("noise");
  }
  if (group.contains("metrics")) fit.metrics = read_metrics(group.open_group("metrics"));
  if (group.has_attribute("scale")) fit.scale = group.real_attribute("scale");
  if (group.contains("derived")) fit.derived = read_derived(group);
  read_diagnosis(group, fit);
  if (group.contains("covariance")) fit.covariance = group.read<double>("covariance");
  if (group.contains("variance_axes")) fit.variance_form = read_variance_form(group, fit.parameters.size());
  fit.run_ids = group.read<std::string>("run_id");
  fit.observed = group.read<double>("observed");
  fit.predicted = group.read<double>("predicted");
  if (group.contains("posterior")) fit.draws = read_posterior(group.open_group("posterior"), fit);
  return fit;
}

/// A group name that netCDF accepts and that `fits` does not have yet; the true name is an attribute.
std::string group_name(const Group& fits, std::string name) {
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '/' || static_cast<unsigned char>(c) < ' '; }, '_');
  if (name.empty() || name.front() == '.') name = fmt::format("_{}", name);
  std::string unique = name;
  for (int copy = 2; fits.contains(unique); ++copy) unique = fmt::format("{}_{}", name, copy);
  return unique;
}

}  // namespace

void write_fit_groups(const Group& fits, std::span<const FitRecord> records, const std::string& created_at) {
  for (const FitRecord& fit : records) {
    const Group group = fits.create_group(group_name(fits, fit.name));
    write_verdict(group, fit);
    write_parameters(group, fit);
    write_residuals(group, fit);
    if (!fit.derived.empty()) write_derived(group, fit);
    if (!fit.metrics.empty()) write_metrics(group.create_group("metrics"), fit);
    write_diagnosis(group, fit);
    if (!fit.draws.empty()) write_posterior(group.create_group("posterior"), fit, created_at);
  }
}

std::vector<FitRecord> read_fit_groups(const Group& fits) {
  std::vector<FitRecord> records;
  for (const std::string& name : fits.group_names()) records.push_back(read_fit(fits.open_group(name)));
  return records;
}

}  // namespace bitlaw
