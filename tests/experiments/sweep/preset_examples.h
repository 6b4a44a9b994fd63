#pragma once

#include <map>
#include <string>
#include <vector>

#include "experiments/sweep/recipe_presets.h"

namespace bitlaw {

/// A name for every published recipe, its numbers filled in, and the presets that round all slots alike.
inline std::vector<std::string> preset_examples() {
  std::vector<std::string> names{"float32", "bf16",  "fp8",   "mxfp8",   "mxfp6_e2m3",
                                 "mxfp4",   "nvfp4", "ue5m3", "int4_g32"};
  const std::map<std::string, std::string> numbers{{"{G}", "32"}, {"{E}", "2"}, {"{M}", "1"}, {"{B}", "16"}};
  for (const RecipePreset& preset : recipe_presets()) {
    std::string name(preset.name);
    for (const auto& [letter_in_braces, number] : numbers) {
      if (const auto at = name.find(letter_in_braces); at != std::string::npos) name.replace(at, 3, number);
    }
    names.push_back(name);
  }
  return names;
}

/// A file that trains 200 steps of a small transformer in that precision.
inline std::string preset_yaml(const std::string& name) {
  return "experiment: preset\ncorpus: {kind: synthetic, vocabulary: 8, length: 4096}\n"
         "model: {layers: 2, width: 32, heads: 1, ffn: 64, context: 16}\n"
         "training: {tokens: 6400, batch: 2, eval_tokens: 64}\nprecision: " +
         name + "\n";
}

}  // namespace bitlaw
