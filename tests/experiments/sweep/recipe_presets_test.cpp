#include "experiments/sweep/recipe_presets.h"

#include <doctest/doctest.h>

#include <cmath>
#include <map>

#include "experiments/sweep/recipe_yaml.h"
#include "experiments/sweep/slot_yaml.h"
#include "simulators/train/trainer.h"
#include "tests/experiments/sweep/plan_text.h"
#include "tests/experiments/sweep/preset_examples.h"
#include "tests/support/long_test.h"
#include "tests/support/message_of.h"

namespace bitlaw {
namespace {

Recipe preset(const std::string& name) {
  const auto recipe = recipe_preset(name);
  REQUIRE(recipe);
  return *recipe;
}

/// The slots in the order fwd.x fwd.w dgrad.g dgrad.w wgrad.g wgrad.x, a letter for each distinct text; - is float32.
std::string pattern(const Recipe& recipe) {
  std::map<std::string, char> letters;
  std::string pattern;
  for (const SlotSpec& slot : recipe.base.slots) {
    const auto next = static_cast<char>('A' + letters.size());
    pattern += slot == SlotSpec{} ? '-' : letters.emplace(to_text(slot), next).first->second;
  }
  return pattern;
}

// arXiv:2509.25149 section 4: 16 x 16 blocks for weights in both products, stochastic rounding of gradients alone, a
// fixed 16 x 16 rotation of the inputs of the weights' gradient alone, sensitive layers in bfloat16.
/// The message by which a recipe is refused.
std::string recipe_refusal(std::string_view yaml) {
  return message_of([&] { recipe_in(parse_value(yaml, "r"), {}); });
}

TEST_CASE("nvfp4_pretraining: every choice of the paper is in its slot") {
  const Recipe recipe = preset("nvfp4_pretraining");
  CHECK(pattern(recipe) == "ABCBDE");
  for (const Slot slot : {Slot::FwdW, Slot::DgradW}) CHECK(recipe[slot].block->shape == BlockShape::Square);
  for (int i = 0; i < kSlots; ++i) {
    const auto slot = static_cast<Slot>(i);
    CHECK(recipe[slot].rounding.is_stochastic() == (slot == Slot::DgradG || slot == Slot::WgradG));
    CHECK(recipe[slot].rotate == (slot == Slot::WgradG || slot == Slot::WgradX ? 16 : 0));
    CHECK(recipe[slot].block->size == 16);
  }
  REQUIRE(recipe.rules.size() == 1);
  CHECK(recipe.rules[0].last == 1);
  for (const auto& slot : recipe.rules[0].slots) CHECK(to_text(*slot).starts_with("bfloat16"));
}

// arXiv:2505.19115 section 4; arXiv:2502.20853 section 4; arXiv:2609.02846; arXiv:2505.14302 section 3;
// arXiv:2501.02423 section 3.4 (P2, P4 and P6: weights twice, activations of the last product).
TEST_CASE("recipes: which operands each paper rounds, and how alike") {
  CHECK(pattern(preset("fp8_hybrid")) == "AABABA");
  CHECK(pattern(preset("fp8_delayed")) == "AABABA");
  CHECK(pattern(preset("fp4_all_the_way")) == "AABABB");
  CHECK(pattern(preset("tetrajet")) == "AABBBB");
  CHECK(pattern(preset("ue5m3_training")) == "ABCBCA");
  CHECK(pattern(preset("qat_w4a4_g32")) == "AA----");
  CHECK(pattern(preset("qat_w4a16_g32")) == "-A----");
  CHECK(pattern(preset("qat_w16a4_g32")) == "A-----");
  CHECK(pattern(preset("capybara_e4m3_b64")) == "-A-A-A");
}

TEST_CASE("recipes: numbers in a name are those of the formats and blocks") {
  const SlotSpec slot = preset("capybara_e3m4_b64")[Slot::FwdW];
  CHECK(slot.block->element.exponent_bits == 3);
  CHECK(slot.block->element.mantissa_bits == 4);
  CHECK(slot.block->element.top == TopCodes::Finite);  // no code is lost to infinities or NaN, section 3.1
  CHECK(slot.block->size == 64);
  CHECK_FALSE(slot.block->scale);  // high-precision scales
  CHECK(preset("qat_w4a4_g128")[Slot::FwdX].block->size == 128);
  for (const char* name : {"qat_w4a4_g", "qat_w4a4_g032", "qat_w4a4_g32x", "capybara_e4m3", "nvfp4_pretraining1"}) {
    CHECK_FALSE(recipe_preset(name));
  }
}

TEST_CASE("presets: each trains 200 steps from a YAML file and its loss stays finite and below a uniform guess" *
          BITLAW_LONG_TEST) {
  for (const std::string& name : preset_examples()) {
    CAPTURE(name);
    const PlannedRun run = plan_text(preset_yaml(name)).runs[0];
    CHECK(run.config().steps() == 200);
    const auto record = train(run.config(), *run.data);
    CHECK(std::isfinite(record->loss));
    CHECK(record->loss < std::log(8.0));
  }
}

TEST_CASE("rules: fields add to the recipe's slot, a preset alone replaces it, the last block may differ") {
  const auto recipe = [](std::string_view yaml) { return recipe_in(parse_value(yaml, "r"), {}); };
  const Recipe fields =
      recipe("{all: mxfp4, rules: [{layers: '*.down', first: 2, from: 0.5, backward: {round: to_odd}}]}");
  REQUIRE(fields.rules.size() == 1);
  CHECK(to_text(fields.rules[0]) ==
        "products=linear layers=*.down first=2 last=0 from=0.5 until=1"
        " dgrad.g=(e2m1 block=32 scale=e8m0 rule=ocp_floor round=to_odd)"
        " dgrad.w=(e2m1 block=32 scale=e8m0 rule=ocp_floor round=to_odd)"
        " wgrad.g=(e2m1 block=32 scale=e8m0 rule=ocp_floor round=to_odd)"
        " wgrad.x=(e2m1 block=32 scale=e8m0 rule=ocp_floor round=to_odd)");
  const Recipe replaced =
      recipe("{all: {preset: mxfp4, round: stochastic, rotate: 32}, rules: [{all: mxfp8}, {fwd.x: float32}]}");
  CHECK(to_text(*replaced.rules[0].slots[0]) == "e4m3 block=32 scale=e8m0 rule=ocp_floor round=nearest");
  CHECK(replaced.rules[1].slots[0] == SlotSpec{});
  CHECK_FALSE(replaced.rules[1].slots[1]);
  const Recipe attention = recipe("{all: mxfp4, rules: [{products: attention, fwd.x: {preset: mxfp8}}]}");
  CHECK(attention.rules[0].products == ProductKind::Attention);
}

TEST_CASE("slots: estimators of gradients have their spellings, in the forward slots alone") {
  const auto recipe = [](std::string_view yaml) { return recipe_in(parse_value(yaml, "r"), {}); };
  const SlotSpec slot = recipe(
      "{fwd.w: {preset: mxfp4, gradient: power, gradient_parameter: 3, scale_gradient: softmax, "
      "gradient_sharpness: 5}}")[Slot::FwdW];
  CHECK(slot.gradient == GradientSpec{Estimator::Power, 3, ScaleGradient::Softmax, 5});
  CHECK(to_text(slot) ==
        "e2m1 block=32 scale=e8m0 rule=ocp_floor round=nearest gradient=power gradient_parameter=3"
        " scale_gradient=softmax gradient_sharpness=5");
  CHECK(recipe_refusal("{all: {preset: mxfp4, gradient: clipped}}") ==
        "r: slot dgrad.g has an estimator of gradients, but only what the forward product rounds has a derivative to "
        "estimate; write it under forward, fwd.x or fwd.w");
  CHECK(recipe_refusal("{fwd.x: {gradient: clipped}}") ==
        "r: slot fwd.x has an estimator of gradients but no format, so it "
        "rounds nothing; add a format or delete it");
  CHECK(
      recipe_refusal("{fwd.x: {format: binary32, block: tensor, gradient: clipped}}") ==
      "r: slot fwd.x has an estimator of gradients for elements of 32 bits, and estimators know at most 16; delete it");
}

TEST_CASE("slots: a step or a clip may be learned, where there is one and a gradient to learn from") {
  const auto recipe = [](std::string_view yaml) { return recipe_in(parse_value(yaml, "r"), {}); };
  const Recipe lsq = recipe(
      "{fwd.w: {format: int4, block: tensor, statistic: step, parameter: 0.05, learned: true, gradient: clipped}}");
  CHECK(lsq[Slot::FwdW].learned == Learned::Layer);
  CHECK(to_text(lsq[Slot::FwdW]).ends_with(" round=nearest learned=true gradient=clipped"));
  const Recipe clips =
      recipe("{fwd.x: {preset: int4_g32, statistic: clip_ratio, parameter: 0.9, learned: groups, gradient: clipped}}");
  CHECK(clips[Slot::FwdX].learned == Learned::Groups);
  CHECK(to_text(clips[Slot::FwdX]).ends_with(" learned=groups gradient=clipped"));
  CHECK(
      recipe_refusal(
          "{fwd.w: {preset: int4_g32, statistic: clip_ratio, learned: groups, gradient: clipped, guide: mean}}") ==
      "r: slot fwd.w learns the parameter of its scales, one for each group, which neither guide: mean nor a codebook "
      "knows; write learned: true, one for the layer");
  const std::string learns = " learns the parameter of its scales, but ";
  CHECK(recipe_refusal("{fwd.w: {preset: mxfp4, learned: true}}") ==
        "r: slot fwd.w" + learns +
            "has none; write statistic: step or clip_ratio, with the parameter that training starts from");
  CHECK(recipe_refusal("{fwd.w: {preset: int4_g32, statistic: clip_ratio, learned: true}}") ==
        "r: slot fwd.w" + learns +
            "gradients pass straight through what is clipped, which would teach it wrongly; add for example gradient: "
            "clipped");
  CHECK(
      recipe_refusal("{wgrad.x: {preset: int4_g32, statistic: clip_ratio, learned: true}}") ==
      "r: slot wgrad.x" + learns +
          "only what the forward product rounds has a gradient to learn from; write it under forward, fwd.x or fwd.w");
}

TEST_CASE("slots: weights may be guided by their mean, where one is kept") {
  const auto recipe = [](std::string_view yaml) { return recipe_in(parse_value(yaml, "r"), {}); };
  const Recipe guided = recipe("{all: {preset: mxfp4, rule: round_up}, fwd.w: {guide: mean}}");
  CHECK(guided[Slot::FwdW].guided);
  CHECK_FALSE(guided[Slot::DgradW].guided);
  CHECK(to_text(guided[Slot::FwdW]) == "e2m1 block=32 scale=e8m0 rule=round_up round=nearest guide=mean");
  const std::string is_guided = " is guided by the mean of the weights, ";
  CHECK(recipe_refusal("{all: {preset: mxfp4, guide: mean}}") ==
        "r: slot fwd.x" + is_guided +
            "but only fwd.w and dgrad.w round weights; write it under weights, fwd.w or dgrad.w");
  CHECK(recipe_refusal("{fwd.w: {guide: mean}}") ==
        "r: slot fwd.w" + is_guided + "but has no format, so it rounds nothing; add a format or delete guide");
  CHECK(recipe_refusal("{fwd.w: {preset: mxfp4, guide: mean, rotate: 32}}") ==
        "r: slot fwd.w" + is_guided + "which is not that of rotated weights; delete guide or rotate");
  CHECK(recipe_refusal("{fwd.w: {preset: mxfp4, guide: mean, round: stochastic}}") ==
        "r: slot fwd.w" + is_guided + "which decides every rounding, so its round would be ignored; delete round");
  CHECK(
      refusal(small("precision: {fwd.w: {preset: mxfp4, guide: mean}}\n")) ==
      "x.yaml:5:12: a slot is guided by the mean of the weights, and no such mean is kept, so it could not round; add "
      "for example training.optimizer.mean_decay: 0.998");
  CHECK(plan_text(small("precision: {fwd.w: {preset: mxfp4, guide: mean}}\ntraining.optimizer.mean_decay: 0.9\n"))
            .runs[0]
            .config()
            .optimizer.mean_decay == 0.9);
}

TEST_CASE("slots: a scale may be that of earlier steps, where there is one for the whole tensor") {
  const auto recipe = [](std::string_view yaml) { return recipe_in(parse_value(yaml, "r"), {}); };
  const Recipe own = recipe(
      "{all: {preset: fp8, delayed: {history: 2, every: 50, margin: 2, current: true}}, fwd.w: {delayed: none}, "
      "fwd.x: {delayed: {}}}");
  CHECK(own[Slot::DgradG].delayed == DelayedScaling{50, 2, 2, true});
  CHECK(to_text(own[Slot::DgradG]).ends_with(" round=nearest delayed=history:2,every:50,margin:2,current:true"));
  CHECK_FALSE(own[Slot::FwdW].delayed);
  CHECK(own[Slot::FwdX].delayed == DelayedScaling{1, 1024, 1, false});  // TransformerEngine's DelayedScaling()
  const std::string is_scaled = " is scaled by its largest magnitude of earlier steps, but ";
  CHECK(recipe_refusal("{fwd.x: {preset: mxfp8, delayed: {}}}") ==
        "r: slot fwd.x" + is_scaled + "has no scale for the whole tensor; write block: tensor, or a tensor_target");
  CHECK(recipe_refusal("{fwd.x: {delayed: {}}}") ==
        "r: slot fwd.x" + is_scaled + "has no format, so it rounds nothing; add a format or delete delayed");
  CHECK(recipe_refusal("{fwd.x: {preset: fp8, statistic: rms, delayed: {}}}") ==
        "r: slot fwd.x" + is_scaled + "its scale follows from another statistic; delete statistic or delayed");
  CHECK(
      recipe_refusal("{fwd.x: {preset: fp8, delayed: {window: 4}}}").starts_with("r: unknown key 'window' in delayed"));
  CHECK(refusal(small("precision: {rules: [{products: attention, all: {preset: fp8, delayed: {}}}]}\n"))
            .find("would be scaled by what it was in earlier steps, which only linear layers and the head are") !=
        std::string::npos);
  CHECK(refusal(small("statistics: {every: 10, shadows: [fp8_delayed]}\n"))
            .find("shadow 'fp8_delayed' scales by earlier steps, and a shadow has none; give one without delayed "
                  "scaling") != std::string::npos);
}

TEST_CASE("run ids: every field of delayed scaling counts") {
  const auto id = [](const std::string& delayed) {
    return plan_text(small("precision: {all: {preset: fp8, delayed: " + delayed + "}}\n")).runs[0].id;
  };
  const std::string usual = id("{}");
  CHECK(id("{history: 1024, every: 1, margin: 1, current: false}") == usual);
  for (const char* other : {"none", "{history: 2}", "{every: 2}", "{margin: 2}", "{current: true}"}) {
    CAPTURE(other);
    CHECK(id(other) != usual);
  }
}

TEST_CASE("rules: what is wrong with one is told at its place") {
  CHECK(recipe_refusal("{all: mxfp4, rules: [{layers: '*'}]}") ==
        "r: a rule names no slot, so it would change nothing; add for example all: bf16");
  CHECK(
      recipe_refusal("{all: mxfp4, rules: [{layer: '*', all: bf16}]}").starts_with("r: unknown key 'layer' in a rule"));
  CHECK(recipe_refusal("{all: mxfp4, rule: []}").starts_with("r: unknown key 'rule' in a precision"));
}

}  // namespace
}  // namespace bitlaw
