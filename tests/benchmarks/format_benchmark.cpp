// Speed of quantize, encode and decode as a ratio to memcpy of as many bytes, read and written, in the same run; one
// thread. 1 Mi elements stay in a cache, 64 Mi do not. Results are compared with the reference. `threads/`: two
// threads, and the yardstick is one.

#include <fmt/format.h>

#include <cstdio>

#include "core/base/build_info.h"
#include "core/format/catalog.h"
#include "core/format/codes.h"
#include "core/format/encode.h"
#include "core/format/quantize.h"
#include "tests/benchmarks/against_memcpy.h"
#include "tests/benchmarks/scores.h"

using namespace bitlaw;

namespace {

constexpr RandomStream kStream{.seed = 1};
constexpr Goals kNearest{.memory = 0.9, .cache = 0.6}, kStochastic{.memory = 0.7}, kCoded{.memory = 0.8, .cache = 0.8};
constexpr Goals kFloat64{.memory = 0.8, .cache = 0.8}, kTwoThreads{.cache = 1.8};

Scores scores;

struct Case {
  std::string operation;
  Goals goals;
  Input input;
  std::size_t count;
};

std::string label(const Case& c) { return fmt::format("{}/{}/{}Mi", c.operation, name(c.input), c.count >> 20); }

void report(benchmark::State& state, const Case& c, const Times& times) {
  scores.add(c.operation, c.goals, c.input, c.count, times);
  state.counters["Gelem/s"] = static_cast<double>(c.count) / times.work * 1e-9;
  state.counters["ratio"] = times.ratio();
}

/// work(x, out) against memcpy, or against `yardstick(x, out)`; reference(x, out) must give the same first results.
template <typename In, typename Out, typename Fill, typename Work, typename Reference>
void add(const Case& c, Fill fill, Work work, Reference reference) {
  benchmark::RegisterBenchmark(label(c).c_str(), [=](benchmark::State& state) {
    const Buffers buffers(c.count * sizeof(In), c.count * sizeof(Out));
    const std::span<In> x = buffers.in_as<In>(c.count);
    const std::span<Out> out = buffers.out_as<Out>(c.count);
    fill(x);
    report(state, c,
           measure(
               state, [&] { work(std::span<const In>(x), out, 1); }, [&] { buffers.copy(); }));
    work(std::span<const In>(x), out, 1);
    std::vector<Out> expected(4096);
    reference(std::span<const In>(x).first(expected.size()), std::span(expected));
    if (std::memcmp(out.data(), expected.data(), expected.size() * sizeof(Out)) != 0) {
      state.SkipWithError("differs from the reference");
    }
  })->UseManualTime();
}

/// The same work with two threads against one.
template <typename In, typename Out, typename Fill, typename Work>
void add_threads(const Case& c, Fill fill, Work work) {
  benchmark::RegisterBenchmark(label(c).c_str(), [=](benchmark::State& state) {
    const Buffers buffers(c.count * sizeof(In), c.count * sizeof(Out));
    const std::span<In> x = buffers.in_as<In>(c.count);
    const std::span<Out> out = buffers.out_as<Out>(c.count);
    fill(x);
    report(state, c,
           measure(
               state, [&] { work(std::span<const In>(x), out, 2); }, [&] { work(std::span<const In>(x), out, 1); }));
  })->UseManualTime();
}

template <typename T>
auto numbers(Input input) {
  return [=](std::span<T> x) { tile<double, T>(drawn(input), x); };
}

template <typename T>
auto quantizer(const FormatSpec& spec, Rounding rounding) {
  return
      [=](std::span<const T> x, std::span<T> out, int threads) { quantize(spec, rounding, x, out, kStream, threads); };
}

template <typename T>
void add_quantize(std::string_view format, Rounding rounding, std::string_view rounding_name, Goals goals, Input input,
                  std::size_t count) {
  const FormatSpec spec = parse_format(format);
  const char* type = sizeof(T) == 8 ? "float64/" : "";
  add<T, T>({fmt::format("quantize/{}{}/{}", type, format, rounding_name), goals, input, count}, numbers<T>(input),
            quantizer<T>(spec, rounding),
            [=](std::span<const T> x, std::span<T> out) { quantize_reference(spec, rounding, x, out, kStream); });
}

template <typename T, typename Code>
void add_encode(std::string_view format, Rounding rounding, std::string_view rounding_name, Input input,
                std::size_t count) {
  const FormatSpec spec = parse_format(format);
  const char* type = sizeof(T) == 8 ? "float64/" : "";
  add<T, Code>(
      {fmt::format("encode/{}{}/{}", type, format, rounding_name), kCoded, input, count}, numbers<T>(input),
      [=](std::span<const T> x, std::span<Code> codes, int threads) {
        encode<T, Code>(spec, rounding, x, codes, kStream, threads);
      },
      [=](std::span<const T> x, std::span<Code> codes) {
        encode_reference<T, Code>(spec, rounding, x, codes, kStream);
      });
}

template <typename Code>
void add_decode(std::string_view format, Input input, std::size_t count) {
  const FormatSpec spec = parse_format(format);
  const auto codes = [=](std::span<Code> x) {
    std::vector<Code> of_drawn(drawn(input).size());
    encode<double, Code>(spec, RoundingMode::TiesToEven, drawn(input), of_drawn);
    tile<Code, Code>(of_drawn, x);
  };
  add<Code, float>(
      {fmt::format("decode/{}", format), kCoded, input, count}, codes,
      [=](std::span<const Code> x, std::span<float> out, int threads) { decode<float, Code>(spec, x, out, threads); },
      [=](std::span<const Code> x, std::span<float> out) {
        std::transform(x.begin(), x.end(), out.begin(),
                       [&](Code code) { return static_cast<float>(decode(spec, code)); });
      });
}

struct NamedRounding {
  const char* name;
  Rounding rounding;
  Goals goals;
};
constexpr NamedRounding kDeterministic[] = {{"ties_to_even", RoundingMode::TiesToEven, kNearest},
                                            {"ties_to_away", RoundingMode::TiesToAway, kNearest},
                                            {"toward_zero", RoundingMode::TowardZero, kNearest}};
constexpr NamedRounding kRandom[] = {{"stochastic_a_8", {RoundingMode::StochasticA, 8}, kStochastic},
                                     {"stochastic_a_16", {RoundingMode::StochasticA, 16}, kStochastic},
                                     {"stochastic_a_32", {RoundingMode::StochasticA, 32}, kStochastic},
                                     {"stochastic_exact", RoundingMode::StochasticExact, kStochastic}};
/// No goal is set for these.
constexpr NamedRounding kOthers[] = {{"ties_toward_zero", RoundingMode::TiesTowardZero, {}},
                                     {"toward_positive", RoundingMode::TowardPositive, {}},
                                     {"to_odd", RoundingMode::ToOdd, {}},
                                     {"stochastic_b_8", {RoundingMode::StochasticB, 8}, {}},
                                     {"stochastic_c_8", {RoundingMode::StochasticC, 8}, {}}};
constexpr std::string_view kFormats[] = {"e4m3", "e2m1", "e5m2", "e3m2", "bfloat16"};

void add_codes(Input input, std::size_t count) {
  for (const std::string_view format : {"e4m3", "e2m1", "e5m2", "e3m2"}) {
    add_encode<float, std::uint8_t>(format, RoundingMode::TiesToEven, "ties_to_even", input, count);
    add_decode<std::uint8_t>(format, input, count);
  }
  add_encode<float, std::uint16_t>("bfloat16", RoundingMode::TiesToEven, "ties_to_even", input, count);
  add_decode<std::uint16_t>("bfloat16", input, count);
  add_encode<float, std::uint8_t>("e4m3", {RoundingMode::StochasticA, 8}, "stochastic_a_8", input, count);
  add_encode<double, std::uint8_t>("e4m3", RoundingMode::TiesToEven, "ties_to_even", input, count);
}

void add_all(Input input, std::size_t count) {
  for (const std::string_view format : kFormats) {
    for (const auto& r : kDeterministic) add_quantize<float>(format, r.rounding, r.name, r.goals, input, count);
  }
  for (const std::string_view format : {"e4m3", "e2m1"}) {
    for (const auto& r : kRandom) add_quantize<float>(format, r.rounding, r.name, r.goals, input, count);
  }
  for (const auto& r : kOthers) add_quantize<float>("e4m3", r.rounding, r.name, r.goals, input, count);
  for (const std::string_view format : kFormats) {
    add_quantize<double>(format, RoundingMode::TiesToEven, "ties_to_even", kFloat64, input, count);
  }
  add_quantize<double>("e4m3", {RoundingMode::StochasticA, 8}, "stochastic_a_8", {}, input, count);
  add_codes(input, count);
}

/// The first row of each format of the catalog that has no line of its own.
void add_catalog(std::size_t count) {
  for (const CatalogEntry& entry : format_catalog()) {
    const bool has_line = std::find(std::begin(kFormats), std::end(kFormats), entry.name) != std::end(kFormats);
    if (has_line || format_name(entry.spec) != entry.name) continue;
    add_quantize<float>(entry.name, RoundingMode::TiesToEven, "ties_to_even", kNearest, Input::Normal, count);
  }
}

void add_two_threads() {
  for (const auto& r : {kDeterministic[0], kRandom[0], kRandom[3]}) {
    add_threads<float, float>(
        {fmt::format("threads/quantize/e4m3/{}", r.name), kTwoThreads, Input::Normal, kCacheCount},
        numbers<float>(Input::Normal), quantizer<float>(kE4M3, r.rounding));
  }
  add_threads<float, std::uint8_t>(
      {"threads/encode/e4m3/ties_to_even", kTwoThreads, Input::Normal, kCacheCount}, numbers<float>(Input::Normal),
      [](std::span<const float> x, std::span<std::uint8_t> codes, int threads) {
        encode<float, std::uint8_t>(kE4M3, RoundingMode::TiesToEven, x, codes, kStream, threads);
      });
}

}  // namespace

int main(int argc, char** argv) {
  for (const std::size_t count : {kCacheCount, kMemoryCount}) {
    for (const Input input : {Input::Normal, Input::Heavy}) add_all(input, count);
    add_catalog(count);
  }
  add_two_threads();
  const BuildInfo build = build_info();
  benchmark::AddCustomContext("cpu", build.cpu);
  benchmark::AddCustomContext("compiler", build.compiler);
  benchmark::AddCustomContext("commit", build.commit);
  benchmark::AddCustomContext("input",
                              "normal: N(0, 1); heavy: Student's t with 2 degrees of freedom; 2^20 draws, tiled");
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  std::fflush(stderr);
  fmt::print("\n{}, {}, commit {}\n{}", build.cpu, build.compiler, build.commit, scores.table());
}
