// Published losses and their best known optima.
#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "core/record/table_rows.h"
#include "fitting/fit/fit.h"
#include "fitting/laws/multi_power.h"
#include "fitting/laws/schedule.h"
#include "fitting/laws/text_law.h"
#include "tests/fitting/relative.h"
#include "tests/support/reference_data.h"

using namespace bitlaw;

namespace {

/// Each row of a table a run of its own.
Observations observations_of(const std::filesystem::path& path, const char* params, const char* tokens,
                             const char* loss) {
  const auto columns = read_numbers(path, {params, tokens, loss});
  Observations observations;
  observations.loss = columns[2];
  for (std::size_t i = 0; i < observations.loss.size(); ++i) {
    observations.inputs.push_back({columns[0][i], columns[1][i]});
    observations.ids.push_back(std::to_string(i));
  }
  observations.cluster = observations.ids;
  return observations;
}

Observations chinchilla_points(const std::filesystem::path& path, bool subset) {
  const Observations all = observations_of(path, "N", "D", "loss");
  const auto chosen = read_numbers(path, {"fit_subset"})[0];
  Observations some;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    if (subset && chosen[i] != 1) continue;
    some.inputs.push_back(all.inputs[i]);
    some.loss.push_back(all.loss[i]);
    some.ids.push_back(all.ids[i]);
  }
  some.cluster = some.ids;
  return some;
}

FitRecord fit_chinchilla(const Observations& observations, double delta, int bootstrap = 0) {
  return fit_law(find_law("chinchilla"), observations,
                 {.objective = {.delta = delta}, .bootstrap = bootstrap, .threads = 2}, "published");
}

}  // namespace

TEST_CASE("published: the 240 Chinchilla points give an objective below the published one, at the known optimum") {
  const auto path = reference_data("chinchilla-epoch/chinchilla_ND_loss.csv");
  if (path.empty()) return;
  const Observations observations = chinchilla_points(path, true);
  REQUIRE(observations.loss.size() == 240);
  const FitRecord fit = fit_chinchilla(observations, 1e-3);
  CHECK(fit.converged);
  CHECK(fit.cost <= 0.0010182740346);                   // Besiroglu et al. 2024, their best
  CHECK(fit.cost == relative(0.0010182740178, 5e-11));  // best known, 11 digits
  const std::vector<double> expected{477.826, 0.347310, 2143.417, 0.367172, 1.817218};
  for (std::size_t j = 0; j < expected.size(); ++j) {
    CHECK(fit.parameters[j].estimate == relative(expected[j], 2e-6));  // six printed digits
  }
  CHECK(fit.starts_agreeing >= fit.starts / 2);
  CHECK(fit.gradient_norm < 1e-6);  // against 240 slopes of up to 1e-3 times logarithms of 20
}

TEST_CASE("published: all 245 Chinchilla points move beta to 0.453") {
  const auto path = reference_data("chinchilla-epoch/chinchilla_ND_loss.csv");
  if (path.empty()) return;
  const FitRecord fit = fit_chinchilla(chinchilla_points(path, false), 1e-3);
  CHECK(fit.cost == relative(0.00182601052307, 5e-11));
  CHECK(fit.parameters[3].estimate == relative(0.453049, 2e-6));
  CHECK(fit.parameters[2].estimate == relative(12845.6, 1e-5));
}

TEST_CASE("published: Gemstones, 199 points, both thresholds") {
  const auto path = reference_data("gemstones-cool_end/gemstones_cool_end.csv");
  if (path.empty()) return;
  const Observations observations = observations_of(path, "params_active_precise", "tokens", "final_loss");
  REQUIRE(observations.loss.size() == 199);
  CHECK(fit_chinchilla(observations, 1e-3).cost == relative(0.001964086431, 5e-10));
  CHECK(fit_chinchilla(observations, 1e-4).cost == relative(0.000204779068, 5e-9));
}

TEST_CASE("published: bootstrap intervals on the 240 points are those of 4000 published refits") {
  const auto path = reference_data("chinchilla-epoch/chinchilla_ND_loss.csv");
  if (path.empty()) return;
  const FitRecord fit = fit_chinchilla(chinchilla_points(path, true), 1e-3, 4000);
  // Besiroglu et al. 2024, 95 % percentile intervals; theirs is a Huber likelihood with free scale, so the ends agree
  // to a share of the interval's width, not more.
  struct Interval {
    double low, high;
  };
  const std::vector<Interval> expected{{285.2, 743.6}, {.317, .373}, {1042.4, 5810.3}, {.331, .415}, {1.769, 1.871}};
  for (std::size_t j = 0; j < expected.size(); ++j) {
    CAPTURE(fit.parameters[j].name);
    const LawParameter& parameter = find_law("chinchilla").parameters()[j];  // fitted coordinates: A and B are skewed
    const double low = to_fitted(parameter, expected[j].low), high = to_fitted(parameter, expected[j].high);
    CHECK(std::abs(to_fitted(parameter, fit.parameters[j].boot_low) - low) < 0.15 * (high - low));
    CHECK(std::abs(to_fitted(parameter, fit.parameters[j].boot_high) - high) < 0.15 * (high - low));
  }
}

namespace {

/// The curves of the multi-power law's 25M model, as its authors rebuild their schedules.
struct Curves {
  std::vector<Schedule> schedules;
  Observations observations;  ///< inputs: curve, step
};

struct CurveFile {
  const char* name;
  ScheduleShape shape;
  int steps, decay_from;
  double end;
};

Curves read_curves(const std::vector<CurveFile>& files) {
  Curves curves;
  for (const CurveFile& file : files) {
    curves.schedules.push_back(make_schedule({.shape = file.shape,
                                              .peak = 3e-4,
                                              .end = file.end,
                                              .warmup = 2160,
                                              .decay_from = file.decay_from,
                                              .steps = file.steps}));
    const auto columns =
        read_numbers(reference_data(std::string("multipowerlaw-25M/") + file.name + ".csv"), {"step", "loss"});
    const auto &steps = columns[0], &losses = columns[1];
    for (std::size_t i = 0; i < steps.size(); ++i) {
      if (steps[i] >= file.steps) continue;  // the authors drop the last row
      curves.observations.inputs.push_back({static_cast<double>(curves.schedules.size() - 1), steps[i]});
      curves.observations.loss.push_back(losses[i]);
      curves.observations.ids.push_back(file.name);
    }
  }
  curves.observations.cluster = curves.observations.ids;
  return curves;
}

Curves training_curves() {
  return read_curves({{"cosine_24000", ScheduleShape::Cosine, 24000, 0, 3e-5},
                      {"constant_24000", ScheduleShape::Constant, 24000, 0, 0},
                      {"wsdcon_9", ScheduleShape::TwoStage, 16000, 8000, 9e-5}});
}

}  // namespace

TEST_CASE("published: the multi-power law at its printed coefficients has the printed errors on six other curves") {
  if (reference_data("multipowerlaw-25M/cosine_24000.csv").empty()) return;
  const std::vector<CurveFile> files{{"constant_72000", ScheduleShape::Constant, 72000, 0, 0},
                                     {"cosine_72000", ScheduleShape::Cosine, 72000, 0, 3e-5},
                                     {"wsd_20000_24000", ScheduleShape::Exponential, 24000, 20000, 3e-5},
                                     {"wsdld_20000_24000", ScheduleShape::Linear, 24000, 20000, 3e-5},
                                     {"wsdcon_3", ScheduleShape::TwoStage, 16000, 8000, 3e-5},
                                     {"wsdcon_18", ScheduleShape::TwoStage, 16000, 8000, 18e-5}};
  double mean_absolute = 0, mean_root = 0;
  for (const CurveFile& file : files) {
    const Curves curve = read_curves({file});
    const auto law = multi_power_law(curve.schedules);
    double absolute = 0, squares = 0;
    const auto n = static_cast<double>(curve.observations.loss.size());
    for (std::size_t i = 0; i < curve.observations.loss.size(); ++i) {
      const double error =
          law->predict(law->published()[0].values, curve.observations.inputs[i]) - curve.observations.loss[i];
      absolute += std::abs(error) / n;
      squares += error * error / n;
    }
    mean_absolute += absolute / 6;
    mean_root += std::sqrt(squares) / 6;
  }
  CHECK(std::abs(mean_absolute - .00376) < 0.51e-5);
  CHECK(std::abs(mean_root - .00465) < 0.51e-5);
}

TEST_CASE("published: the multi-power law reaches the best known minimum on its training curves") {
  if (reference_data("multipowerlaw-25M/cosine_24000.csv").empty()) return;
  const Curves curves = training_curves();
  const auto law = multi_power_law(curves.schedules);
  const FitRecord fit = fit_law(*law, curves.observations, {.bootstrap = 0, .threads = 2, .starts = 2}, "multi_power");
  CHECK(fit.cost <= 1.3843201e-4 * (1 + 1e-6));
}

TEST_CASE("published: the law L0 + A S1^-a - B (peak - rate), written as a formula, on the same curves") {
  if (reference_data("multipowerlaw-25M/cosine_24000.csv").empty()) return;
  Curves curves = training_curves();
  std::vector<LearningRateSums> sums;
  for (const Schedule& schedule : curves.schedules) {
    sums.push_back(learning_rate_sums(schedule, 0.999, Warmup::RealRamp));
  }
  for (auto& inputs : curves.observations.inputs) {
    const auto curve = static_cast<std::size_t>(inputs[0]), step = static_cast<std::size_t>(inputs[1]);
    inputs = {sums[curve].s1[step], curves.schedules[curve][step]};
  }
  LawText text{.formula = "L0 + A/S1^a - B * (0.0003 - rate)", .inputs = {"S1", "rate"}};
  for (const char* name : {"L0", "A", "B"}) text.parameters[name].linear = true;
  const FitRecord fit = fit_law(*text_law(text), curves.observations, {.bootstrap = 0}, "simple");
  CHECK(fit.cost <= 2.481829637e-4 * (1 + 1e-6));  // in the authors' logs: 2.4818296386e-4
}

TEST_CASE("published: the annealing law with the real ramp, on the same curves") {
  if (reference_data("multipowerlaw-25M/cosine_24000.csv").empty()) return;
  Curves curves = training_curves();
  std::vector<LearningRateSums> sums;
  for (const Schedule& schedule : curves.schedules) {
    sums.push_back(learning_rate_sums(schedule, 0.995, Warmup::AreaOnly));
  }
  for (auto& inputs : curves.observations.inputs) {
    const LearningRateSums& of_curve = sums[static_cast<std::size_t>(inputs[0])];
    const auto step = static_cast<std::size_t>(inputs[1]);
    inputs = {of_curve.s1[step], of_curve.s2[step]};
  }
  const FitRecord fit = fit_law(find_law("annealing"), curves.observations, {.bootstrap = 0}, "annealing");
  CHECK(fit.cost <= 1.9530597e-4 * (1 + 1e-6));
  CHECK(fit.parameters[0].estimate == relative(3.14908, 1e-4));
  CHECK(fit.parameters[2].estimate == relative(.50054, 1e-3));
}

TEST_CASE("published: the Huber likelihood with a free scale on the 240 Chinchilla points") {
  const auto path = reference_data("chinchilla-epoch/chinchilla_ND_loss.csv");
  if (path.empty()) return;
  const FitRecord fit =
      fit_law(find_law("chinchilla"), chinchilla_points(path, true),
              {.objective = {.loss = Loss::HuberLikelihood, .delta = 1e-3}, .bootstrap = 0, .starts = 4}, "likelihood");
  CHECK(fit.cost <= -879.773139);  // the authors' -879.773139
  CHECK(fit.parameters[0].estimate == relative(482.006, 1e-3));
}
