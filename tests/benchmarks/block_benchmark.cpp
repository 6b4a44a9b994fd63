// Elements per second of the block quantizers and their ratio to memcpy of the same bytes in the same run, one thread,
// input N(0, 1). 1 Mi elements stay in a cache, 64 Mi do not. The counter `of_memcpy` is the ratio.

#include <benchmark/benchmark.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/block/block_presets.h"
#include "core/block/quantize_blocks.h"
#include "core/format/catalog.h"
#include "core/transform/hadamard.h"
#include "tests/benchmarks/against_memcpy.h"

using namespace bitlaw;

namespace {

constexpr std::int64_t kCols = 1024;

/// Runs `work(x, out)` on normal numbers against memcpy of as many.
template <typename Work>
void measure_floats(benchmark::State& state, std::int64_t count, Work work) {
  const auto size = static_cast<std::size_t>(count);
  const Buffers buffers(size * sizeof(float), size * sizeof(float));
  const std::span<float> x = buffers.in_as<float>(size), out = buffers.out_as<float>(size);
  tile<double, float>(drawn(Input::Normal), x);
  const Times times = measure(
      state, [&] { work(x, out); }, [&] { buffers.copy(); });
  state.counters["Gelem/s"] = static_cast<double>(count) / times.work * 1e-9;
  state.counters["of_memcpy"] = times.ratio();
}

std::string size_name(std::int64_t count) { return std::to_string(count >> 20) + "Mi"; }

void add_blocks(const BlockPreset& preset, const Rounding& rounding, const char* rounding_name, KAxis axis,
                std::int64_t count) {
  const std::string name = "blocks/" + std::string(preset.name) + "/" + rounding_name +
                           (axis == KAxis::Cols ? "/cols/" : "/rows/") + size_name(count);
  benchmark::RegisterBenchmark(name.c_str(), [=, spec = preset.spec](benchmark::State& state) {
    measure_floats(state, count, [&](std::span<float> x, std::span<float> out) {
      const std::int64_t rows = count / kCols;
      quantize_blocks(spec, rounding, axis, {x.data(), rows, kCols}, {out.data(), rows, kCols}, {.seed = 1});
    });
  })->UseManualTime();
}

void add_random_bits() {
  benchmark::RegisterBenchmark("random_bits/1Mi", [](benchmark::State& state) {
    std::vector<std::uint32_t> bits(1 << 20);
    measure_floats(state, 1 << 20, [&](std::span<float>, std::span<float>) { random_bits({.seed = 1}, 0, bits); });
  })->UseManualTime();
}

void add_hadamard(int size, KAxis axis, std::int64_t count, std::optional<FormatSpec> result = std::nullopt) {
  const std::string name = "hadamard/" + std::to_string(size) + (result ? "_bfloat16" : "") +
                           (axis == KAxis::Cols ? "/cols/" : "/rows/") + size_name(count);
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
    measure_floats(state, count, [&](std::span<float> x, std::span<float> out) {
      const std::int64_t rows = count / kCols;
      hadamard_rotate({.size = size, .result = result}, axis, {x.data(), rows, kCols}, {out.data(), rows, kCols},
                      {.seed = 1});
    });
  })->UseManualTime();
}

}  // namespace

int main(int argc, char** argv) {
  for (const std::int64_t count : {std::int64_t{1} << 20, std::int64_t{1} << 26}) {
    for (const BlockPreset& preset : block_presets()) {
      for (KAxis axis : {KAxis::Cols, KAxis::Rows}) {
        add_blocks(preset, RoundingMode::TiesToEven, "nearest", axis, count);
        add_blocks(preset, {RoundingMode::StochasticB, 8}, "stochastic_8", axis, count);
        add_blocks(preset, RoundingMode::StochasticExact, "stochastic", axis, count);
      }
    }
  }
  add_random_bits();
  for (const std::int64_t count : {std::int64_t{1} << 20, std::int64_t{1} << 26}) {
    for (KAxis axis : {KAxis::Cols, KAxis::Rows}) {
      for (int size : {16, 32, 64, 128, 1024}) add_hadamard(size, axis, count);
      add_hadamard(16, axis, count, kBfloat16);
    }
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
