#include "experiments/sweep/recipe_presets.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>

namespace bitlaw {
namespace {

constexpr std::array kPresets{
    RecipePreset{"fp8_hybrid",
                 "{forward: fp8_tensor, weights: fp8_tensor, activations: fp8_tensor, "
                 "gradients: {preset: fp8_tensor, format: e5m2}}",
                 "Micikevicius et al. 2022, arXiv:2209.05433: E4M3 forward, E5M2 for gradients; a scale per tensor"},
    RecipePreset{"fp8_delayed",
                 "{all: {preset: fp8_tensor, delayed: {history: 1024, every: 1, margin: 1, current: false}}, "
                 "gradients: {format: e5m2}}",
                 "DelayedScaling of TransformerEngine, its defaults: E4M3 forward, E5M2 for gradients, scaled by the "
                 "largest magnitude of the last 1024 steps. There a tensor has one history for both of its products "
                 "and a first scale of 1; here each operand has its own, which begins with the first step's"},
    RecipePreset{"fp8_rowwise", "{all: fp8_channel}",
                 "a scale per row of each operand, as in torchao's rowwise recipe; E4M3 throughout"},
    RecipePreset{"nvfp4_pretraining",
                 "{all: nvfp4, weights: nvfp4_16x16, gradients: {round: stochastic},"
                 " wgrad.g: {rotate: 16, rotate_signs: fixed}, wgrad.x: {rotate: 16, rotate_signs: fixed},"
                 " rules: [{last: 1, all: bf16}]}",
                 "NVIDIA 2025, arXiv:2509.25149. There about 15 % of the linear layers stay in bfloat16, most of them "
                 "at the end; here the last block"},
    RecipePreset{"fp4_all_the_way", "{all: nvfp4, gradients: {round: stochastic}, wgrad.x: {round: stochastic}}",
                 "Chmiel et al. 2025, arXiv:2505.19115: stochastic for the gradients and for the update's activations"},
    RecipePreset{"quartet",
                 "{all: {preset: mxfp4, rotate: 32}, forward: {statistic: rms, rule: nearest, scale_round: toward_zero,"
                 " gradient: trust_mask}, backward: {rule: round_up}}",
                 "Castro et al. 2025, arXiv:2505.14669: rotated forward with the clip of least square error and its "
                 "mask on the gradient, rotated backward to nearest. There backward scales are floored after the "
                 "elements shrink by 3/4; here they are rounded up, which never clips either"},
    RecipePreset{"tetrajet", "{all: {preset: mxfp4, rule: round_up}, backward: {round: stochastic}}",
                 "Chen et al. 2025, arXiv:2502.20853: truncation-free scales, stochastic in all operands of backward"},
    RecipePreset{"ue5m3_training", "{all: ue5m3, weights: {block: 16x16}, gradients: {round: stochastic_b, bits: 8}}",
                 "arXiv:2609.02846: square blocks for weights, 8 random bits for gradients"},
    RecipePreset{"qat_w4a4_g{G}", "{forward: {preset: int4_g128, block: {G}}}",
                 "Chen et al. 2025, arXiv:2505.14302: INT4 forward in groups of G, gradients straight through"},
    RecipePreset{"qat_w4a16_g{G}", "{fwd.w: {preset: int4_g128, block: {G}}}", "as qat_w4a4, weights alone"},
    RecipePreset{"qat_w16a4_g{G}", "{fwd.x: {preset: int4_g128, block: {G}}}", "as qat_w4a4, activations alone"},
    RecipePreset{"qat_w4a4_fc2int8_g{G}",
                 "{forward: {preset: int4_g128, block: {G}},"
                 " rules: [{layers: '*.mlp.down', fwd.x: {format: 'int8,symmetric'}}]}",
                 "as qat_w4a4, with 8 bits for the input of the second projection of an MLP"},
    RecipePreset{"capybara_e{E}m{M}_b{B}",
                 "{weights: {format: 'e{E}m{M},finite', block: {B}, scale: float32},"
                 " wgrad.x: {format: 'e{E}m{M},finite', block: {B}, scale: float32}}",
                 "Sun et al. 2025, arXiv:2501.02423: P2, P4 and P6, that is weights in both products and activations "
                 "in the weights' gradient"},
    RecipePreset{"capybara_e{E}m{M}_channel",
                 "{weights: {format: 'e{E}m{M},finite', block: channel, scale: float32},"
                 " wgrad.x: {format: 'e{E}m{M},finite', block: channel, scale: float32}}",
                 "the same with a scale per channel"},
    RecipePreset{"capybara_e{E}m{M}_tensor",
                 "{weights: {format: 'e{E}m{M},finite', block: tensor, scale: float32},"
                 " wgrad.x: {format: 'e{E}m{M},finite', block: tensor, scale: float32}}",
                 "the same with a scale per tensor"},
};

using Numbers = std::map<char, std::string>;

/// The numbers for which `pattern` is `name`, or nothing.
std::optional<Numbers> match(std::string_view pattern, std::string_view name) {
  Numbers numbers;
  while (!pattern.empty()) {
    if (pattern.front() != '{') {
      if (name.empty() || name.front() != pattern.front()) return std::nullopt;
      pattern.remove_prefix(1);
      name.remove_prefix(1);
      continue;
    }
    const auto end = std::find_if(name.begin(), name.end(), [](char c) { return c < '0' || c > '9'; });
    const auto digits = static_cast<std::size_t>(end - name.begin());
    if (digits == 0 || digits > 6 || (digits > 1 && name.front() == '0')) return std::nullopt;
    numbers[pattern[1]] = name.substr(0, digits);
    name.remove_prefix(digits);
    pattern.remove_prefix(3);
  }
  if (!name.empty()) return std::nullopt;
  return numbers;
}

}  // namespace

std::span<const RecipePreset> recipe_presets() { return kPresets; }

std::optional<std::string> recipe_preset_yaml(std::string_view name) {
  for (const RecipePreset& preset : kPresets) {
    const auto numbers = match(preset.name, name);
    if (!numbers) continue;
    std::string yaml(preset.yaml);
    for (const auto& [letter, number] : *numbers) {
      const std::string letter_in_braces{'{', letter, '}'};
      for (auto at = yaml.find(letter_in_braces); at != std::string::npos; at = yaml.find(letter_in_braces)) {
        yaml.replace(at, letter_in_braces.size(), number);
      }
    }
    return yaml;
  }
  return std::nullopt;
}

}  // namespace bitlaw
