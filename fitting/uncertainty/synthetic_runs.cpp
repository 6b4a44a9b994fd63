#include "fitting/uncertainty/synthetic_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "core/base/check.h"
#include "core/base/closest.h"
#include "core/base/error.h"
#include "core/random/philox.h"
#include "fitting/laws/fp_quantization.h"
#include "fitting/laws/schedule.h"
#include "fitting/uncertainty/normal_number.h"

namespace bitlaw {
namespace {

using Inputs = std::vector<std::vector<double>>;

/// Every N with every D.
Inputs crossed(const std::vector<double>& params, const std::vector<double>& tokens) {
  Inputs rows;
  for (const double n : params) {
    for (const double d : tokens) rows.push_back({n, d});
  }
  return rows;
}

/// Every row followed by every ending.
Inputs extended(const Inputs& rows, const Inputs& endings) {
  Inputs longer;
  for (const auto& row : rows) {
    for (const auto& ending : endings) {
      longer.push_back(row);
      longer.back().insert(longer.back().end(), ending.begin(), ending.end());
    }
  }
  return longer;
}

/// A run for each row.
SyntheticDesign single_runs(std::string_view name, std::string_view published, Inputs rows, double noise,
                            std::string description) {
  SyntheticDesign design{.law = &find_law(name), .description = std::move(description), .inputs = std::move(rows)};
  for (const PublishedFit& fit : design.law->published()) {
    if (fit.name == published) design.truth = fit.values;
  }
  for (std::size_t i = 0; i < design.inputs.size(); ++i) design.runs.push_back(fmt::format("run{}", i));
  design.row_noise = noise;
  return design;
}

SyntheticDesign chinchilla_runs() {
  return single_runs("chinchilla", "besiroglu",
                     crossed({5e7, 1.5e8, 5e8, 1.5e9, 5e9, 1.5e10}, {3e8, 1e9, 4e9, 1.5e10, 6e10, 3e11}), 0.005,
                     "36 runs: 6 sizes by 6 token counts");
}

SyntheticDesign qat_runs() {
  const Inputs sizes = crossed({7.4e7, 1.45e8, 2.97e8, 5.95e8}, {1e10, 2e10, 5e10, 1e11});
  return single_runs("qat", "W4A4", extended(sizes, {{1}, {32}, {64}, {128}, {256}}), 0.002,
                     "80 runs: 4 sizes by 4 token counts, in full precision and with 4 block sizes");
}

SyntheticDesign fp_quantization_runs() {
  const double channel = std::exp2(FpQuantizationLaw::kChannelLog2B);
  Inputs formats{{8, 7, 1}};
  for (const auto& [e, m] :
       std::array<std::pair<double, double>, 8>{{{1, 1}, {1, 3}, {1, 6}, {2, 1}, {2, 3}, {3, 2}, {4, 3}, {6, 1}}}) {
    formats.push_back({e, m, channel});
  }
  for (const double block : {32.0, 64.0, 128.0, 256.0}) formats.push_back({1, 1, block});
  const Inputs sizes = crossed({40'894'464, 84'934'656, 154'140'672, 679'477'248},
                               {10'485'760'000, 20'971'520'000, 52'428'800'000, 104'857'600'000});
  return single_runs("fp_quantization", "sun", extended(sizes, formats), 0.002,
                     "208 runs: 4 sizes by 4 token counts in 13 formats");
}

SyntheticDesign annealing_runs() {
  constexpr double kLambda = 0.999;
  constexpr int kWarmup = 500, kRows = 10;
  SyntheticDesign design{.law = &find_law("annealing"),
                         .description = "24 curves of 10 losses: 3 schedules, 2 peaks, 4 lengths",
                         .run_noise = 0.002,
                         .row_noise = 0.002};
  design.truth = design.law->published().front().values;
  for (const ScheduleShape shape : {ScheduleShape::Constant, ScheduleShape::Cosine, ScheduleShape::Linear}) {
    for (const double peak : {2e-4, 6e-4}) {
      for (const int steps : {6000, 12000, 20000, 30000}) {
        const LearningRateSums sums = learning_rate_sums(make_schedule({.shape = shape,
                                                                        .peak = peak,
                                                                        .end = peak / 10,
                                                                        .warmup = kWarmup,
                                                                        .decay_from = steps * 4 / 5,
                                                                        .steps = steps}),
                                                         kLambda, Warmup::AsPeak);
        const std::string run = fmt::format("curve{}", design.runs.size() / kRows);
        for (int k = 1; k <= kRows; ++k) {
          const auto step = static_cast<std::size_t>(steps * k / kRows);
          design.inputs.push_back({sums.s1[step], sums.s2[step]});
          design.runs.push_back(run);
        }
      }
    }
  }
  return design;
}

/// The number of each row's run, in order of appearance.
std::vector<std::size_t> run_numbers(const SyntheticDesign& design) {
  std::map<std::string_view, std::size_t> numbers;
  std::vector<std::size_t> result;
  for (const std::string& run : design.runs) result.push_back(numbers.try_emplace(run, numbers.size()).first->second);
  return result;
}

/// Which `count` of so many: steps of about the golden ratio, which come to all before one twice.
std::vector<bool> spread_evenly(std::size_t count, std::size_t of) {
  auto step = static_cast<std::size_t>(0.618 * static_cast<double>(of)) + 1;
  while (std::gcd(step, of) != 1) ++step;
  std::vector<bool> chosen(of);
  for (std::size_t k = 0; k < count; ++k) chosen[k * step % of] = true;
  return chosen;
}

constexpr std::array<std::pair<std::string_view, SyntheticDesign (*)()>, 4> kDesigns{
    {{"chinchilla", chinchilla_runs},
     {"qat", qat_runs},
     {"fp_quantization", fp_quantization_runs},
     {"annealing", annealing_runs}}};

}  // namespace

std::vector<std::string_view> synthetic_designs() {
  std::vector<std::string_view> names;
  for (const auto& [name, make] : kDesigns) names.push_back(name);
  return names;
}

SyntheticDesign synthetic_design(std::string_view law) {
  for (const auto& [name, make] : kDesigns) {
    if (name == law) return make();
  }
  throw InputError(fmt::format("law '{}' has no synthetic runs, so there is nothing to measure; {}", law,
                               remedy(law, synthetic_designs())));
}

std::size_t run_count(const SyntheticDesign& design) {
  return std::set<std::string_view>(design.runs.begin(), design.runs.end()).size();
}

SyntheticDesign with_runs(SyntheticDesign design, std::size_t count) {
  const std::size_t all = run_count(design);
  BITLAW_CHECK(!design.draw && count <= all, "{} of {} runs", count, all);
  const std::vector<bool> chosen = spread_evenly(count, all);
  const std::vector<std::size_t> numbers = run_numbers(design);
  const Inputs inputs = std::move(design.inputs);
  const std::vector<std::string> runs = std::move(design.runs);
  design.inputs = {};
  design.runs = {};
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!chosen[numbers[i]]) continue;
    design.inputs.push_back(inputs[i]);
    design.runs.push_back(runs[i]);
  }
  if (count < all) design.description = fmt::format("{} of {}", count, design.description);
  return design;
}

SyntheticDesign with_unequal_noise(SyntheticDesign design) {
  BITLAW_CHECK(!design.draw, "law {}: draws its own noise", design.law->name());
  design.weights = {};
  for (const std::size_t run : run_numbers(design)) {
    design.weights.push_back(std::array{4.0, 1.0, 0.25}[random_bits({.slot = 13}, run) % 3]);
  }
  design.description += "; noise of three sizes, 1 : 2 : 4, with weights 1/variance";
  return design;
}

Observations synthetic_losses(const SyntheticDesign& design, std::uint64_t seed, std::uint32_t set) {
  if (design.draw) return design.draw(seed, set);
  const RandomStream rows{.seed = seed, .step = set, .slot = 11}, runs{.seed = seed, .step = set, .slot = 12};
  Observations observations{.inputs = design.inputs, .cluster = design.runs, .weights = design.weights};
  const std::vector<std::size_t> numbers = run_numbers(design);
  for (std::size_t i = 0; i < design.inputs.size(); ++i) {
    double noise = design.row_noise * normal_number(rows, i) + design.run_noise * normal_number(runs, numbers[i]);
    if (!design.weights.empty()) noise /= std::sqrt(design.weights[i]);
    observations.ids.push_back(fmt::format("row{}", i));
    observations.loss.push_back(design.law->predict(design.truth, design.inputs[i]) * std::exp(noise));
  }
  return observations;
}

}  // namespace bitlaw
