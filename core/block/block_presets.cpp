#include "core/block/block_presets.h"

#include <array>
#include <vector>

#include "core/format/catalog.h"

namespace bitlaw {
namespace {

/// 32 elements per power-of-two scale.
BlockSpec mx(const FormatSpec& element) {
  return {.element = element, .size = 32, .scale = kE8M0, .rule = ScaleRule::OcpFloor};
}

/// FP4 in blocks of 16 whose scales are rounded after a float32 scale for the operand: its amax becomes 6 times `top`.
BlockSpec two_level(const FormatSpec& scale, double top) {
  return {.element = kE2M1,
          .size = 16,
          .scale = scale,
          .rule = ScaleRule::Divide,
          .tensor_target = top * kE2M1.max_finite()};
}

BlockSpec float32_scaled(BlockShape shape) { return {.element = kE4M3, .shape = shape}; }

constexpr std::string_view kMxDocument = "OCP Microscaling Formats (MX) v1.0, Table 1 and section 6.3";
constexpr std::string_view kNvfp4Document = "NVIDIA 2025, arXiv:2509.25149; scale target 448 * 6";
constexpr std::string_view kUe5m3Document = "arXiv:2609.02846, scale target T = 448 * 6";
constexpr std::string_view kFp8Document = "Micikevicius et al. 2022, arXiv:2209.05433, section 3: scale to the maximum";

/// Made at the first call: clang 14 does not take a BlockSpec for a constant expression.
const auto& presets() {
  static const std::array kPresets{
      BlockPreset{"mxfp4", mx(kE2M1), kMxDocument},
      BlockPreset{"mxfp6_e2m3", mx(kE2M3), kMxDocument},
      BlockPreset{"mxfp6_e3m2", mx(kE3M2), kMxDocument},
      BlockPreset{"mxfp8", mx(kE4M3), kMxDocument},
      BlockPreset{"mxfp8_e4m3", mx(kE4M3), kMxDocument},
      BlockPreset{"mxfp8_e5m2", mx(kE5M2), kMxDocument},
      BlockPreset{"nvfp4", two_level(kUE4M3, 448), kNvfp4Document},
      BlockPreset{"ue5m3", two_level(kUE5M3, 448), kUe5m3Document},
      BlockPreset{"ue5m3_114688", two_level(kUE5M3Max114688, 448), kUe5m3Document},
      BlockPreset{"fp8_channel", float32_scaled(BlockShape::Channel), kFp8Document},
      BlockPreset{"fp8_tensor", float32_scaled(BlockShape::Tensor), kFp8Document},
  };
  return kPresets;
}

}  // namespace

std::span<const BlockPreset> block_presets() { return presets(); }

std::span<const std::string_view> block_preset_names() {
  static const std::vector<std::string_view> kNames = [] {
    std::vector<std::string_view> names;
    for (const BlockPreset& preset : presets()) names.push_back(preset.name);
    return names;
  }();
  return kNames;
}

std::optional<BlockSpec> block_preset(std::string_view name) {
  for (const BlockPreset& preset : presets()) {
    if (preset.name == name) return preset.spec;
  }
  return std::nullopt;
}

}  // namespace bitlaw
