#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

namespace bitlaw {

/// What the numbers of a benchmark look like.
enum class Input {
  Normal,  ///< N(0, 1)
  Heavy,   ///< Student's t with 2 degrees of freedom: no variance, one in 5000 beyond 50
};
constexpr const char* name(Input input) { return input == Input::Normal ? "normal" : "heavy"; }

/// 2^20 numbers, the same in each run.
const std::vector<double>& drawn(Input input);

/// out[i] = source[i % source.size()] in the type of out.
template <typename From, typename To>
void tile(std::span<const From> source, std::span<To> out) {
  const std::size_t first = std::min(source.size(), out.size());
  std::transform(source.begin(), source.begin() + static_cast<std::ptrdiff_t>(first), out.begin(),
                 [](From v) { return static_cast<To>(v); });
  for (std::size_t i = first; i < out.size(); i += first) {
    std::memcpy(out.data() + i, out.data(), std::min(first, out.size() - i) * sizeof(To));
  }
}

/// Memory for the input and the output of one benchmark, used again by the next one. Each can hold its side of a memcpy
/// that moves as many bytes, and has been written. Both start at a page: where the output lies 64 to 256 bytes further
/// within its page than the input, the processor takes loads for dependent on stores (4 KiB aliasing), and any loop
/// that is bound by the cache loses up to a third.
struct Buffers {
  std::span<std::byte> in, out;

  Buffers(std::size_t in_bytes, std::size_t out_bytes);
  template <typename T>
  std::span<T> in_as(std::size_t count) const {
    return {reinterpret_cast<T*>(in.data()), count};
  }
  template <typename T>
  std::span<T> out_as(std::size_t count) const {
    return {reinterpret_cast<T*>(out.data()), count};
  }
  /// Reads and writes half of the bytes each that the benchmark reads and writes.
  void copy() const { std::memcpy(out.data(), in.data(), moved / 2); }
  std::size_t moved;
};

/// Best seconds of a work and of what it is compared with.
struct Times {
  double work = std::numeric_limits<double>::infinity(), yardstick = work;
  double ratio() const { return yardstick / work; }
};

/// Runs `work` and, between its repetitions, `yardstick`, so that a busy machine slows both.
template <typename Work, typename Yardstick>
Times measure(benchmark::State& state, Work work, Yardstick yardstick) {
  const auto seconds = [](auto&& f) {
    const auto start = std::chrono::steady_clock::now();
    f();
    benchmark::ClobberMemory();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  Times best;
  for (auto unused : state) {
    static_cast<void>(unused);
    const double once = seconds(work);
    state.SetIterationTime(once);
    best.work = std::min(best.work, once);
    best.yardstick = std::min(best.yardstick, seconds(yardstick));
  }
  return best;
}

}  // namespace bitlaw
