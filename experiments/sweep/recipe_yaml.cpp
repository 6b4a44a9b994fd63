#include "experiments/sweep/recipe_yaml.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <mutex>
#include <utility>

#include "core/base/closest.h"
#include "experiments/sweep/recipe_presets.h"
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

const Anchor* find_anchor(const YamlNode& entry) {
  const auto& all = anchors();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Anchor& a) { return a.name == entry.key; });
  return found == all.end() ? nullptr : &*found;
}

/// Keys beside the anchors.
const std::vector<std::string> kPrecisionKeys{"rules"};
const std::vector<std::string> kRuleKeys{"layers", "products", "first", "last", "from", "until"};

[[noreturn]] void refuse_entry(const YamlNode& entry, std::string_view where, std::span<const std::string> others) {
  std::vector<std::string> known;
  for (const Anchor& anchor : anchors()) known.emplace_back(anchor.name);
  known.insert(known.end(), others.begin(), others.end());
  refuse_key(entry, where, known);
}

using SlotDrafts = std::array<SlotDraft, kSlots>;

/// Applies the slots that `map` names to the drafts, from the general to the particular, and notes which those were.
std::array<bool, kSlots> apply_slots(const YamlNode& map, SlotDrafts& drafts) {
  std::array<bool, kSlots> named{};
  for (int rank = 0; rank <= 2; ++rank) {
    for (const YamlNode& entry : map.children) {
      const Anchor* anchor = find_anchor(entry);
      if (anchor == nullptr || anchor->rank != rank) continue;
      for (const Slot slot : anchor->slots) {
        const auto i = static_cast<std::size_t>(slot);
        drafts[i].apply(entry);
        named[i] = true;
      }
    }
  }
  return named;
}

/// Takes what a rule says beside its slots.
void apply_selection(const YamlNode& entry, RecipeRule& rule) {
  if (entry.key == "layers") {
    rule.layers = text_in(entry, "layers");
  } else if (entry.key == "products") {
    rule.products = choice_in(entry, "products", kProductKindNames);
  } else if (entry.key == "first") {
    rule.first = static_cast<int>(integer_in(entry, "first", 0, 100000));
  } else if (entry.key == "last") {
    rule.last = static_cast<int>(integer_in(entry, "last", 0, 100000));
  } else if (entry.key == "from") {
    rule.from = number_in(entry, "from", 0, 1);
  } else if (entry.key == "until") {
    rule.until = number_in(entry, "until", 0, 1);
  } else {
    refuse_entry(entry, "a rule", kRuleKeys);
  }
}

/// A rule's slots start as those of `base`, unless a preset alone says what they are.
RecipeRule rule_in(const YamlNode& node, const SlotDrafts& base) {
  RecipeRule rule;
  for (const YamlNode& entry : map_in(node, "a rule")) {
    if (find_anchor(entry) == nullptr) apply_selection(entry, rule);
  }
  SlotDrafts drafts = rule.products == ProductKind::Linear ? base : SlotDrafts{};
  for (const YamlNode& entry : node.children) {
    const Anchor* anchor = find_anchor(entry);
    if (anchor == nullptr || entry.kind != YamlNode::Kind::Scalar) continue;
    for (const Slot slot : anchor->slots) drafts[static_cast<std::size_t>(slot)] = {};
  }
  const auto named = apply_slots(node, drafts);
  if (std::count(named.begin(), named.end(), true) == 0) {
    throw InputError(node.place, "a rule names no slot, so it would change nothing; add for example all: bf16");
  }
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    if (named[i]) rule.slots[i] = drafts[i].finish(kSlotNames[i]);
  }
  return rule;
}

Recipe slots_in(const YamlNode& map, std::string name) {
  for (const YamlNode& entry : map_in(map, "precision")) {
    if (entry.key != "rules" && find_anchor(entry) == nullptr) refuse_entry(entry, "a precision", kPrecisionKeys);
  }
  SlotDrafts drafts;
  apply_slots(map, drafts);
  Recipe recipe{.name = std::move(name), .base = {}, .rules = {}};
  for (std::size_t i = 0; i < drafts.size(); ++i) recipe.base.slots[i] = drafts[i].finish(kSlotNames[i]);
  if (const YamlNode* rules = map.find("rules")) {
    for (const YamlNode& rule : list_in(*rules, "rules")) recipe.rules.push_back(rule_in(rule, drafts));
  }
  return recipe;
}

std::optional<Recipe> read_preset(std::string_view name) {
  if (const auto yaml = recipe_preset_yaml(name)) {
    return slots_in(parse_value(*yaml, fmt::format("precision {}", name)), std::string(name));
  }
  const std::optional<SlotSpec> slot = slot_preset(name);
  if (!slot) return std::nullopt;
  Recipe recipe{.name = std::string(name), .base = {}, .rules = {}};
  recipe.base.slots.fill(*slot);
  return recipe;
}

}  // namespace

std::optional<Recipe> recipe_preset(std::string_view name) {
  static std::mutex mutex;
  static std::map<std::string, std::optional<Recipe>, std::less<>> known;  // a sweep asks for the same ones many times
  const std::lock_guard lock(mutex);
  if (const auto found = known.find(name); found != known.end()) return found->second;
  return known.emplace(name, read_preset(name)).first->second;
}

std::map<std::string, Recipe> recipes_in(const YamlNode& precisions) {
  std::map<std::string, Recipe> recipes;
  for (const YamlNode& entry : map_in(precisions, "precisions")) {
    if (slot_preset(entry.key) || recipe_preset_yaml(entry.key)) {
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
  for (const RecipePreset& preset : recipe_presets()) names.emplace_back(preset.name);
  for (const auto& [own_name, recipe] : own) names.push_back(own_name);
  throw InputError(node.place,
                   fmt::format("unknown precision '{}', neither built in nor under 'precisions', so nothing "
                               "says how to round; {}",
                               name, remedy(name, names)));
}

std::string to_text(const RecipeRule& rule) {
  std::string text =
      fmt::format("products={} layers={} first={} last={} from={} until={}", name_of(rule.products, kProductKindNames),
                  rule.layers, rule.first, rule.last, rule.from, rule.until);
  for (std::size_t i = 0; i < rule.slots.size(); ++i) {
    if (rule.slots[i]) text += fmt::format(" {}=({})", kSlotNames[i], to_text(*rule.slots[i]));
  }
  return text;
}

}  // namespace bitlaw
