// Seconds of one thread for a million answers of 30 settings, the six built-in models with five kinds of attention: to
// read them from JSON lines, and to find the best of 3060 strategies for each of 1042 tasks and 100 budgets.

#include <benchmark/benchmark.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "simulators/test_time/frontier.h"
#include "simulators/test_time/task_family.h"

namespace {

using namespace bitlaw;

constexpr int kTasks = 1042, kAnswers = 32, kBudgets = 100;

const Traces& traces() {
  static const Traces kTraces = [] {
    std::vector<SimulatedModel> models;
    for (const ModelShape& shape : model_shapes()) {
      for (const char* attention :
           {"dense", "top_k:1024", "block_top_k:16x64", "block_top_k:32x16", "block_top_k:64x4"}) {
        models.push_back({{.model = shape.name, .attention = attention}, shape.params});
      }
    }
    return simulate_traces({}, models, kTasks, kAnswers, 1);
  }();
  return kTraces;
}

void read(benchmark::State& state) {
  const std::filesystem::path file = std::filesystem::temp_directory_path() / "bitlaw_kinetics_benchmark.jsonl";
  {
    std::ofstream out(file, std::ios::binary);
    write_traces(traces(), [&](const std::string& part) { out << part; });
  }
  for (auto _ : state) {
    TraceReader reader;
    reader.read(file);
    if (reader.traces().answer_count() != traces().answer_count()) state.SkipWithError("answers are missing");
  }
  std::filesystem::remove(file);
  state.counters["answers/s"] =
      benchmark::Counter(static_cast<double>(traces().answer_count()), benchmark::Counter::kIsIterationInvariantRate);
}

void allocate_and_frontier(benchmark::State& state) {
  std::vector<InferenceSetting> settings;
  for (const Answerer& answerer : traces().answerers) {
    settings.push_back(
        {.model = find_model_shape(answerer.words.model), .attention = parse_attention(answerer.words.attention)});
  }
  AllocationGrid grid{.token_limits = {}, .trials = {1, 2, 4, 8, 16, 32}, .hardware = find_hardware("b200")};
  for (int limit = 2048; limit <= 32768; limit += 2048) grid.token_limits.push_back(limit);
  grid.token_limits.push_back(kInfinity);
  for (auto _ : state) {
    const Allocation allocation = allocate(traces(), settings, grid, log_spaced(4.5e13, 1e17, kBudgets), 1);
    const auto points = frontier(allocation);
    if (points.back().per_task < points.front().per_task) state.SkipWithError("a larger budget buys less");
    benchmark::DoNotOptimize(compare_with_flops(allocation.strategies));
  }
  state.counters["allocations/s"] =
      benchmark::Counter(kTasks * kBudgets, benchmark::Counter::kIsIterationInvariantRate);
}

BENCHMARK(read)->Unit(benchmark::kMillisecond);
BENCHMARK(allocate_and_frontier)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
