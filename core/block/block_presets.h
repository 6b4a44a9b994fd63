#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "core/block/block_spec.h"

namespace bitlaw {

/// A named way to store an operand. Rows may share a spec: other spellings of one name.
struct BlockPreset {
  std::string_view name;
  BlockSpec spec;
  std::string_view document;  ///< where it is defined
};

/// All presets, and their names in the same order.
std::span<const BlockPreset> block_presets();
std::span<const std::string_view> block_preset_names();

/// The preset of that name, or nothing.
std::optional<BlockSpec> block_preset(std::string_view name);

}  // namespace bitlaw
