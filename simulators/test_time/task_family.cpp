#include "simulators/test_time/task_family.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>

#include "core/base/distributions.h"
#include "core/random/philox.h"
#include "simulators/task/normal.h"

namespace bitlaw {
namespace {

// Slots of the random streams: see "Random numbers" in simulators/README.md. Layer is the model, step the task.
constexpr std::uint16_t kRankSlot = 140, kSuccessSlot = 141, kLengthSlot = 142;

/// In (0, 1): the ends would be impossible and certain tasks.
double open_uniform(std::uint32_t bits) { return (static_cast<double>(bits) + 0.5) * 0x1p-32; }

double rank_of(std::uint64_t seed, std::uint32_t task) {
  return open_uniform(random_bits({.seed = seed, .step = 0, .layer = 0, .slot = kRankSlot}, task));
}

double success_chance(double mean, double spread, double rank) {
  return beta_quantile(mean * spread, (1 - mean) * spread, rank);
}

std::string json_text(const std::string& text) { return nlohmann::json(text).dump(); }

}  // namespace

double TaskFamily::mean_success(double params) const { return ceiling / (1 + std::pow(half_params / params, slope)); }

double TaskFamily::mean_coverage(double params, int k) const {
  const double beta = (1 - mean_success(params)) * spread;
  double none = 1;
  for (int j = 0; j < k; ++j) none *= (beta + j) / (spread + j);
  return 1 - none;
}

double TaskFamily::median_length(double params, double rank) const {
  return median_tokens * std::pow(params / half_params, -token_exponent) * std::exp(hard_tokens * (0.5 - rank));
}

double TaskFamily::mean_success_within(double params, double tokens) const {
  const double z = std::log(tokens / median_length(params, 0.5)) / sigma;
  return mean_success(params) * normal_cdf(z);
}

Traces simulate_traces(const TaskFamily& family, const std::vector<SimulatedModel>& models, int tasks, int answers,
                       std::uint64_t seed) {
  Traces traces;
  for (int i = 0; i < tasks; ++i) traces.tasks.push_back(fmt::format("task {}", i + 1));
  const auto count = static_cast<std::size_t>(answers);
  std::vector<std::uint32_t> bits(count);
  std::vector<float> normal(count);
  for (std::size_t m = 0; m < models.size(); ++m) {
    const SimulatedModel& model = models[m];
    Answerer& answerer = traces.answerers.emplace_back(Answerer{model.words, {}, "simulated"});
    const double mean = family.mean_success(model.params);
    for (std::uint32_t task = 0; task < static_cast<std::uint32_t>(tasks); ++task) {
      RandomStream stream{.seed = seed, .step = task, .layer = static_cast<std::uint16_t>(m), .slot = kSuccessSlot};
      random_bits(stream, 0, bits);
      stream.slot = kLengthSlot;
      fill_normal(stream, normal);
      const double rank = rank_of(seed, task), chance = success_chance(mean, family.spread, rank);
      const double median = family.median_length(model.params, rank);
      for (std::size_t j = 0; j < count; ++j) {
        const double tokens = std::round(median * std::exp(family.sigma * static_cast<double>(normal[j])));
        answerer.answers.push_back({.task = task,
                                    .score = open_uniform(bits[j]) < chance ? 1.0F : 0.0F,
                                    .tokens = static_cast<float>(std::clamp(tokens, 1.0, 1e9)),
                                    .prompt = static_cast<float>(family.prompt_tokens)});
      }
    }
  }
  return traces;
}

void write_traces(const Traces& traces, const std::function<void(const std::string& part)>& write) {
  constexpr std::size_t kPart = 1 << 20;
  std::string part;
  for (const Answerer& answerer : traces.answerers) {
    const AnswererWords& words = answerer.words;
    const std::string who =
        fmt::format(R"("model": {}, "attention": {}, "weights": {}, "kv": {})", json_text(words.model),
                    json_text(words.attention), json_text(words.weights), json_text(words.kv));
    for (const Answer& answer : answerer.answers) {
      fmt::format_to(std::back_inserter(part), R"({{"query": {}, "choice": "", "prediction": "", "score": {})",
                     json_text(traces.tasks[answer.task]), answer.score);
      if (!std::isnan(answer.tokens)) fmt::format_to(std::back_inserter(part), ", \"tokens\": {}", answer.tokens);
      if (!std::isnan(answer.prompt))
        fmt::format_to(std::back_inserter(part), ", \"prompt_tokens\": {}", answer.prompt);
      fmt::format_to(std::back_inserter(part), ", {}}}\n", who);
      if (part.size() < kPart) continue;
      write(part);
      part.clear();
    }
  }
  if (!part.empty()) write(part);
}

}  // namespace bitlaw
