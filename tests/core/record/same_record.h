#pragma once

#include <doctest/doctest.h>

#include <algorithm>

#include "core/record/sweep_file.h"
#include "tests/support/bits.h"

namespace bitlaw {

inline bool same_config(const std::map<std::string, ConfigValue>& x, const std::map<std::string, ConfigValue>& y) {
  return std::equal(x.begin(), x.end(), y.begin(), y.end(), [](const auto& a, const auto& b) {
    if (a.first != b.first || a.second.index() != b.second.index()) return false;
    const auto* number = std::get_if<double>(&a.second);
    return number != nullptr ? same_bits(*number, std::get<double>(b.second)) : a.second == b.second;
  });
}

/// Written member by member, apart from the list of fields that the files use, which may have forgotten one.
inline void check_same_run(const RunRecord& x, const RunRecord& y) {
  CHECK(x.run_id == y.run_id);
  CHECK(x.precision == y.precision);
  CHECK(x.params == y.params);
  CHECK(x.params_total == y.params_total);
  CHECK(x.tokens == y.tokens);
  CHECK(same_bits(x.flops, y.flops));
  CHECK(x.exponent_bits == y.exponent_bits);
  CHECK(x.mantissa_bits == y.mantissa_bits);
  CHECK(x.block_size == y.block_size);
  CHECK(x.seed == y.seed);
  CHECK(same_bits(x.loss, y.loss));
  CHECK(same_bits(x.train_loss, y.train_loss));
  CHECK(same_bits(x.error, y.error));
  CHECK(x.diverged == y.diverged);
  CHECK(x.stopped == y.stopped);
  CHECK(same_bits(x.entropy_rate, y.entropy_rate));
  CHECK(x.corpus_fingerprint == y.corpus_fingerprint);
  CHECK(x.state_hash == y.state_hash);
  CHECK(same_bits(x.wall_seconds, y.wall_seconds));
  CHECK(same_config(x.config, y.config));
  CHECK(x.statistics == y.statistics);  // the planted ones hold no NaN
  REQUIRE(x.curve.size() == y.curve.size());
  for (std::size_t i = 0; i < x.curve.size(); ++i) {
    CHECK(x.curve[i].step == y.curve[i].step);
    CHECK(x.curve[i].tokens == y.curve[i].tokens);
    CHECK(same_bits(x.curve[i].train_loss, y.curve[i].train_loss));
    CHECK(same_bits(x.curve[i].learning_rate, y.curve[i].learning_rate));
    CHECK(same_bits(x.curve[i].gradient_norm, y.curve[i].gradient_norm));
    CHECK(same_bits(x.curve[i].s1, y.curve[i].s1));
    CHECK(same_bits(x.curve[i].s2, y.curve[i].s2));
    CHECK(same_bits(x.curve[i].validation_loss, y.curve[i].validation_loss));
    CHECK(same_bits(x.curve[i].validation_error, y.curve[i].validation_error));
  }
}

inline void check_same_fit(const FitRecord& x, const FitRecord& y) {
  CHECK(x.name == y.name);
  CHECK(x.law == y.law);
  CHECK(x.equation == y.equation);
  CHECK(x.source == y.source);
  CHECK(x.objective == y.objective);
  CHECK(same_bits(x.level, y.level));
  REQUIRE(x.parameters.size() == y.parameters.size());
  for (std::size_t i = 0; i < x.parameters.size(); ++i) {
    const FittedParameter &p = x.parameters[i], &q = y.parameters[i];
    CHECK(p.name == q.name);
    CHECK(p.units == q.units);
    CHECK(same_bits({p.estimate, p.standard_error, p.ci_low, p.ci_high, p.boot_low, p.boot_high},
                    {q.estimate, q.standard_error, q.ci_low, q.ci_high, q.boot_low, q.boot_high}));
    CHECK(p.at_bound == q.at_bound);
    CHECK(p.fixed == q.fixed);
    CHECK(p.intervals_disagree == q.intervals_disagree);
    CHECK(same_bits({p.profile_low, p.profile_high, p.jackknife_error},
                    {q.profile_low, q.profile_high, q.jackknife_error}));
  }
  REQUIRE(x.derived.size() == y.derived.size());
  for (std::size_t i = 0; i < x.derived.size(); ++i) {
    const DerivedQuantity &p = x.derived[i], &q = y.derived[i];
    CHECK(p.name == q.name);
    CHECK(p.units == q.units);
    CHECK(same_bits({p.estimate, p.standard_error, p.ci_low, p.ci_high, p.boot_low, p.boot_high},
                    {q.estimate, q.standard_error, q.ci_low, q.ci_high, q.boot_low, q.boot_high}));
  }
  CHECK(same_bits(x.scale, y.scale));
  CHECK(same_bits(x.covariance, y.covariance));
  CHECK(same_bits(x.variance_form.axes, y.variance_form.axes));
  CHECK(same_bits(x.variance_form.mean, y.variance_form.mean));
  CHECK(same_bits(x.variance_form.spread, y.variance_form.spread));
  CHECK(same_bits(x.draws, y.draws));
  CHECK(x.run_ids == y.run_ids);
  CHECK(same_bits(x.observed, y.observed));
  CHECK(same_bits(x.predicted, y.predicted));
  CHECK(x.converged == y.converged);
  CHECK(x.status == y.status);
  CHECK(same_bits({x.cost, x.gradient_norm, x.condition_number}, {y.cost, y.gradient_norm, y.condition_number}));
  CHECK(x.starts == y.starts);
  CHECK(x.starts_agreeing == y.starts_agreeing);
  CHECK(x.warnings == y.warnings);
  const FitDiagnosis &d = x.diagnosis, &e = y.diagnosis;
  CHECK(same_bits(d.singular_values, e.singular_values));
  CHECK(same_bits(d.directions, e.directions));
  CHECK(same_bits(d.leverage, e.leverage));
  CHECK(same_bits(d.cook, e.cook));
  CHECK(d.left_out == e.left_out);
  CHECK(same_bits(d.shifts, e.shifts));
  REQUIRE(d.residual_tests.size() == e.residual_tests.size());
  for (std::size_t i = 0; i < d.residual_tests.size(); ++i) {
    const ResidualTest &p = d.residual_tests[i], &q = e.residual_tests[i];
    CHECK(p.against == q.against);
    CHECK(p.pattern == q.pattern);
    CHECK(same_bits(p.statistic, q.statistic));
    CHECK(same_bits(p.probability, q.probability));
  }
}

inline void check_same_sweep(const SweepFile& x, const SweepFile& y) {
  CHECK(x.experiment == y.experiment);
  CHECK(x.title == y.title);
  CHECK(x.command == y.command);
  CHECK(x.config_yaml == y.config_yaml);
  CHECK(x.failed_runs == y.failed_runs);
  REQUIRE(x.runs.size() == y.runs.size());
  for (std::size_t i = 0; i < x.runs.size(); ++i) check_same_run(x.runs[i], y.runs[i]);
  REQUIRE(x.fits.size() == y.fits.size());
  for (std::size_t i = 0; i < x.fits.size(); ++i) check_same_fit(x.fits[i], y.fits[i]);
}

}  // namespace bitlaw
