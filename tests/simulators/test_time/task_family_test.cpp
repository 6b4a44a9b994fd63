#include "simulators/test_time/task_family.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "simulators/test_time/coverage.h"
#include "tests/support/temporary_folder.h"

namespace bitlaw {
namespace {

std::vector<SimulatedModel> models_of(const std::vector<double>& sizes) {
  std::vector<SimulatedModel> models;
  for (const double size : sizes) models.push_back({{.model = std::to_string(size)}, size});
  return models;
}

struct Mean {
  double value = 0, error = 0;
};

Mean mean_of(const std::vector<double>& values) {
  Mean mean;
  for (const double v : values) mean.value += v / static_cast<double>(values.size());
  for (const double v : values) mean.error += (v - mean.value) * (v - mean.value);
  mean.error = std::sqrt(mean.error) / static_cast<double>(values.size());
  return mean;
}

/// Of one answerer: for each task its answers' scores, those above `limit` tokens 0, highest first.
std::vector<std::vector<float>> scores_of(const Traces& traces, std::size_t answerer, double limit) {
  std::vector<std::vector<float>> scores(traces.tasks.size());
  for (const Answer& answer : traces.answerers[answerer].answers) {
    scores[answer.task].push_back(static_cast<double>(answer.tokens) <= limit ? answer.score : 0);
  }
  for (auto& task : scores) std::sort(task.rbegin(), task.rend());
  return scores;
}

// Each check below errs by chance with probability 6e-5 (four standard errors), all 24 with 0.0015; the seed is fixed.
TEST_CASE("task family: coverage of simulated answers is the beta-binomial's, for every size and k") {
  const TaskFamily family{.spread = 0.8};
  const std::vector<double> sizes{6e8, 4e9, 3.2e10};
  const Traces traces = simulate_traces(family, models_of(sizes), 5000, 16, 1);
  for (std::size_t m = 0; m < sizes.size(); ++m) {
    const auto scores = scores_of(traces, m, 1e18);
    for (const int k : {1, 2, 4, 16}) {
      std::vector<double> coverage;
      for (const auto& task : scores) coverage.push_back(best_of_k(task, k));
      const Mean mean = mean_of(coverage);
      CAPTURE(sizes[m]);
      CAPTURE(k);
      CHECK(std::abs(mean.value - family.mean_coverage(sizes[m], k)) < 4 * mean.error);
    }
  }
  CHECK(family.mean_coverage(4e9, 1) == doctest::Approx(0.95 / 2).epsilon(1e-14));  // half the ceiling
}

TEST_CASE("task family: success within a number of tokens follows the lognormal lengths, whatever the size") {
  const TaskFamily family{.token_exponent = 0.2, .hard_tokens = 0};
  const std::vector<double> sizes{6e8, 4e9, 3.2e10};
  const Traces traces = simulate_traces(family, models_of(sizes), 5000, 4, 2);
  for (std::size_t m = 0; m < sizes.size(); ++m) {
    for (const double limit : {4096.5, 8192.5, 16384.5, 1e9}) {
      std::vector<double> accuracy;
      for (const auto& task : scores_of(traces, m, limit)) accuracy.push_back(best_of_k(task, 1));
      const Mean mean = mean_of(accuracy);
      CAPTURE(sizes[m]);
      CAPTURE(limit);
      CHECK(std::abs(mean.value - family.mean_success_within(sizes[m], limit)) < 4 * mean.error);
    }
  }
}

TEST_CASE("task family: harder tasks take longer answers and are solved less often, by all models") {
  constexpr std::size_t kTasks = 400, kQuarter = kTasks / 4;
  const Traces traces = simulate_traces(TaskFamily{.spread = 2}, models_of({1e9, 3e10}), kTasks, 64, 3);
  // Lengths of 64 answers tell ranks to 0.06, a quarter of the tasks spans 0.25.
  std::vector<std::pair<double, std::size_t>> by_length(kTasks);
  for (std::size_t t = 0; t < kTasks; ++t) by_length[t] = {0, t};
  for (const Answer& answer : traces.answerers[0].answers) {
    by_length[answer.task].first += std::log(static_cast<double>(answer.tokens)) / 64;
  }
  std::sort(by_length.begin(), by_length.end());
  // Ranks of the longest and the shortest quarter are 3/4 apart on average.
  double shortest = 0, longest = 0;
  for (std::size_t i = 0; i < kQuarter; ++i) {
    shortest += by_length[i].first / kQuarter;
    longest += by_length[kTasks - 1 - i].first / kQuarter;
  }
  CHECK(longest - shortest == doctest::Approx(0.75).epsilon(0.1));
  for (std::size_t m = 0; m < 2; ++m) {
    const auto scores = scores_of(traces, m, 1e18);
    double last = 2;
    for (std::size_t quarter = 0; quarter < 4; ++quarter) {
      double success = 0;
      for (std::size_t i = 0; i < kQuarter; ++i) {
        success += best_of_k(scores[by_length[quarter * kQuarter + i].second], 1) / kQuarter;
      }
      CHECK(success < last - 0.01);
      last = success;
    }
  }
}

TEST_CASE("task family: more tasks, answers or models change none of the others") {
  const Traces few = simulate_traces({}, models_of({1e9}), 3, 4, 5);
  const Traces many = simulate_traces({}, models_of({1e9, 2e9}), 7, 6, 5);
  for (std::size_t task = 0; task < 3; ++task) {
    for (std::size_t j = 0; j < 4; ++j) {
      const Answer &a = few.answerers[0].answers[4 * task + j], &b = many.answerers[0].answers[6 * task + j];
      CHECK(a.score == b.score);
      CHECK(a.tokens == b.tokens);
    }
  }
  const Traces other = simulate_traces({}, models_of({1e9}), 3, 4, 6);
  CHECK(other.answerers[0].answers[0].tokens != few.answerers[0].answers[0].tokens);
}

TEST_CASE("task family: what is written is what is read") {
  Traces traces = simulate_traces({}, {{{.model = "m \"1\"", .kv = "mxfp8"}, 1e9}, {{.model = "m2"}, 2e9}}, 5, 3, 1);
  traces.tasks[0] = "quotes \" and\nlines";
  std::string text;
  write_traces(traces, [&](const std::string& part) { text += part; });
  TemporaryFolder folder;
  TraceReader reader;
  reader.read(folder.write("runs.jsonl", text));
  const Traces& read = reader.traces();
  CHECK(read.tasks == traces.tasks);
  REQUIRE(read.answerers.size() == 2);
  for (std::size_t a = 0; a < 2; ++a) {
    CHECK(read.answerers[a].words == traces.answerers[a].words);
    for (std::size_t i = 0; i < 15; ++i) {
      CHECK(read.answerers[a].answers[i].score == traces.answerers[a].answers[i].score);
      CHECK(read.answerers[a].answers[i].tokens == traces.answerers[a].answers[i].tokens);
      CHECK(read.answerers[a].answers[i].prompt == 256);
    }
  }
}

}  // namespace
}  // namespace bitlaw
