#pragma once

#include <array>
#include <cstdint>

namespace bitlaw::block_detail {

constexpr std::int64_t kReadableBeyond = 16;  ///< a vector may be read past the end of our own arrays

/// The scales and multipliers of the blocks that are in work, and before that their largest magnitudes.
template <std::int64_t kCount>
struct Scales {
  alignas(64) std::array<float, kCount + kReadableBeyond> amax{}, scale{}, encode{}, decode{};
};

}  // namespace bitlaw::block_detail
