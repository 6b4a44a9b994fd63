#include <doctest/doctest.h>

#include <sstream>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <string>

#include "core/block/block_presets.h"
#include "core/block/quantize_blocks.h"
#include "core/format/catalog.h"
#include "core/format/element.h"
#include "experiments/sweep/recipe_yaml.h"
#include "experiments/sweep/slot_yaml.h"
#include "tests/support/message_of.h"

namespace bitlaw {
namespace {

Recipe recipe(std::string_view yaml) { return recipe_in(parse_value(yaml, "r"), {}); }

const BlockSpec kMxfp4{.element = kE2M1,
                       .shape = BlockShape::AlongK,
                       .size = 32,
                       .scale = kE8M0,
                       .rule = ScaleRule::OcpFloor,
                       .tensor_target = {}};

TEST_CASE("recipe: a preset fills all six slots") {
  for (const SlotSpec& slot : recipe("mxfp4").base.slots) CHECK(slot == SlotSpec{.block = kMxfp4});
  for (const SlotSpec& slot : recipe("float32").base.slots) CHECK(slot == SlotSpec{});
  CHECK(recipe("fp8")[Slot::FwdX].block->element == kE4M3);
  CHECK(recipe("fp8")[Slot::FwdX].block->shape == BlockShape::Tensor);
  CHECK(recipe("nvfp4")[Slot::WgradX].block == block_preset("nvfp4"));
}

TEST_CASE("recipe: every field has its spelling") {
  const SlotSpec slot = recipe(
      "{fwd.x: {format: e3m2, block: 16, scale: ue4m3, rule: round_up, tensor_target: 2688, "
      "round: stochastic, rotate: 16}, fwd.w: {rotate: 16}}")[Slot::FwdX];
  const SlotSpec expected{.block = BlockSpec{.element = kE3M2,
                                             .shape = BlockShape::AlongK,
                                             .size = 16,
                                             .scale = kUE4M3,
                                             .rule = ScaleRule::RoundUp,
                                             .tensor_target = 2688.0},
                          .rounding = RoundingMode::StochasticExact,
                          .rotate = 16};
  CHECK(slot == expected);
}

TEST_CASE("recipe: a slot's format may be a codebook, by name or as the list of its values") {
  const SlotSpec named = recipe("{fwd.x: {format: nf4, block: 64, scale: float32}}")[Slot::FwdX];
  CHECK(named.block->codebook == nf4());
  CHECK(to_text(named) == "nf4 block=64 scale=float32 rule=nearest round=nearest");
  const SlotSpec list = recipe("{fwd.x: {preset: mxfp4, format: [-1, -0.5, 0, 0.5, 1]}}")[Slot::FwdX];
  CHECK(list.block->codebook == Codebook{-1, -0.5, 0, 0.5, 1});
  CHECK(to_text(list) == "codebook[-1,-0.5,0,0.5,1] block=32 scale=e8m0 rule=ocp_floor round=nearest");
  CHECK(recipe("{fwd.x: {format: e4m3}, forward: {format: nf4, block: 64}}")[Slot::FwdX].block->codebook ==
        std::nullopt);
  CHECK(message_of([] { recipe("{fwd.x: {format: [0, 0.5, 1], block: 64}}"); }) ==
        "r: format 'codebook[0,0.5,1]' has values of one sign only, so it cannot hold weights, activations or "
        "gradients; use a codebook with both signs");
  CHECK(message_of([] { recipe("{fwd.x: {format: [-1, 1, 1], block: 64}}"); }) ==
        "r: 1 is twice in a codebook (as float32), so it has two codes; leave one out");
}

TEST_CASE(
    "recipe: a list means the codebook that the same list means as a name, to the last bit and up to float32's end") {
  // 1 + 2^-24 and a bit more is the middle of two float32 as double: through double it would become 1.
  for (const std::string values : {"-1,1.000000059604644775390625001", "-3.4e38,0,3.4e38"}) {
    CHECK(recipe("{fwd.x: {format: [" + values + "], block: 64}}")[Slot::FwdX].block->codebook ==
          parse_codebook("codebook[" + values + "]"));
  }
}

TEST_CASE("recipe: anchors name the operands that the design lists") {
  using enum Slot;
  struct Row {
    const char* anchor;
    std::vector<Slot> slots;
  };
  for (const Row& row : {Row{"all", {FwdX, FwdW, DgradG, DgradW, WgradG, WgradX}},
                         {"forward", {FwdX, FwdW}},
                         {"backward", {DgradG, DgradW, WgradG, WgradX}},
                         {"weights", {FwdW, DgradW}},
                         {"activations", {FwdX, WgradX}},
                         {"gradients", {DgradG, WgradG}},
                         {"dgrad.w", {DgradW}}}) {
    CAPTURE(row.anchor);
    const Recipe parsed = recipe("{" + std::string(row.anchor) + ": mxfp4}");
    std::vector<Slot> quantized;
    for (int i = 0; i < kSlots; ++i) {
      if (parsed.base.slots[static_cast<std::size_t>(i)].block) quantized.push_back(static_cast<Slot>(i));
    }
    CHECK(quantized == row.slots);
  }
}

TEST_CASE("recipe: the particular overrides the general field by field, wherever it stands") {
  const Recipe parsed = recipe(
      "{wgrad.g: {round: nearest}, backward: {round: stochastic}, all: mxfp4, "
      "gradients: {block: channel}, weights: float32}");
  CHECK(parsed[Slot::FwdX] == SlotSpec{.block = kMxfp4});
  CHECK(parsed[Slot::FwdW] == SlotSpec{});
  CHECK(parsed[Slot::DgradW] == SlotSpec{});
  SlotSpec channel{.block = kMxfp4};
  channel.block->shape = BlockShape::Channel;
  CHECK(parsed[Slot::WgradG] == channel);
  channel.rounding = RoundingMode::StochasticExact;
  CHECK(parsed[Slot::DgradG] == channel);
  CHECK(parsed[Slot::WgradX] == SlotSpec{.block = kMxfp4, .rounding = RoundingMode::StochasticExact});
}

TEST_CASE("recipe: all roundings have their names, the old short ones too") {
  const auto rounding = [](const std::string& words) {
    return recipe("{all: {format: e4m3, block: 32, " + words + "}}")[Slot::FwdX].rounding;
  };
  CHECK(rounding("round: nearest") == RoundingMode::TiesToEven);
  CHECK(rounding("round: stochastic") == RoundingMode::StochasticExact);
  CHECK(rounding("round: ties_to_even") == RoundingMode::TiesToEven);
  CHECK(rounding("round: ties_to_away") == RoundingMode::TiesToAway);
  CHECK(rounding("round: ties_toward_zero") == RoundingMode::TiesTowardZero);
  CHECK(rounding("round: toward_zero") == RoundingMode::TowardZero);
  CHECK(rounding("round: toward_positive") == RoundingMode::TowardPositive);
  CHECK(rounding("round: toward_negative") == RoundingMode::TowardNegative);
  CHECK(rounding("round: to_odd") == RoundingMode::ToOdd);
  CHECK(rounding("round: stochastic_a, bits: 1") == Rounding(RoundingMode::StochasticA, 1));
  CHECK(rounding("round: stochastic_b, bits: 8") == Rounding(RoundingMode::StochasticB, 8));
  CHECK(rounding("bits: 32, round: stochastic_c") == Rounding(RoundingMode::StochasticC, 32));
  CHECK(rounding("round: stochastic_exact") == RoundingMode::StochasticExact);
}

TEST_CASE("recipe: a particular rounding does not inherit the bits of a general one") {
  const Recipe parsed = recipe(
      "{all: {format: e4m3, block: 32, round: stochastic_a, bits: 8}, forward: {round: nearest}, gradients: {bits: "
      "4}}");
  CHECK(parsed[Slot::FwdW].rounding == RoundingMode::TiesToEven);
  CHECK(parsed[Slot::WgradX].rounding == Rounding(RoundingMode::StochasticA, 8));
  CHECK(parsed[Slot::DgradG].rounding == Rounding(RoundingMode::StochasticA, 4));
}

TEST_CASE("recipe: the canonical text, of which run ids are made, has the mode and its bits") {
  const auto text = [](const std::string& words) {
    return to_text(recipe("{all: {format: e4m3, block: 32, " + words + "}}")[Slot::FwdX]);
  };
  CHECK(text("round: ties_to_even") == "e4m3 block=32 scale=float32 rule=nearest round=nearest");
  CHECK(text("round: stochastic_exact") == "e4m3 block=32 scale=float32 rule=nearest round=stochastic");
  CHECK(text("round: stochastic_a, bits: 8") == "e4m3 block=32 scale=float32 rule=nearest round=stochastic_a bits=8");
}

/// The nearest bfloat16, ties to even: the upper half of the float's bits after adding half an ulp less one if even.
float nearest_bfloat16(float v) {
  const auto bits = std::bit_cast<std::uint32_t>(v);
  return std::bit_cast<float>((bits + 0x7FFFU + (bits >> 16 & 1U)) & 0xFFFF0000U);
}

TEST_CASE("recipe: bf16 is plain rounding to bfloat16 whatever the tensor's scale") {
  const SlotSpec slot = *slot_preset("bf16");
  for (const float amax : {0x1p-90F, 3.0F, 0x1.fffffep0F, 0x1p60F}) {
    CAPTURE(amax);
    std::vector<float> x{amax, -amax, 0.0F};
    for (int i = 0; i < 4000; ++i) {  // all magnitudes within 2^30 below amax, with midpoints among them
      const float part = std::ldexp(1.0F + static_cast<float>(i * 37 % 4001) / 4001.0F, -(i % 30) - 1);
      x.push_back((i % 2 == 0 ? amax : -amax) * part);
      x.push_back(std::ldexp(amax > 2 ? 257.0F + 2.0F * static_cast<float>(i % 64) : 257.0F, -(i % 20) - 10) *
                  std::min(amax, 1.0F));
    }
    std::vector<float> out(x.size());
    const auto size = static_cast<std::int64_t>(x.size());
    quantize_blocks(*slot.block, slot.rounding, KAxis::Cols, ConstMatrixView<float>(x.data(), 1, size, size),
                    MatrixView<float>(out.data(), 1, size, size), {});
    int wrong = 0;
    for (std::size_t i = 0; i < x.size(); ++i) wrong += out[i] != nearest_bfloat16(x[i]);
    CHECK(wrong == 0);
  }
}

TEST_CASE("recipe: presets that are not the same have other canonical texts, and so other run ids") {
  for (const std::string& a : slot_preset_names()) {
    for (const std::string& b : slot_preset_names()) {
      CAPTURE(a);
      CAPTURE(b);
      CHECK((to_text(*slot_preset(a)) == to_text(*slot_preset(b))) == (*slot_preset(a) == *slot_preset(b)));
    }
  }
}

TEST_CASE("recipe: the canonical text tells rotations apart that give other bits") {
  SlotSpec slot = *slot_preset("nvfp4");
  slot.rotate = 16;
  const std::string plain = to_text(slot);
  CHECK(plain.ends_with(" rotate=16"));
  slot.rotate_signs = HadamardSigns::Fixed;
  CHECK(to_text(slot) == plain + " rotate_signs=fixed");
  slot.rotate_result = kBfloat16;
  CHECK(to_text(slot) == plain + " rotate_signs=fixed rotate_result=bfloat16");
  // TransformerEngine's recipe; a slot that does not rotate has the bits of one that never did.
  const Recipe read = recipe(
      "{all: {preset: nvfp4, rotate: 16, rotate_signs: fixed, rotate_result: bfloat16}, forward: {rotate: 0}, "
      "wgrad.g: {rotate_result: float32, rotate_signs: none}}");
  CHECK(read[Slot::DgradG] == slot);
  CHECK(read[Slot::FwdX] == *slot_preset("nvfp4"));
  CHECK(to_text(read[Slot::WgradG]) == plain + " rotate_signs=none");
}

TEST_CASE("recipe: the canonical text reads back as the same slot") {
  for (const std::string& name : slot_preset_names()) {
    CAPTURE(name);
    const SlotSpec slot = *slot_preset(name);
    if (!slot.block) {
      CHECK(to_text(slot) == "float32");
      continue;
    }
    // "e2m1 block=16 ..." as the fields of a YAML map; names such as int8:frac=6,symmetric are quoted.
    std::istringstream words("format=" + to_text(slot));
    std::string fields, word;
    while (words >> word) {
      const auto at = word.find('=');
      const std::string value = word.substr(at + 1);
      const std::string quote = value.find_first_of(":,") == std::string::npos ? "" : "'";
      fields += (fields.empty() ? "" : ", ") + word.substr(0, at) + ": " + quote + value + quote;
    }
    CAPTURE(fields);
    CHECK(recipe("{all: {" + fields + "}}")[Slot::DgradG] == slot);
  }
}

}  // namespace
}  // namespace bitlaw
