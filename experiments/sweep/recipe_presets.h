#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace bitlaw {

/// A published training recipe in the language of a file's `precision`.
struct RecipePreset {
  /// The name; G, E, M and B after a { stand for a number that the user writes: "qat_w4a4_g{G}" takes qat_w4a4_g128.
  std::string_view name;
  std::string_view yaml;      ///< a map of slots and rules; {G} and the like are replaced
  std::string_view document;  ///< where it is defined, and what differs here
};

/// All of them. Each is parsed like a user's own text, so that --explain and run ids cannot tell them apart.
std::span<const RecipePreset> recipe_presets();

/// The text of the recipe of this name with its numbers filled in, or nothing.
std::optional<std::string> recipe_preset_yaml(std::string_view name);

}  // namespace bitlaw
