#include "simulators/model/rotation_problem.h"

#include <fmt/format.h>

#include <array>
#include <span>

namespace bitlaw {
namespace {

std::string_view name_of(Slot slot) { return kSlotNames[static_cast<std::size_t>(slot)]; }

struct ProductSlots {
  const char* name;
  Slot a, b;
};
constexpr std::array<ProductSlots, 3> kProducts{{{"y = x W^T", Slot::FwdX, Slot::FwdW},
                                                 {"dx = dy W", Slot::DgradG, Slot::DgradW},
                                                 {"dW = dy^T x", Slot::WgradG, Slot::WgradX}}};

}  // namespace

std::optional<std::string> rotation_problem(const Recipe& recipe, const ModelConfig& model,
                                            std::int64_t tokens_per_step) {
  const std::int64_t qkv = (model.heads + 2L * model.kv_heads) * model.head_width();
  const std::int64_t forward_k[] = {model.width, model.heads * static_cast<std::int64_t>(model.head_width()),
                                    model.ffn_width()};
  const std::int64_t dgrad_k[] = {qkv, model.width, 2L * model.ffn_width()};
  const std::int64_t wgrad_k[] = {tokens_per_step};
  const std::span<const std::int64_t> extents[] = {forward_k, dgrad_k, wgrad_k};
  for (std::size_t i = 0; i < kProducts.size(); ++i) {
    const auto& [name, a, b] = kProducts[i];
    const int size = recipe[a].rotate;
    if (size != recipe[b].rotate) {
      return fmt::format("{} rotates by {} and {} by {}, so the rotations would not cancel in {}", name_of(a), size,
                         name_of(b), recipe[b].rotate, name);
    }
    if (size > 0 && recipe[a].rotate_signs != recipe[b].rotate_signs) {
      return fmt::format("{} and {} rotate with different signs, so the rotations would not cancel in {}", name_of(a),
                         name_of(b), name);
    }
    if (size > 0 && !rotation_of(recipe[a]).is_valid()) {
      return fmt::format("{} rotates by {} with fixed signs, a list of 16", name_of(a), size);
    }
    for (const std::int64_t k : extents[i]) {
      if (size > 0 && k % size != 0) {
        return fmt::format("the rotation of size {} does not divide the {} terms that {} sums over", size, k, name);
      }
    }
  }
  return std::nullopt;
}

}  // namespace bitlaw
