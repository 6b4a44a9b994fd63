// Elements per second of the quantizers and their ratio to memcpy of the same bytes in the same run, one thread,
// input N(0, 1). 1 Mi elements stay in a cache, 64 Mi do not. The counter `of_memcpy` is the ratio.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "core/block/block_presets.h"
#include "core/block/quantize_blocks.h"
#include "core/format/catalog.h"
#include "core/format/quantize.h"
#include "core/transform/hadamard.h"

using namespace bitlaw;

namespace {

constexpr std::int64_t kCols = 1024;

/// 2^20 normal numbers, tiled.
const std::vector<float>& input(std::int64_t count) {
  static std::map<std::int64_t, std::vector<float>> inputs;
  std::vector<float>& x = inputs[count];
  if (x.empty()) {
    std::mt19937 engine(1);
    std::normal_distribution<float> normal;
    x.resize(static_cast<std::size_t>(count));
    const std::size_t drawn = std::min<std::size_t>(x.size(), 1U << 20);
    std::generate_n(x.begin(), drawn, [&] { return normal(engine); });
    for (std::size_t i = drawn; i < x.size(); ++i) x[i] = x[i - drawn];
  }
  return x;
}

std::vector<float>& output(std::int64_t count) {
  static std::map<std::int64_t, std::vector<float>> outputs;
  std::vector<float>& out = outputs[count];
  out.resize(static_cast<std::size_t>(count));
  return out;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Runs `work(x, out)` and, between its repetitions, memcpy: the best time of each gives the ratio, so that a busy
/// machine slows both.
template <typename Work>
void measure(benchmark::State& state, std::int64_t count, Work work) {
  const std::vector<float>& x = input(count);
  std::vector<float>& out = output(count);
  double best = 1e9, best_copy = 1e9;
  for (auto unused : state) {
    static_cast<void>(unused);
    auto start = std::chrono::steady_clock::now();
    work(x, out);
    benchmark::ClobberMemory();
    const double seconds = seconds_since(start);
    state.SetIterationTime(seconds);
    best = std::min(best, seconds);
    start = std::chrono::steady_clock::now();
    std::memcpy(out.data(), x.data(), x.size() * sizeof(float));
    benchmark::ClobberMemory();
    best_copy = std::min(best_copy, seconds_since(start));
  }
  state.counters["Gelem/s"] = static_cast<double>(count) / best * 1e-9;
  state.counters["of_memcpy"] = best_copy / best;
}

std::string size_name(std::int64_t count) { return std::to_string(count >> 20) + "Mi"; }

void add_quantize(std::string_view format, RoundingMode rounding, const char* rounding_name, std::int64_t count) {
  const std::string name = "quantize/" + std::string(format) + "/" + rounding_name + "/" + size_name(count);
  benchmark::RegisterBenchmark(name.c_str(), [=, spec = parse_format(format)](benchmark::State& state) {
    measure(state, count, [&](const std::vector<float>& x, std::vector<float>& out) {
      quantize(spec, rounding, x, out, {.seed = 1});
    });
  })->UseManualTime();
}

void add_blocks(const BlockPreset& preset, RoundingMode rounding, const char* rounding_name, KAxis axis,
                std::int64_t count) {
  const std::string name = "blocks/" + std::string(preset.name) + "/" + rounding_name +
                           (axis == KAxis::Cols ? "/cols/" : "/rows/") + size_name(count);
  benchmark::RegisterBenchmark(name.c_str(), [=, spec = preset.spec](benchmark::State& state) {
    measure(state, count, [&](const std::vector<float>& x, std::vector<float>& out) {
      const std::int64_t rows = count / kCols;
      quantize_blocks(spec, rounding, axis, {x.data(), rows, kCols}, {out.data(), rows, kCols}, {.seed = 1});
    });
  })->UseManualTime();
}

void add_random_bits() {
  benchmark::RegisterBenchmark("random_bits/1Mi", [](benchmark::State& state) {
    std::vector<std::uint32_t> bits(1 << 20);
    measure(state, 1 << 20, [&](const std::vector<float>&, std::vector<float>&) { random_bits({.seed = 1}, 0, bits); });
  })->UseManualTime();
}

void add_hadamard(int size, KAxis axis) {
  const std::string name = "hadamard/" + std::to_string(size) + (axis == KAxis::Cols ? "/cols/1Mi" : "/rows/1Mi");
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
    measure(state, 1 << 20, [&](const std::vector<float>&, std::vector<float>& out) {
      hadamard_rotate({out.data(), (1 << 20) / kCols, kCols}, axis, size, {.seed = 1});
    });
  })->UseManualTime();
}

}  // namespace

int main(int argc, char** argv) {
  for (const std::int64_t count : {std::int64_t{1} << 20, std::int64_t{1} << 26}) {
    for (std::string_view format : {"e4m3", "e2m1", "bfloat16"}) {
      add_quantize(format, RoundingMode::TiesToEven, "nearest", count);
      add_quantize(format, RoundingMode::StochasticExact, "stochastic", count);
    }
    for (const BlockPreset& preset : block_presets()) {
      for (KAxis axis : {KAxis::Cols, KAxis::Rows}) {
        add_blocks(preset, RoundingMode::TiesToEven, "nearest", axis, count);
        add_blocks(preset, RoundingMode::StochasticExact, "stochastic", axis, count);
      }
    }
  }
  add_random_bits();
  for (int size : {16, 32, 256}) {
    for (KAxis axis : {KAxis::Cols, KAxis::Rows}) add_hadamard(size, axis);
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
