#include "tests/benchmarks/against_memcpy.h"

#include <random>

namespace bitlaw {
namespace {

constexpr std::size_t kPage = 4096;

/// `bytes` at the start of a page of the memory that this holds.
std::span<std::byte> paged(std::vector<std::byte>& memory, std::size_t bytes) {
  if (memory.size() < bytes + kPage) memory = std::vector<std::byte>(bytes + kPage);
  const auto beyond = reinterpret_cast<std::uintptr_t>(memory.data()) % kPage;
  return {memory.data() + (kPage - beyond), bytes};
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
  static std::vector<std::byte> in_memory, out_memory;
  in = paged(in_memory, std::max(in_bytes, moved / 2));
  out = paged(out_memory, std::max(out_bytes, moved / 2));
}

}  // namespace bitlaw
