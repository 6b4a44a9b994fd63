#pragma once

#include <string>

#include "core/block/block_presets.h"

namespace bitlaw {

/// A block preset: its elements, shape, scales, bits and largest value, then a line for each choice that decides its
/// bits, with what it means.
std::string block_facts_text(const BlockPreset& preset);

/// The same for programs, without the explanations.
std::string block_facts_json(const BlockPreset& preset);

}  // namespace bitlaw
