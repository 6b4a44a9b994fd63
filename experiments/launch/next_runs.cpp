#include "experiments/launch/next_runs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_set>

#include "core/base/closest.h"
#include "core/base/file.h"
#include "experiments/fits/given_law.h"
#include "experiments/sweep/config_keys.h"
#include "fitting/design/exchange.h"
#include "fitting/design/information.h"
#include "fitting/fit/fit.h"

namespace bitlaw {
namespace {

constexpr double kUsualNoise = 0.01;  // of log loss between seeds, until runs tell

/// One fit of the experiment with its runs, trained or not.
struct FitMembers {
  const FitSpec& spec;
  FitGroup group;
};

FitMembers members_of(const Experiment& experiment, const std::vector<RunRecord>& records, const std::string& name) {
  if (experiment.fits.empty()) {
    throw InputError(
        fmt::format("experiment '{}' has no fits, so no run can tell more than another; add fits: "
                    "[{{law: chinchilla}}] to its file",
                    experiment.name));
  }
  std::vector<FitMembers> all;
  std::vector<std::string> names;
  for (const FitSpec& spec : experiment.fits) {
    for (FitGroup& group : fit_groups(spec, records)) {
      names.push_back(group.name);
      all.push_back({spec, std::move(group)});
    }
  }
  if (name.empty() && all.size() == 1) return all.front();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return all[static_cast<std::size_t>(found - names.begin())];
  if (name.empty()) {
    throw InputError(fmt::format("experiment '{}' has {} fits, and runs are chosen for one; add --fit with one of: {}",
                                 experiment.name, names.size(), fmt::join(names, ", ")));
  }
  throw InputError(fmt::format("--fit {}: the experiment has no fit of this name; {}", name, remedy(name, names)));
}

/// Published coefficients, or the middle of the bounds in fitted coordinates, with what is held.
std::vector<double> typical_values(const Law& law, const std::map<std::string, double>& fixed) {
  std::vector<double> natural;
  for (std::size_t j = 0; j < law.parameters().size(); ++j) {
    const LawParameter& parameter = law.parameters()[j];
    const auto held = fixed.find(std::string(parameter.name));
    const bool log = parameter.transform == Transform::Log;
    const double middle = log ? std::sqrt(parameter.lower * parameter.upper) : (parameter.lower + parameter.upper) / 2;
    natural.push_back(held != fixed.end()       ? held->second
                      : law.published().empty() ? middle
                                                : law.published().front().values[j]);
  }
  return natural;
}

/// The law as the runs that are done show it.
DesignPoint point_of(const FitSpec& spec, const std::vector<RunRecord>& done, std::string& believed) {
  const Law& law = law_of(spec);
  FitOptions options = fit_options(spec, 1);
  options.bootstrap = 0;
  options.profile = options.jackknife = false;
  DesignPoint point{.law = law,
                    .natural = typical_values(law, options.fixed),
                    .free = {},
                    .residual = options.objective.residual,
                    .noise = kUsualNoise};
  for (const LawParameter& parameter : law.parameters()) {
    point.free.push_back(!options.fixed.contains(std::string(parameter.name)));
  }
  const auto unknowns = static_cast<std::size_t>(std::count(point.free.begin(), point.free.end(), true));
  const Observations observations = observations_from_runs(law, done);
  const auto typical = [&](const std::string& reason) {
    believed = fmt::format("at {}, since {}; noise taken as {:.0f} %",
                           law.published().empty() ? "the middle of its bounds" : law.published().front().citation,
                           reason, 100 * kUsualNoise);
    return point;
  };
  if (observations.loss.size() <= unknowns) {
    return typical(fmt::format("{} runs cannot decide {} parameters", observations.loss.size(), unknowns));
  }
  const FitRecord fit = fit_law(law, observations, options, "next");
  if (std::any_of(fit.parameters.begin(), fit.parameters.end(), [](const auto& p) { return std::isnan(p.estimate); })) {
    return typical(fmt::format("no values were found by which the law predicts all {} runs", observations.loss.size()));
  }
  for (std::size_t j = 0; j < fit.parameters.size(); ++j) point.natural[j] = fit.parameters[j].estimate;
  if (std::isfinite(fit.noise) && fit.noise > 0) point.noise = fit.noise;
  believed = fmt::format("fitted to {} runs", observations.loss.size());
  return point;
}

/// Among the parameters that are not held.
std::size_t parameter_called(const DesignPoint& point, const std::string& name) {
  std::vector<std::string> free;
  for (std::size_t j = 0; j < point.free.size(); ++j) {
    if (!point.free[j]) continue;
    free.emplace_back(point.law.parameters()[j].name);
    if (free.back() == name) return j;
  }
  throw InputError(fmt::format("--parameter {}: law '{}' has no free parameter of this name; {}", name,
                               point.law.name(), remedy(name, free)));
}

struct Aim {
  std::string what;
  std::vector<double> combination;
};

std::vector<Aim> aims_of(const DesignPoint& point, const NextRequest& request) {
  std::vector<Aim> aims;
  for (const std::string& at : request.at) {
    std::vector<double> slope = point.slope(inputs_at(point.law, at));
    for (double& s : slope) s *= point.noise;
    aims.push_back({"loss at " + at, std::move(slope)});
  }
  const auto add_parameter = [&](std::size_t j) {
    const LawParameter& parameter = point.law.parameters()[j];
    const std::string_view log = parameter.transform == Transform::Log ? "log " : "";
    aims.push_back({fmt::format("{}{}", log, parameter.name), point.coordinate(j)});
  };
  for (const std::string& name : request.parameters) add_parameter(parameter_called(point, name));
  if (!aims.empty()) return aims;
  for (std::size_t j = 0; j < point.free.size(); ++j) {
    if (point.free[j]) add_parameter(j);
  }
  return aims;
}

/// A condition of the sweep language that holds for this run among those of its experiment.
std::string condition_of(const Experiment& experiment, const PlannedRun& run) {
  std::vector<std::string> parts;
  for (std::size_t k = 0; k < experiment.differing.size(); ++k) {
    if (run.values[k] == "-") continue;
    const ConfigKey* row = find_config_key(experiment.differing[k]);
    const bool word = row == nullptr || row->type == ConfigKey::Type::Text;
    std::string name = experiment.differing[k];
    std::replace(name.begin(), name.end(), '.', '_');
    parts.push_back(fmt::format("{} == {}", name, word ? "'" + run.values[k] + "'" : run.values[k]));
  }
  return fmt::format("{}", fmt::join(parts, " and "));
}

std::set<std::string> ids_of(const Experiment& experiment) {
  std::set<std::string> ids;
  for (const PlannedRun& run : experiment.runs) ids.insert(run.id);
  return ids;
}

}  // namespace

std::vector<std::optional<RunRecord>> results_so_far(const Experiment& experiment, const RunStore& store) {
  std::vector<std::optional<RunRecord>> results(experiment.runs.size());
  const std::unordered_set<std::string> begun = store.begun();
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!begun.contains(experiment.runs[i].id)) continue;
    try {
      results[i] = store.load(experiment.runs[i]);
    } catch (const DamagedFile&) {
      // none
    }
  }
  return results;
}

double cost_of(const PlannedRun& run, const PriceModel& prices, bool by_time) {
  return by_time ? prices.seconds(run.work) : run.counts.training_flops;
}

NextRuns next_runs(const Experiment& experiment, const std::vector<std::optional<RunRecord>>& results,
                   const PriceModel& prices, const NextRequest& request) {
  std::vector<RunRecord> records;
  for (const PlannedRun& run : experiment.runs) records.push_back(planned_record(run));
  const auto [spec, group] = members_of(experiment, records, request.fit);
  NextRuns next;
  next.fit = group.name;
  next.law = law_of(spec).name();

  std::vector<RunRecord> trained;
  std::vector<std::size_t> others;
  for (const std::size_t i : group.runs) {
    if (!results[i]) {
      others.push_back(i);
      continue;
    }
    next.done.push_back(i);
    trained.push_back(*results[i]);
  }
  const DesignPoint point = point_of(spec, trained, next.believed);
  next.noise = point.noise;
  next.candidates = others.size();
  const std::vector<Aim> aims = aims_of(point, request);
  next.by_criterion_d = request.at.empty() && request.parameters.empty();

  DesignProblem problem{.information = {}, .candidates = {}, .aims = {}, .budget = request.budget};
  problem.information = information_of(point, observations_from_runs(point.law, trained).inputs);
  for (const std::size_t i : others) {
    const PlannedRun& run = experiment.runs[i];
    problem.candidates.push_back(
        {point.slope(law_inputs(point.law, records[i])), cost_of(run, prices, request.by_time)});
    next.cheapest = std::min(next.cheapest, problem.candidates.back().cost);
  }
  for (const Aim& aim : aims) {
    if (!next.by_criterion_d) problem.aims.push_back(aim.combination);
  }
  const Design design = exchange_design(problem);
  next.cost = design.cost;
  for (const std::size_t k : design.chosen) {
    next.chosen.push_back(others[k]);
    next.costs.push_back(problem.candidates[k].cost);
  }
  for (const Aim& aim : aims) {
    next.expectations.push_back({aim.what, std::sqrt(aim_variance(problem, {}, aim.combination)),
                                 std::sqrt(aim_variance(problem, design.chosen, aim.combination))});
  }
  return next;
}

void write_next_yaml(const std::filesystem::path& file, const std::filesystem::path& base,
                     const std::vector<std::string>& overrides, const Experiment& experiment, const NextRuns& next,
                     const std::string& command) {
  using std::filesystem::absolute;
  const std::filesystem::path relative = absolute(base).lexically_relative(absolute(file).parent_path());
  const auto quoted = [](const std::string& text) { return nlohmann::json(text).dump(); };  // is YAML, too
  std::string text = fmt::format("# {}\n# {} runs that are done and {} to train next for fit {}.\nextends: {}\n",
                                 command, next.done.size(), next.chosen.size(), next.fit, quoted(relative.string()));
  text += "sweep:\n  include:\n";
  std::set<std::string> wanted;
  const auto add = [&](const std::vector<std::size_t>& runs, const char* what) {
    for (const std::size_t i : runs) {
      text += fmt::format("    - {}  # {}\n", quoted(condition_of(experiment, experiment.runs[i])), what);
      wanted.insert(experiment.runs[i].id);
    }
  };
  add(next.done, "done");
  add(next.chosen, "next");

  const std::filesystem::path draft = file.string() + ".new";
  write_file_atomically(draft, text);
  const bool same = ids_of(plan_experiment(draft, overrides)) == wanted;
  if (same) {
    std::filesystem::rename(draft, file);
    return;
  }
  std::filesystem::remove(draft);
  throw InputError(
      fmt::format("{}: conditions on the keys that differ cannot tell the {} runs from the others of '{}', "
                  "so no file was written; choose the runs by hand",
                  file.string(), wanted.size(), experiment.name));
}

}  // namespace bitlaw
