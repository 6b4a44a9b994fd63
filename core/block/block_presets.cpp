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
  return {.element = kE2M1, .size = 16, .scale = scale, .tensor_target = top * kE2M1.max_finite()};
}

BlockSpec nvfp4_square() {
  BlockSpec spec = two_level(kUE4M3, 448);
  spec.shape = BlockShape::Square;
  return spec;
}

BlockSpec transformer_engine(BlockSpec spec) {
  spec.rule = ScaleRule::Reciprocal;
  spec.order = TensorOrder::Folded;
  spec.scaling = ElementScaling::Reciprocal;
  spec.store = TensorStore::Amax;
  return spec;
}

BlockSpec torchao() {
  BlockSpec spec = two_level(kUE4M3, 448);
  spec.order = TensorOrder::Divisor;
  spec.least_scale = kUE4M3.min_normal();
  return spec;
}

BlockSpec four_over_six(ScaleSearch search) {
  BlockSpec spec = two_level(kUE4M3, 256);
  spec.scaling = ElementScaling::Reciprocal;
  spec.store = TensorStore::Amax;
  spec.search = search;
  return spec;
}

BlockSpec ue5m3(const FormatSpec& scale, int size) {
  BlockSpec spec = two_level(scale, 448);
  spec.size = size;
  spec.order = TensorOrder::TargetFirst;
  spec.store = TensorStore::Divisor;
  spec.zero_scale = ZeroScale::One;
  return spec;
}

/// Float32 scales that map the largest magnitude to the largest value.
BlockSpec float32_scaled(const FormatSpec& element, BlockShape shape, int size = BlockSpec().size) {
  return {.element = element, .shape = shape, .size = size};
}

constexpr FormatSpec symmetric(int bits, int fraction_bits) {
  return integer_format(bits, fraction_bits, SignCoding::TwosComplementSymmetric);
}

constexpr std::string_view kMxDocument = "OCP Microscaling Formats (MX) v1.0, Table 1 and section 6.3";
constexpr std::string_view kNvfp4Document = "NVIDIA 2025, arXiv:2509.25149; scale target 448 * 6";
constexpr std::string_view kTransformerEngineDocument = "TransformerEngine, core_nvfp4.cuh: the scale's factors folded";
constexpr std::string_view kTorchaoDocument = "torchao, nvfp4_quantize: the tensor scale divides, scales from 2^-6";
constexpr std::string_view kFourOverSixDocument = "arXiv:2512.02010 as in TransformerEngine; scale target 256 * 6";
constexpr std::string_view kUe5m3Document = "arXiv:2609.02846, scale target T = 448 * 6";
constexpr std::string_view kFp8Document = "Micikevicius et al. 2022, arXiv:2209.05433, section 3: scale to the maximum";
constexpr std::string_view kDeepSeekDocument =
    "DeepSeek-V3, arXiv:2412.19437, section 3.3: activations 1 x 128, weights "
    "128 x 128";
constexpr std::string_view kInt4Document = "Frantar et al. 2022, arXiv:2210.17323: groups along K, here symmetric";

/// Made at the first call: clang 14 does not take a BlockSpec for a constant expression.
const auto& presets() {
  static const std::array kPresets{
      BlockPreset{"mxfp4", mx(kE2M1), kMxDocument},
      BlockPreset{"mxfp6_e2m3", mx(kE2M3), kMxDocument},
      BlockPreset{"mxfp6_e3m2", mx(kE3M2), kMxDocument},
      BlockPreset{"mxfp8", mx(kE4M3), kMxDocument},
      BlockPreset{"mxfp8_e4m3", mx(kE4M3), kMxDocument},
      BlockPreset{"mxfp8_e5m2", mx(kE5M2), kMxDocument},
      BlockPreset{"mxint8", mx(symmetric(8, 6)), kMxDocument},
      BlockPreset{"nvfp4", two_level(kUE4M3, 448), kNvfp4Document},
      BlockPreset{"nvfp4_16x16", nvfp4_square(), kNvfp4Document},
      BlockPreset{"nvfp4_te", transformer_engine(two_level(kUE4M3, 448)), kTransformerEngineDocument},
      BlockPreset{"nvfp4_te_16x16", transformer_engine(nvfp4_square()), kTransformerEngineDocument},
      BlockPreset{"nvfp4_torchao", torchao(), kTorchaoDocument},
      BlockPreset{"nvfp4_4over6_mae", four_over_six(ScaleSearch::FourOverSixMae), kFourOverSixDocument},
      BlockPreset{"nvfp4_4over6_mse", four_over_six(ScaleSearch::FourOverSixMse), kFourOverSixDocument},
      BlockPreset{"ue5m3", ue5m3(kUE5M3, 16), kUe5m3Document},
      BlockPreset{"ue5m3_32", ue5m3(kUE5M3, 32), kUe5m3Document},
      BlockPreset{"ue5m3_114688", ue5m3(kUE5M3Max114688, 16), kUe5m3Document},
      BlockPreset{"fp8_channel", float32_scaled(kE4M3, BlockShape::Channel), kFp8Document},
      BlockPreset{"fp8_tensor", float32_scaled(kE4M3, BlockShape::Tensor), kFp8Document},
      BlockPreset{"fp8_1x128", float32_scaled(kE4M3, BlockShape::AlongK, 128), kDeepSeekDocument},
      BlockPreset{"fp8_128x128", float32_scaled(kE4M3, BlockShape::Square, 128), kDeepSeekDocument},
      BlockPreset{"int4_g32", float32_scaled(symmetric(4, 0), BlockShape::AlongK, 32), kInt4Document},
      BlockPreset{"int4_g64", float32_scaled(symmetric(4, 0), BlockShape::AlongK, 64), kInt4Document},
      BlockPreset{"int4_g128", float32_scaled(symmetric(4, 0), BlockShape::AlongK, 128), kInt4Document},
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
