#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "core/format/rounding_plan.h"
#include "core/random/philox.h"

namespace bitlaw {

/// What defines a rounding of elements: format, choices, random numbers.
struct RoundingDefinition {
  FormatSpec spec;
  Conversion conversion;
  RandomStream stream;
};

/// The random bits of one loop over elements: `fields`, of element `first` on, are readable a vector past the last one.
struct LoopRandom {
  const RoundingDefinition* definition = nullptr;  ///< of which they are; null where nothing is random
  std::uint64_t first = 0;
  const std::uint8_t* fields = nullptr;
};

/// The random bits of consecutive elements, as the roundings take them: fields of 8 or 16 bits, in the order of memory.
/// Nothing is allocated for roundings that are not stochastic.
class RandomFields {
 public:
  static_assert(std::endian::native == std::endian::little, "the first field of a word is its low one");
  static constexpr std::size_t kMostElements = 4096;

  explicit RandomFields(const RoundingDefinition& definition)
      : definition_(definition),
        bytes_(static_cast<std::size_t>(random_field_bits(definition.conversion.rounding)) / 8),
        words_(definition.conversion.rounding.is_stochastic() ? kMostElements * bytes_ / 4 + 1 + kReadableBeyond : 0) {}

  /// The bits of `count` elements from `first` on, until the next call, as long as this lives. count <= kMostElements.
  LoopRandom of(std::uint64_t first, std::size_t count) {
    if (words_.empty()) return {};
    const std::uint64_t per_word = 4 / bytes_;
    const std::uint64_t skipped = first % per_word;
    const std::size_t words = (static_cast<std::size_t>(skipped) + count + per_word - 1) / per_word;
    random_bits(definition_.stream, first / per_word, std::span(words_).first(words));
    return {&definition_, first, reinterpret_cast<const std::uint8_t*>(words_.data()) + skipped * bytes_};
  }

 private:
  static constexpr std::size_t kReadableBeyond = 16;  ///< words
  RoundingDefinition definition_;
  std::size_t bytes_;  ///< of a field
  std::vector<std::uint32_t> words_;
};

}  // namespace bitlaw
