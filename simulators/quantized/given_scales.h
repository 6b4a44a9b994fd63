#pragma once

#include <optional>
#include <span>

namespace bitlaw {

/// What the scales of an operand take from elsewhere than from its elements.
struct GivenScales {
  std::optional<float> held_amax = std::nullopt;  ///< of quantize_blocks
  std::span<const float> parameters = {};         ///< of quantize_blocks_by_parameters; empty: BlockSpec::parameter
};

}  // namespace bitlaw
