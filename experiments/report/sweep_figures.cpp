#include "experiments/report/sweep_figures.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "core/base/error.h"
#include "experiments/report/comparison.h"
#include "experiments/report/numbers.h"
#include "fitting/fit/observations.h"
#include "fitting/laws/law.h"

namespace bitlaw {
namespace {

using Count = std::int64_t RunRecord::*;

constexpr std::size_t kMaxPanels = 8;
constexpr int kCurveSteps = 48;

std::map<std::string, const RunRecord*> runs_by_id(const SweepFile& sweep) {
  std::map<std::string, const RunRecord*> runs;
  for (const RunRecord& run : sweep.runs) runs[run.run_id] = &run;
  return runs;
}

std::set<std::string> precisions_of_fit(const SweepFile& sweep, const FitRecord& fit) {
  const auto runs = runs_by_id(sweep);
  std::set<std::string> names;
  for (const std::string& id : fit.run_ids) {
    if (const auto run = runs.find(id); run != runs.end()) names.insert(run->second->precision);
  }
  return names;
}

/// For each precision the fit whose curve is drawn: the one to the fewest precisions, the first of equals.
std::map<std::string, const FitRecord*> curve_fits(const SweepFile& sweep) {
  std::map<std::string, const FitRecord*> chosen;
  std::map<std::string, std::size_t> breadth;
  for (const FitRecord& fit : sweep.fits) {
    const auto names = precisions_of_fit(sweep, fit);
    for (const std::string& name : names) {
      if (chosen.contains(name) && breadth[name] <= names.size()) continue;
      chosen[name] = &fit;
      breadth[name] = names.size();
    }
  }
  return chosen;
}

/// The fit's estimates in the law's own order; empty when the fit lacks one of its parameters.
std::vector<double> natural_parameters(const Law& law, const FitRecord& fit) {
  std::vector<double> natural;
  for (const LawParameter& wanted : law.parameters()) {
    const auto found = std::find_if(fit.parameters.begin(), fit.parameters.end(),
                                    [&](const FittedParameter& fitted) { return fitted.name == wanted.name; });
    if (found == fit.parameters.end()) return {};
    natural.push_back(found->estimate);
  }
  return natural;
}

/// The law's loss for a run like `like`, with `varied` from `low` to `high`. Empty when the law has no value there.
std::vector<Point> law_curve(const FitRecord& fit, RunRecord like, Count varied, double low, double high) {
  std::vector<Point> curve;
  try {
    const Law& law = find_law(fit.law);
    const std::vector<double> natural = natural_parameters(law, fit);
    for (int i = 0; !natural.empty() && i <= kCurveSteps; ++i) {
      const double x = low * std::pow(high / low, static_cast<double>(i) / kCurveSteps);
      like.*varied = std::llround(x);
      curve.push_back({x, law.predict(natural, law_inputs(law, like))});
    }
  } catch (const InputError&) {
    return {};  // a law of another version, or a run that this law has no input for: points without a curve
  }
  return curve;
}

/// At most kMaxPanels of the values, evenly spread, both ends among them.
std::vector<std::int64_t> spread(std::vector<std::int64_t> values) {
  if (values.size() <= kMaxPanels) return values;
  std::vector<std::int64_t> some;
  for (std::size_t i = 0; i < kMaxPanels; ++i) some.push_back(values[i * (values.size() - 1) / (kMaxPanels - 1)]);
  return some;
}

Series loss_series(const SweepFile& sweep, const FitRecord* fit, const std::string& precision, std::size_t style,
                   Count varied, Count panel_of, std::int64_t panel_value) {
  Series series;
  series.style = style;
  const RunRecord* like = nullptr;
  for (const RunRecord& run : sweep.runs) {
    if (run.precision != precision || run.*panel_of != panel_value) continue;
    like = &run;
    const auto x = static_cast<double>(run.*varied);
    if (cell_of(std::span(&run, 1), [](const RunRecord&) { return true; }).finished == 1) {
      series.points.push_back({x, run.loss});
    } else {
      series.diverged.push_back(x);
    }
  }
  const auto values = distinct(sweep.runs, varied);
  if (fit != nullptr && like != nullptr) {
    series.line =
        law_curve(*fit, *like, varied, static_cast<double>(values.front()), static_cast<double>(values.back()));
  }
  return series;
}

bool has_curve(const Figure& figure, std::size_t style) {
  return std::any_of(figure.panels.begin(), figure.panels.end(),
                     [&](const Panel& panel) { return !panel.series[style].line.empty(); });
}

std::string loss_caption(const Figure& figure, const std::map<std::string, const FitRecord*>& fits) {
  std::vector<std::string> sources;
  for (std::size_t style = 0; style < figure.legend.size(); ++style) {
    if (!has_curve(figure, style)) continue;
    sources.push_back(fmt::format("{} by {}", figure.legend[style], fits.at(figure.legend[style])->name));
  }
  std::string caption = "Points: runs; a cross at the upper edge: diverged.";
  if (!sources.empty()) caption += fmt::format(" Curves: fitted laws ({}).", fmt::join(sources, ", "));
  return caption;
}

Figure loss_figure(const SweepFile& sweep, Count varied, Count panel_of, const char* letter) {
  Figure figure;
  figure.legend = precisions_of(sweep.runs);
  figure.x.scale = figure.y.scale = Axis::Scale::Log;
  figure.y.label = "held-out loss" + in_brackets(loss_unit(sweep.runs));
  const auto fits = curve_fits(sweep);
  for (const std::int64_t value : spread(distinct(sweep.runs, panel_of))) {
    Panel panel;
    panel.title = fmt::format("{} = {}", letter, format_count(static_cast<double>(value)));
    for (std::size_t style = 0; style < figure.legend.size(); ++style) {
      const std::string& precision = figure.legend[style];
      const auto fit = fits.find(precision);
      panel.series.push_back(
          loss_series(sweep, fit == fits.end() ? nullptr : fit->second, precision, style, varied, panel_of, value));
    }
    figure.panels.push_back(std::move(panel));
  }
  figure.caption = loss_caption(figure, fits);
  return figure;
}

Figure penalty_figure(const SweepFile& sweep, Count varied) {
  Figure figure;
  figure.caption =
      "Mean over the pairs of runs that differ in nothing but the precision; bars: standard error of the mean.";
  const std::string baseline = baseline_of(sweep.runs);
  figure.legend = precisions_of(sweep.runs);
  figure.x.scale = Axis::Scale::Log;
  figure.y.label = "penalty" + in_brackets(loss_unit(sweep.runs));
  figure.zero_line = true;
  if (baseline.empty() || figure.legend.size() < 2) return figure;
  Panel panel;
  panel.title = fmt::format("loss minus that of {}", baseline);
  for (std::size_t style = 1; style < figure.legend.size(); ++style) {
    Series series;
    series.style = style;
    for (const std::int64_t value : distinct(sweep.runs, varied)) {
      const Difference d = paired_difference(sweep.runs, figure.legend[style], baseline,
                                             [&](const RunRecord& run) { return run.*varied == value; });
      if (d.pairs == 0) continue;
      series.points.push_back({static_cast<double>(value), d.mean, d.pairs > 1 ? d.standard_error : 0});
    }
    series.line = series.points;
    for (Point& point : series.line) point.error = 0;
    panel.series.push_back(std::move(series));
  }
  figure.panels.push_back(std::move(panel));
  return figure;
}

/// One panel of residuals; `x_of` gives a run's place on the axis.
template <typename PlaceOf>
Panel residual_panel(const SweepFile& sweep, const FitRecord& fit, const std::vector<std::string>& legend,
                     PlaceOf x_of) {
  Panel panel;
  const auto runs = runs_by_id(sweep);
  for (std::size_t style = 0; style < legend.size(); ++style) {
    Series series;
    series.style = style;
    for (std::size_t i = 0; i < fit.run_ids.size(); ++i) {
      const auto run = runs.find(fit.run_ids[i]);
      if (run == runs.end() || run->second->precision != legend[style]) continue;
      series.points.push_back({x_of(*run->second, style), 100 * (fit.observed[i] / fit.predicted[i] - 1)});
    }
    panel.series.push_back(std::move(series));
  }
  return panel;
}

}  // namespace

Figure loss_against_params(const SweepFile& sweep) {
  Figure figure = loss_figure(sweep, &RunRecord::params, &RunRecord::tokens, "D");
  figure.title = "Loss against model size";
  figure.x.label = "N [parameters]";
  return figure;
}

Figure loss_against_tokens(const SweepFile& sweep) {
  Figure figure = loss_figure(sweep, &RunRecord::tokens, &RunRecord::params, "N");
  figure.title = "Loss against training tokens";
  figure.x.label = "D [tokens]";
  return figure;
}

Figure penalty_against_params(const SweepFile& sweep) {
  Figure figure = penalty_figure(sweep, &RunRecord::params);
  figure.title = "Penalty against model size";
  figure.x.label = "N [parameters]";
  return figure;
}

Figure penalty_against_tokens(const SweepFile& sweep) {
  Figure figure = penalty_figure(sweep, &RunRecord::tokens);
  figure.title = "Penalty against training tokens";
  figure.x.label = "D [tokens]";
  return figure;
}

std::vector<Figure> residual_figures(const SweepFile& sweep, const FitRecord& fit) {
  if (fit.run_ids.empty()) return {};
  Figure by_params;
  by_params.legend = precisions_of(sweep.runs);
  by_params.y.label = "residual [%]";
  by_params.zero_line = true;
  Figure by_tokens = by_params, by_precision = by_params;
  by_params.title = "Residuals against model size";
  by_tokens.title = "Residuals against training tokens";
  by_precision.title = "Residuals by precision";
  by_params.x = {"N [parameters]", Axis::Scale::Log, {}};
  by_tokens.x = {"D [tokens]", Axis::Scale::Log, {}};
  by_precision.x = {"", Axis::Scale::Category, by_params.legend};
  by_params.panels.push_back(residual_panel(
      sweep, fit, by_params.legend, [](const RunRecord& run, std::size_t) { return static_cast<double>(run.params); }));
  by_tokens.panels.push_back(residual_panel(
      sweep, fit, by_params.legend, [](const RunRecord& run, std::size_t) { return static_cast<double>(run.tokens); }));
  by_precision.panels.push_back(residual_panel(
      sweep, fit, by_params.legend, [](const RunRecord&, std::size_t style) { return static_cast<double>(style); }));
  return {by_params, by_tokens, by_precision};
}

}  // namespace bitlaw
