#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "experiments/sweep/yaml_node.h"
#include "simulators/quantized/recipe.h"

namespace bitlaw {

/// A recipe that every file may name: float32, bf16, fp8 (E4M3, one scale per tensor) or a block preset in all slots,
/// or one of recipe_presets().
std::optional<Recipe> recipe_preset(std::string_view name);

/// The named recipes of a file: its key `precisions`, name -> slots. InputError for a name that is built in.
std::map<std::string, Recipe> recipes_in(const YamlNode& precisions);

/// What the key `precision` says: a name among `own` and the presets, or a map of slots, which is called "custom".
///
/// A map goes from the general to the particular: `all`, then `forward`, `backward`, `weights`, `activations` and
/// `gradients` in file order, then single slots. Each sets the fields that it gives: format, block, scale, rule,
/// tensor_target (or all five by `preset`), round, rotate. Slots that nothing names stay in float32. `rules` is a list
/// of exceptions: maps of layers, products, first, last, from, until (RecipeRule) and slots. A rule's slot starts as
/// the recipe's, and takes the fields that the rule gives; a preset alone replaces it.
Recipe recipe_in(const YamlNode& node, const std::map<std::string, Recipe>& own);

/// Canonical text of a rule.
std::string to_text(const RecipeRule& rule);

}  // namespace bitlaw
