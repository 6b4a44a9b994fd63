#include "experiments/sweep/recipe_yaml.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "core/base/closest.h"
#include "experiments/sweep/slot_yaml.h"

namespace bitlaw {
namespace {

struct Anchor {
  std::string_view name;
  std::vector<Slot> slots;
  int rank;  ///< the higher one wins where two name the same slot
};

const std::vector<Anchor>& anchors() {
  using enum Slot;
  static const std::vector<Anchor> kAnchors{
      {"all", {FwdX, FwdW, DgradG, DgradW, WgradG, WgradX}, 0},
      {"forward", {FwdX, FwdW}, 1},
      {"backward", {DgradG, DgradW, WgradG, WgradX}, 1},
      {"weights", {FwdW, DgradW}, 1},
      {"activations", {FwdX, WgradX}, 1},
      {"gradients", {DgradG, WgradG}, 1},
      {"fwd.x", {FwdX}, 2},
      {"fwd.w", {FwdW}, 2},
      {"dgrad.g", {DgradG}, 2},
      {"dgrad.w", {DgradW}, 2},
      {"wgrad.g", {WgradG}, 2},
      {"wgrad.x", {WgradX}, 2},
  };
  return kAnchors;
}

const Anchor& anchor_of(const YamlNode& entry) {
  std::vector<std::string> names;
  for (const Anchor& anchor : anchors()) {
    if (anchor.name == entry.key) return anchor;
    names.emplace_back(anchor.name);
  }
  refuse_key(entry, "a precision", names);
}

Recipe slots_in(const YamlNode& map, std::string name) {
  std::array<SlotDraft, kSlots> drafts;
  for (int rank = 0; rank <= 2; ++rank) {
    for (const YamlNode& entry : map_in(map, "precision")) {
      const Anchor& anchor = anchor_of(entry);
      if (anchor.rank != rank) continue;
      for (const Slot slot : anchor.slots) drafts[static_cast<std::size_t>(slot)].apply(entry);
    }
  }
  Recipe recipe{.name = std::move(name), .base = {}, .rules = {}};
  for (std::size_t i = 0; i < drafts.size(); ++i) recipe.base.slots[i] = drafts[i].finish(kSlotNames[i]);
  return recipe;
}

}  // namespace

std::optional<Recipe> recipe_preset(std::string_view name) {
  const std::optional<SlotSpec> slot = slot_preset(name);
  if (!slot) return std::nullopt;
  Recipe recipe{.name = std::string(name), .base = {}, .rules = {}};
  recipe.base.slots.fill(*slot);
  return recipe;
}

std::map<std::string, Recipe> recipes_in(const YamlNode& precisions) {
  std::map<std::string, Recipe> recipes;
  for (const YamlNode& entry : map_in(precisions, "precisions")) {
    if (slot_preset(entry.key)) {
      throw InputError(entry.key_place, fmt::format("precision '{}' is built in, so the name would mean two things; "
                                                    "choose another name",
                                                    entry.key));
    }
    if (entry.kind != YamlNode::Kind::Map) {
      throw InputError(entry.place, fmt::format("precision '{}' is {}, not a map of slots; write for example "
                                                "{{forward: mxfp8}}",
                                                entry.key, description(entry)));
    }
    recipes.emplace(entry.key, slots_in(entry, entry.key));
  }
  return recipes;
}

Recipe recipe_in(const YamlNode& node, const std::map<std::string, Recipe>& own) {
  if (node.kind == YamlNode::Kind::Map) return slots_in(node, "custom");
  const std::string name = text_in(node, "precision");
  if (const auto found = own.find(name); found != own.end()) return found->second;
  if (auto preset = recipe_preset(name)) return *preset;
  std::vector<std::string> names = slot_preset_names();
  for (const auto& [own_name, recipe] : own) names.push_back(own_name);
  throw InputError(node.place,
                   fmt::format("unknown precision '{}', neither built in nor under 'precisions', so nothing "
                               "says how to round; {}",
                               name, remedy(name, names)));
}

}  // namespace bitlaw
