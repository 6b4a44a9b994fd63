#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/block/block_spec.h"
#include "experiments/sweep/yaml_node.h"

namespace bitlaw {

/// The keys of a slot that choose how its blocks are scaled, in the order of the canonical text; besides block, scale
/// and format.
std::span<const std::string_view> block_keys();

/// Takes "block": 16, 16x16, channel, across or tensor.
void apply_block_shape(BlockSpec& block, const YamlNode& field);

/// Takes `field`, whose key is one of block_keys().
void apply_block_field(BlockSpec& block, const YamlNode& field);

/// Refuses choices that contradict each other; messages are about `place` and say that `subject` has them. An rms
/// statistic without a parameter gets gaussian_clip().
void complete_block(BlockSpec& block, const SourceLocation& place, std::string_view subject);

/// "16", "16x16", "channel", "across" or "tensor".
std::string block_shape_text(const BlockSpec& block);

/// The rule, and what else differs from the defaults, as " key=value ..." in the order of block_keys(): it tells apart
/// all specifications that scale differently.
std::string block_choices_text(const BlockSpec& block);

/// All of it: "e2m1 block=32 scale=e8m0 rule=ocp_floor".
std::string block_text(const BlockSpec& block);

}  // namespace bitlaw
