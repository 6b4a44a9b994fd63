#include "tests/benchmarks/against_memcpy.h"

#include <hwy/aligned_allocator.h>

#include <random>

namespace bitlaw {
namespace {

/// At least `bytes` of the memory that this holds.
std::span<std::byte> grown(hwy::AlignedFreeUniquePtr<std::byte[]>& memory, std::size_t& size, std::size_t bytes) {
  if (size < bytes) {
    memory = hwy::AllocateAligned<std::byte>(bytes);
    std::fill_n(memory.get(), bytes, std::byte{0});
    size = bytes;
  }
  return {memory.get(), bytes};
}

template <typename Distribution>
std::vector<double> draw(Distribution distribution) {
  std::mt19937_64 engine(1);
  std::vector<double> numbers(std::size_t{1} << 20);
  std::generate(numbers.begin(), numbers.end(), [&] { return distribution(engine); });
  return numbers;
}

}  // namespace

const std::vector<double>& drawn(Input input) {
  static const std::vector<double> normal = draw(std::normal_distribution<double>());
  static const std::vector<double> heavy = draw(std::student_t_distribution<double>(2));
  return input == Input::Normal ? normal : heavy;
}

Buffers::Buffers(std::size_t in_bytes, std::size_t out_bytes) : moved(in_bytes + out_bytes) {
  static hwy::AlignedFreeUniquePtr<std::byte[]> in_memory, out_memory;
  static std::size_t in_size = 0, out_size = 0;
  in = grown(in_memory, in_size, std::max(in_bytes, moved / 2));
  out = grown(out_memory, out_size, std::max(out_bytes, moved / 2));
}

}  // namespace bitlaw
