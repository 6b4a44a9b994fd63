// Seconds of one thread for whole fits. Data are made from published coefficients with noise of a fixed seed, sized as
// the published sets; each result is compared with the coefficients it was made from.

#include <benchmark/benchmark.h>

#include <cmath>
#include <string>

#include "core/random/philox.h"
#include "fitting/fit/fit.h"
#include "fitting/laws/multi_power.h"

namespace {

using namespace bitlaw;

/// Sum of twelve uniform numbers: nearly normal, standard deviation 1.
double noise(std::uint64_t i) {
  double sum = -6;
  for (std::uint64_t k = 0; k < 12; ++k) sum += static_cast<double>(random_uniform({.seed = 1}, 12 * i + k));
  return sum;
}

void add(Observations& observations, const Law& law, const std::vector<double>& natural, std::vector<double> inputs,
         const std::string& cluster, double deviation) {
  const double loss = law.predict(natural, inputs);
  observations.loss.push_back(loss * std::exp(deviation * noise(observations.loss.size())));
  observations.inputs.push_back(std::move(inputs));
  observations.ids.push_back(cluster);
  observations.cluster.push_back(cluster);
}

/// 240 runs as Hoffmann's: 15 sizes, 16 lengths.
Observations chinchilla_runs(const Law& law) {
  Observations observations;
  for (int i = 0; i < 15; ++i) {
    for (int j = 0; j < 16; ++j) {
      add(observations, law, law.published()[0].values, {4e7 * std::pow(1.5, i), 1e9 * std::pow(1.4, j)},
          std::to_string(16 * i + j), 5e-3);
    }
  }
  return observations;
}

void check(benchmark::State& state, const Law& law, const FitRecord& fit, std::size_t parameter, double tolerance) {
  const double found = fit.parameters[parameter].estimate, true_value = law.published()[0].values[parameter];
  if (!fit.converged || std::abs(found / true_value - 1) > tolerance) state.SkipWithError("the fit is wrong");
}

void chinchilla(benchmark::State& state, FitOptions options) {
  const Law& law = find_law("chinchilla");
  const Observations observations = chinchilla_runs(law);
  FitRecord fit;
  for (auto _ : state) fit = fit_law(law, observations, options, "chinchilla");
  check(state, law, fit, 1, 0.2);
  state.counters["starts"] = fit.starts;
}

/// The three training curves of Luo et al.'s 25M model: 24,000, 24,000 and 16,000 steps, a loss every 128.
std::vector<Schedule> curves() {
  const ScheduleSpec cosine{.shape = ScheduleShape::Cosine, .peak = 3e-4, .end = 3e-5, .warmup = 2160, .steps = 24000};
  ScheduleSpec constant = cosine, two = cosine;
  constant.shape = ScheduleShape::Constant;
  two.shape = ScheduleShape::TwoStage;
  two.end = 9e-5;
  two.decay_from = 8000;
  two.steps = 16000;
  return {make_schedule(cosine), make_schedule(constant), make_schedule(two)};
}

void multi_power(benchmark::State& state) {
  const auto schedules = curves();
  const auto truth = multi_power_law(schedules);
  Observations observations;
  for (std::size_t c = 0; c < schedules.size(); ++c) {
    for (std::size_t step = 2160; step < schedules[c].size() - 1; step += 128) {
      add(observations, *truth, truth->published()[0].values, {static_cast<double>(c), static_cast<double>(step)},
          std::to_string(c), 1e-3);
    }
  }
  FitRecord fit;
  for (auto _ : state) {
    const auto law = multi_power_law(schedules);  // what it is made ready with counts, too
    fit = fit_law(*law, observations, {.bootstrap = 0}, "multi_power");
  }
  check(state, *truth, fit, 0, 0.1);
}

/// A cosine and a constant schedule of 70,000 steps, a loss every 500: the sums and the fit.
void annealing(benchmark::State& state) {
  const Law& law = find_law("annealing");
  FitRecord fit;
  for (auto _ : state) {
    Observations observations;
    for (const ScheduleShape shape : {ScheduleShape::Cosine, ScheduleShape::Constant}) {
      const auto sums =
          learning_rate_sums(make_schedule({.shape = shape, .peak = 2e-4, .end = 0, .warmup = 500, .steps = 70000}),
                             0.999, Warmup::AsPeak);
      for (std::size_t step = 1000; step <= 70000; step += 500) {
        add(observations, law, law.published()[0].values, {sums.s1[step], sums.s2[step]},
            std::to_string(static_cast<int>(shape)), 1e-3);
      }
    }
    fit = fit_law(law, observations, {.bootstrap = 0}, "annealing");
  }
  check(state, law, fit, 0, 0.05);
}

BENCHMARK_CAPTURE(chinchilla, from_its_whole_search, FitOptions{.bootstrap = 0})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(chinchilla, from_one_start, FitOptions{.bootstrap = 0, .starts = 1})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(chinchilla, with_4000_refits_on_2_threads, FitOptions{.bootstrap = 4000, .threads = 2})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK(multi_power)->Unit(benchmark::kMillisecond);
BENCHMARK(annealing)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
