#include "simulators/quantized/layer_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace bitlaw {
namespace {

/// Whether `text` is `pattern`, in which * stands for any characters. Each piece between two * is taken where it first
/// occurs, which leaves the most for the rest, so nothing is tried twice.
bool matches(std::string_view pattern, std::string_view text) {
  const std::size_t star = pattern.find('*'), last = pattern.rfind('*');
  if (star == std::string_view::npos) return pattern == text;
  const std::string_view head = pattern.substr(0, star), tail = pattern.substr(last + 1);
  if (text.size() < head.size() + tail.size() || !text.starts_with(head) || !text.ends_with(tail)) return false;
  text = text.substr(head.size(), text.size() - head.size() - tail.size());
  for (std::string_view middle = pattern.substr(star, last - star); !middle.empty();) {  // each begins with a *
    const std::size_t end = std::min(middle.find('*', 1), middle.size());
    const std::string_view piece = middle.substr(1, end - 1);
    const std::size_t at = text.find(piece);
    if (at == std::string_view::npos) return false;
    text.remove_prefix(at + piece.size());
    middle.remove_prefix(end);
  }
  return true;
}

std::string_view group_of(const LinearShape& layer) {
  return std::string_view(layer.name).substr(0, layer.name.find('.'));
}

/// Running number of a layer's group among those of its kind, and how many there are.
std::pair<int, int> group_place(std::span<const LinearShape> layers, std::size_t layer) {
  std::vector<std::string_view> groups;
  for (const LinearShape& other : layers) {
    if (other.kind != layers[layer].kind) continue;
    if (std::find(groups.begin(), groups.end(), group_of(other)) == groups.end()) groups.push_back(group_of(other));
  }
  const auto found = std::find(groups.begin(), groups.end(), group_of(layers[layer]));
  return {static_cast<int>(found - groups.begin()), static_cast<int>(groups.size())};
}

/// The rule is for steps first_step(from) ... first_step(until) - 1.
std::int64_t first_step(double fraction, std::int64_t steps) {
  constexpr double kRounding = 1 - 1e-12;  // 0.55 * 100 comes out above 55
  return static_cast<std::int64_t>(std::ceil(fraction * static_cast<double>(steps) * kRounding));
}

LinearSlots slots_at(const Recipe& recipe, std::span<const LinearShape> layers, std::size_t layer, std::int64_t step,
                     std::int64_t steps) {
  LinearSlots slots = layers[layer].kind == ProductKind::Linear ? recipe.base : LinearSlots{};
  for (const RecipeRule& rule : recipe.rules) {
    if (!selects(rule, layers, layer)) continue;
    if (step < first_step(rule.from, steps) || step >= first_step(rule.until, steps)) continue;
    for (std::size_t i = 0; i < kSlots; ++i) {
      if (rule.slots[i]) slots.slots[i] = *rule.slots[i];
    }
  }
  return slots;
}

std::string_view name_of(Slot slot) { return kSlotNames[static_cast<std::size_t>(slot)]; }

struct ProductSlots {
  const char* name;
  Slot a, b;
};
constexpr std::array<ProductSlots, 3> kProducts{{{"y = x W^T", Slot::FwdX, Slot::FwdW},
                                                 {"dx = dy W", Slot::DgradG, Slot::DgradW},
                                                 {"dW = dy^T x", Slot::WgradG, Slot::WgradX}}};

std::optional<std::string> rotation_problem(const LinearSlots& slots, const LinearShape& layer) {
  const std::array<std::int64_t, 3> extents{layer.in, layer.out, layer.rows};
  for (std::size_t i = 0; i < kProducts.size(); ++i) {
    const auto& [name, a, b] = kProducts[i];
    const int size = slots[a].rotate;
    if (size != slots[b].rotate) {
      return fmt::format("{} rotates by {} and {} by {}, so the rotations would not cancel in {}", name_of(a), size,
                         name_of(b), slots[b].rotate, name);
    }
    if (size == 0) continue;
    if (slots[a].rotate_signs != slots[b].rotate_signs) {
      return fmt::format("{} and {} rotate with different signs, so the rotations would not cancel in {}", name_of(a),
                         name_of(b), name);
    }
    if (!rotation_of(slots[a]).is_valid()) {
      return fmt::format("{} rotates by {} with fixed signs, a list of 16", name_of(a), size);
    }
    if (extents[i] % size != 0) {
      return fmt::format("the rotation of size {} does not divide the {} terms that {} sums over in {}", size,
                         extents[i], name, layer.name);
    }
  }
  return std::nullopt;
}

}  // namespace

bool is_guided(const LinearSlots& slots) {
  return std::any_of(slots.slots.begin(), slots.slots.end(), [](const SlotSpec& slot) { return slot.guided; });
}

bool is_delayed(const LinearSlots& slots) {
  return std::any_of(slots.slots.begin(), slots.slots.end(),
                     [](const SlotSpec& slot) { return slot.delayed.has_value(); });
}

const SlotSpec* LayerPlan::learned(std::size_t layer, Slot slot) const {
  if (layers_.empty()) return nullptr;
  for (const Phase& phase : layers_[layer]) {
    if (phase.slots[slot].learned != Learned::None) return &phase.slots[slot];
  }
  return nullptr;
}

LayerPlan::LayerPlan(const Recipe& recipe, std::span<const LinearShape> layers, std::int64_t steps) {
  std::vector<std::int64_t> starts{0};
  for (const RecipeRule& rule : recipe.rules) {
    for (const double fraction : {rule.from, rule.until}) {
      if (const std::int64_t start = first_step(fraction, steps); start < steps) starts.push_back(start);
    }
  }
  std::sort(starts.begin(), starts.end());
  starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
  layers_.resize(layers.size());
  for (std::size_t layer = 0; layer < layers.size(); ++layer) {
    for (const std::int64_t start : starts) {
      LinearSlots slots = slots_at(recipe, layers, layer, start, steps);
      if (layers_[layer].empty() || layers_[layer].back().slots != slots) {
        layers_[layer].push_back({start, std::move(slots)});
      }
    }
  }
}

const LinearSlots& LayerPlan::slots(std::size_t layer, std::int64_t step) const {
  static const LinearSlots kFloat32;
  if (layers_.empty()) return kFloat32;
  const std::vector<Phase>& phases = layers_[layer];
  const auto after =
      std::find_if(phases.begin() + 1, phases.end(), [step](const Phase& phase) { return phase.first_step > step; });
  return (after - 1)->slots;
}

bool selects(const RecipeRule& rule, std::span<const LinearShape> layers, std::size_t layer) {
  if (layers[layer].kind != rule.products || !matches(rule.layers, layers[layer].name)) return false;
  if (rule.first == 0 && rule.last == 0) return true;
  const auto [group, groups] = group_place(layers, layer);
  return group < rule.first || group >= groups - rule.last;
}

std::optional<std::string> recipe_problem(const Recipe& recipe, std::span<const LinearShape> layers,
                                          std::int64_t steps) {
  for (const RecipeRule& rule : recipe.rules) {
    bool used = false;
    for (std::size_t layer = 0; layer < layers.size(); ++layer) used = used || selects(rule, layers, layer);
    if (!used) {
      std::vector<std::string> names;
      for (const LinearShape& layer : layers) {
        if (layer.kind == rule.products) names.push_back(layer.name);
      }
      return fmt::format("the rule for layers '{}' matches none of the model's, {}", rule.layers,
                         names.empty() ? "which has no such products" : names.front() + " to " + names.back());
    }
    if (first_step(rule.from, steps) >= first_step(rule.until, steps)) {
      return fmt::format("the rule for layers '{}' from {} until {} of training covers none of the {} steps",
                         rule.layers, rule.from, rule.until, steps);
    }
  }
  const LayerPlan plan(recipe, layers, steps);
  for (std::size_t layer = 0; layer < layers.size(); ++layer) {
    for (const LayerPlan::Phase& phase : plan.phases(layer)) {
      if (auto problem = rotation_problem(phase.slots, layers[layer])) return problem;
      if (layers[layer].kind != ProductKind::Attention) continue;
      if (is_guided(phase.slots)) {
        return fmt::format("{} is guided by the mean of its weights and has none", layers[layer].name);
      }
      if (is_delayed(phase.slots)) {
        return fmt::format(
            "{} would be scaled by what it was in earlier steps, which only linear layers and the head are",
            layers[layer].name);
      }
      if (phase.slots[Slot::FwdX].learned != Learned::None || phase.slots[Slot::FwdW].learned != Learned::None) {
        return fmt::format("{} would learn a parameter of its scales, which only linear layers and the head do",
                           layers[layer].name);
      }
    }
  }
  return std::nullopt;
}

}  // namespace bitlaw
