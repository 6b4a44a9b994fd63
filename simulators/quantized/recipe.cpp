#include "simulators/quantized/recipe.h"

#include <algorithm>

namespace bitlaw {
namespace {

std::int64_t block_size(const BlockSpec& block) {
  switch (block.shape) {
    case BlockShape::AlongK:
    case BlockShape::Square:
      return block.size;
    case BlockShape::Channel:
    case BlockShape::AcrossK:
      return kChannelBlock;
    case BlockShape::Tensor:
      return kTensorBlock;
  }
  return kUnquantizedBlock;
}

}  // namespace

HadamardSpec rotation_of(const SlotSpec& slot) {
  HadamardSpec rotation{.size = slot.rotate, .signs = slot.rotate_signs, .result = slot.rotate_result};
  if (slot.rotate_signs == HadamardSigns::Fixed) {
    rotation.fixed = {kTransformerEngineSigns.begin(), kTransformerEngineSigns.end()};
  }
  return rotation;
}

bool is_quantized(const LinearSlots& slots) {
  return std::any_of(slots.slots.begin(), slots.slots.end(),
                     [](const SlotSpec& slot) { return slot.block || slot.rotate != 0; });
}

RecipeSummary summarise(const Recipe& recipe) {
  RecipeSummary summary;
  int narrowest = 32;  // float32
  for (const SlotSpec& slot : recipe.base.slots) {
    if (!slot.block || slot.block->element.total_bits() >= narrowest) continue;
    narrowest = slot.block->element.total_bits();
    summary = {slot.block->element.exponent_bits, slot.block->element.mantissa_bits, block_size(*slot.block)};
  }
  return summary;
}

}  // namespace bitlaw
