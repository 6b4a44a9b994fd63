#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/block/block_spec.h"
#include "core/block/delayed_amax.h"
#include "core/record/run_record.h"
#include "core/transform/hadamard.h"
#include "simulators/quantized/surrogate.h"

namespace bitlaw {

/// The six operands of a linear layer's three matrix products, each independently quantized:
///   y = q1(x) q2(W)^T      dx = q3(dy) q4(W)      dW = q5(dy)^T q6(x)
enum class Slot : std::uint8_t {
  FwdX,
  FwdW,
  DgradG,
  DgradW,
  WgradG,
  WgradX
};
inline constexpr int kSlots = 6;
/// Spelling in YAML, in the order of Slot.
inline constexpr std::array<std::string_view, kSlots> kSlotNames{"fwd.x",   "fwd.w",   "dgrad.g",
                                                                 "dgrad.w", "wgrad.g", "wgrad.x"};

/// Whether block.parameter, a step or a share of the largest magnitude, is trained from its value on
/// (learned_scales.h).
enum class Learned : std::uint8_t {
  None,
  Layer,  ///< one for the operand of a layer
  Groups  ///< one for each block of W, and for each group along K of x, which all its rows share
};
inline constexpr std::array<EnumName<Learned>, 3> kLearnedNames{
    {{"false", Learned::None}, {"true", Learned::Layer}, {"groups", Learned::Groups}}};

/// What happens to one operand. `block` unset: it stays in float32.
struct SlotSpec {
  std::optional<BlockSpec> block;
  Rounding rounding = {};
  /// Size of the Hadamard rotation along K before quantization, 0: none. Both operands of a product must have the same
  /// size and kind of signs; they then share the signs, so that the rotation cancels in the product.
  int rotate = 0;
  HadamardSigns rotate_signs = HadamardSigns::Random;      ///< Fixed: TransformerEngine's, for size 16 only
  std::optional<FormatSpec> rotate_result = std::nullopt;  ///< what the rotated operand is rounded to, e.g. bfloat16
  bool guided = false;  ///< FwdW and DgradW: quantize_guided() by the mean of the weights, whatever `rounding`
  Learned learned = Learned::None;  ///< FwdX and FwdW
  GradientSpec gradient = {};       ///< FwdX and FwdW: what stands for the derivative of the rounding
  /// The operand's largest magnitude is that of earlier steps (delayed_scales.h): of a scale per tensor, or of the
  /// second level. What is larger saturates.
  std::optional<DelayedScaling> delayed = std::nullopt;

  friend bool operator==(const SlotSpec&, const SlotSpec&) = default;
};

/// The rotation of a slot that has one.
HadamardSpec rotation_of(const SlotSpec& slot);

/// What happens to the six operands of one layer.
struct LinearSlots {
  std::array<SlotSpec, kSlots> slots;

  const SlotSpec& operator[](Slot slot) const { return slots[static_cast<std::size_t>(slot)]; }
  SlotSpec& operator[](Slot slot) { return slots[static_cast<std::size_t>(slot)]; }
  friend bool operator==(const LinearSlots&, const LinearSlots&) = default;
};

/// Whether any operand is rounded or rotated.
bool is_quantized(const LinearSlots& slots);

/// Which products a rule is for. Attention's are S = Q K^T (fwd.x = Q, fwd.w = K) and O = P V (fwd.x = P, fwd.w = V^T).
enum class ProductKind : std::uint8_t {
  Linear,
  Attention,
  Head
};
inline constexpr std::array<EnumName<ProductKind>, 3> kProductKindNames{
    {{"linear", ProductKind::Linear}, {"attention", ProductKind::Attention}, {"head", ProductKind::Head}}};

/// An exception to a recipe: other slots for some layers, for a part of training.
struct RecipeRule {
  ProductKind products = ProductKind::Linear;
  std::string layers = "*";  ///< pattern of names, * for any characters
  int first = 0;             ///< the first so many groups (blocks of a transformer) and the `last` so many; both 0: all
  int last = 0;
  double from = 0;  ///< in fractions of the run's steps: [from, until)
  double until = 1;
  std::array<std::optional<SlotSpec>, kSlots> slots;  ///< those that change

  friend bool operator==(const RecipeRule&, const RecipeRule&) = default;
};

/// Where and how products round: `base` in all linear layers, then the rules in order, slot by slot the last that
/// selects a layer. Attention's products, the head and everything else stay in float32 unless a rule names them.
struct Recipe {
  std::string name = "float32";
  LinearSlots base;
  std::vector<RecipeRule> rules;

  const SlotSpec& operator[](Slot slot) const { return base[slot]; }
  SlotSpec& operator[](Slot slot) { return base[slot]; }
};

/// The numbers that laws take from a recipe: those of its narrowest element format (the first such slot's).
struct RecipeSummary {
  int exponent_bits = 8;                        ///< E; float32: 8
  int mantissa_bits = 23;                       ///< M; float32: 23
  std::int64_t block_size = kUnquantizedBlock;  ///< as in RunRecord
};
RecipeSummary summarise(const Recipe& recipe);

}  // namespace bitlaw
