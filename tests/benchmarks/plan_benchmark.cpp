// A sweep of 10^3, 10^4 and 10^5 language models over precision, width, layers, learning rate, tokens and seed, of
// which none has run: seconds to expand and check it, and to make the tables of `sweep plan` and `sweep status` from
// that.

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "experiments/launch/plan_table.h"
#include "experiments/launch/run_store.h"
#include "experiments/sweep/experiment.h"

namespace {

using namespace bitlaw;
namespace fs = std::filesystem;

fs::path folder() { return fs::temp_directory_path() / fmt::format("bitlaw_plan_benchmark_{}", ::getpid()); }

/// The file of an experiment of `runs` runs, a multiple of 1000.
fs::path experiment_of(std::int64_t runs) {
  fs::create_directories(folder());
  const fs::path file = folder() / fmt::format("plan_{}.yaml", runs);
  std::ofstream(file) << fmt::format(
      "experiment: big\n"
      "corpus: {{kind: synthetic, length: 100000, vocabulary: 256}}\n"
      "model: {{width: 64, layers: 2, heads: 2, context: 64}}\n"
      "sweep:\n"
      "  grid:\n"
      "    precision: [float32, mxfp4, nvfp4, mxfp8, ue5m3]\n"
      "    model.width: [32, 64, 96, 128, 160]\n"
      "    model.layers: [1, 2, 3, 4]\n"
      "    training.optimizer.learning_rate: [1e-4, 1e-3]\n"
      "    training.tokens: [100000, 200000, 300000, 400000, 500000]\n"
      "  seeds: {}\n",
      runs / 1000);
  return file;
}

void expand(benchmark::State& state) {
  const fs::path file = experiment_of(state.range(0));
  for (auto _ : state) {
    if (std::ssize(plan_experiment(file).runs) != state.range(0)) state.SkipWithError("runs are missing");
  }
  state.SetComplexityN(state.range(0));
}

void with_table(benchmark::State& state, std::string (*table)(const Experiment&, const RunStore&)) {
  const fs::path file = experiment_of(state.range(0));
  const RunStore store(folder() / "results");
  for (auto _ : state) benchmark::DoNotOptimize(table(plan_experiment(file), store));
  state.SetComplexityN(state.range(0));
}
void plan(benchmark::State& state) { with_table(state, plan_table); }
void status(benchmark::State& state) { with_table(state, status_text); }

#define BITLAW_SIZES \
  ->RangeMultiplier(10)->Range(1000, 100'000)->UseRealTime()->Unit(benchmark::kMillisecond)->Complexity(benchmark::oN)
BENCHMARK(expand) BITLAW_SIZES;
BENCHMARK(plan) BITLAW_SIZES;
BENCHMARK(status) BITLAW_SIZES;

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  fs::remove_all(folder());
}
