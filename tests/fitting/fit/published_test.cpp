// Published losses and their best known optima.
#include <doctest/doctest.h>

#include <string>

#include "core/record/csv.h"
#include "fitting/fit/fit.h"
#include "tests/fitting/relative.h"
#include "tests/support/reference_data.h"

using namespace bitlaw;

namespace {

/// Each row of a table a run of its own.
Observations observations_of(const CsvTable& table, const char* params, const char* tokens, const char* loss) {
  Observations observations;
  observations.loss = table.numbers(loss);
  const auto n = table.numbers(params), d = table.numbers(tokens);
  for (std::size_t i = 0; i < n.size(); ++i) {
    observations.inputs.push_back({n[i], d[i]});
    observations.ids.push_back(std::to_string(i));
  }
  observations.cluster = observations.ids;
  return observations;
}

Observations chinchilla_points(const std::filesystem::path& path, bool subset) {
  const CsvTable table = read_csv(path);
  const Observations all = observations_of(table, "N", "D", "loss");
  const auto chosen = table.numbers("fit_subset");
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
  const Observations observations = observations_of(read_csv(path), "params_active_precise", "tokens", "final_loss");
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
