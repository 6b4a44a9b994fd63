#include "simulators/quantized/layer_plan.h"

#include <doctest/doctest.h>

#include "core/block/block_presets.h"
#include "simulators/model/model_config.h"

using namespace bitlaw;

namespace {

/// K of the forward products is 64, 64, 64, 48; of dgrad 128, 64, 96, 64; of wgrad 1024.
std::vector<LinearShape> shapes(int layers) {
  const ModelConfig model{.layers = layers, .width = 64, .heads = 2, .kv_heads = 1, .ffn = 48};
  return transformer_shapes(model, 100, 1024);
}

SlotSpec slot(const char* preset) { return {.block = block_preset(preset)}; }

RecipeRule rule(std::string layers, Slot which, const char* preset) {
  RecipeRule rule{.layers = std::move(layers), .slots = {}};
  rule.slots[static_cast<std::size_t>(which)] = slot(preset);
  return rule;
}

}  // namespace

TEST_CASE("recipe: rotations that would not cancel or not fit are named") {
  const auto problem = [](const Recipe& recipe) { return recipe_problem(recipe, shapes(1), 10); };
  Recipe recipe;
  CHECK_FALSE(problem(recipe));
  recipe[Slot::FwdX].rotate = 16;
  CHECK(*problem(recipe) == "fwd.x rotates by 16 and fwd.w by 0, so the rotations would not cancel in y = x W^T");
  recipe[Slot::FwdW].rotate = 16;
  CHECK_FALSE(problem(recipe));
  recipe[Slot::FwdX].rotate = recipe[Slot::FwdW].rotate = 32;
  CHECK(*problem(recipe) ==
        "the rotation of size 32 does not divide the 48 terms that y = x W^T sums over in block0.mlp.down");
  recipe[Slot::FwdX].rotate_signs = HadamardSigns::Fixed;
  CHECK(*problem(recipe) ==
        "fwd.x and fwd.w rotate with different signs, so the rotations would not cancel in y = x W^T");
  recipe[Slot::FwdW].rotate_signs = HadamardSigns::Fixed;
  CHECK(*problem(recipe) == "fwd.x rotates by 32 with fixed signs, a list of 16");
  recipe[Slot::FwdX].rotate = recipe[Slot::FwdW].rotate = 16;
  CHECK_FALSE(problem(recipe));
}

TEST_CASE("rule: * stands for any characters, at any place and as often as one likes") {
  const auto selected = [](const std::string& pattern, const std::string& name) {
    const std::vector<LinearShape> layers{{name, ProductKind::Linear, 1, 1, 1}};
    return selects(rule(pattern, Slot::FwdX, "mxfp8"), layers, 0);
  };
  struct Case {
    const char *pattern, *name;
    bool expected;
  };
  for (const Case& c :
       {Case{"*", "a", true}, Case{"a", "a", true}, Case{"a", "ab", false}, Case{"a*", "ab", true},
        Case{"*b", "ab", true}, Case{"a*b", "ab", true}, Case{"a*a", "a", false}, Case{"a*b*c", "axbxbc", true},
        Case{"*.down", "x.mlp.down", true}, Case{"*.down", "x.downs", false}, Case{"**", "a", true},
        Case{"a**b", "ab", true}, Case{"*b*b", "ab", false}, Case{"*ab*", "aab", true}, Case{"x*", "a", false}}) {
    CAPTURE(c.pattern);
    CAPTURE(c.name);
    CHECK(selected(c.pattern, c.name) == c.expected);
  }
  // Trying every length for every * would take 2^60 steps here and more.
  std::string pattern;
  for (int i = 0; i < 60; ++i) pattern += "a*";
  CHECK_FALSE(selected(pattern + "b", std::string(200, 'a')));
  CHECK(selected(pattern, std::string(200, 'a')));
}

TEST_CASE("recipe: a rule that selects no layer or no step is named") {
  Recipe recipe;
  recipe.rules = {rule("block7.*", Slot::FwdX, "mxfp8")};
  CHECK(*recipe_problem(recipe, shapes(2), 10) ==
        "the rule for layers 'block7.*' matches none of the model's, block0.attention.qkv to block1.mlp.down");
  recipe.rules = {rule("*", Slot::FwdX, "mxfp8")};
  recipe.rules[0].from = 0.91;  // of ten steps, the first that is not before step 9.1 is step 10
  CHECK(*recipe_problem(recipe, shapes(2), 10) ==
        "the rule for layers '*' from 0.91 until 1 of training covers none of the 10 steps");
  recipe.rules[0].from = 0.9;
  CHECK_FALSE(recipe_problem(recipe, shapes(2), 10));
}

TEST_CASE("plan: the base is for linear layers; attention and head round only where a rule names them") {
  Recipe recipe;
  recipe[Slot::FwdX] = slot("mxfp4");
  const auto layers = shapes(2);
  const LayerPlan plain(recipe, layers, 10);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    CHECK(plain.slots(i, 0)[Slot::FwdX].block.has_value() == (i < 8));
  }
  recipe.rules = {rule("*", Slot::FwdX, "mxfp8"), rule("*", Slot::FwdX, "nvfp4")};
  recipe.rules[0].products = ProductKind::Attention;
  recipe.rules[1].products = ProductKind::Head;
  const LayerPlan plan(recipe, layers, 10);
  CHECK(plan.slots(7, 0)[Slot::FwdX] == slot("mxfp4"));
  for (std::size_t i = 8; i < 12; ++i) CHECK(plan.slots(i, 0)[Slot::FwdX] == slot("mxfp8"));
  CHECK(plan.slots(12, 0)[Slot::FwdX] == slot("nvfp4"));
}

TEST_CASE("plan: the last rule that selects a layer wins, slot by slot") {
  Recipe recipe;
  recipe.rules = {rule("*.mlp.*", Slot::FwdX, "mxfp8"), rule("block1.*.down", Slot::FwdX, "nvfp4"),
                  rule("*down", Slot::FwdW, "mxfp4")};
  const auto layers = shapes(2);
  const LayerPlan plan(recipe, layers, 10);
  CHECK(plan.slots(0, 0) == LinearSlots{});              // block0.attention.qkv
  CHECK(plan.slots(2, 0)[Slot::FwdX] == slot("mxfp8"));  // block0.mlp.gate_up
  CHECK(plan.slots(2, 0)[Slot::FwdW] == SlotSpec{});
  CHECK(plan.slots(3, 0)[Slot::FwdX] == slot("mxfp8"));  // block0.mlp.down
  CHECK(plan.slots(3, 0)[Slot::FwdW] == slot("mxfp4"));
  CHECK(plan.slots(7, 0)[Slot::FwdX] == slot("nvfp4"));  // block1.mlp.down
}

TEST_CASE("plan: first and last count blocks") {
  Recipe recipe;
  recipe[Slot::FwdX] = slot("mxfp4");
  RecipeRule ends{.first = 1, .last = 2, .slots = {}};
  ends.slots[0] = SlotSpec{};
  recipe.rules = {ends};
  const LayerPlan plan(recipe, shapes(5), 10);
  for (std::size_t layer = 0; layer < 20; ++layer) {
    const std::size_t block = layer / 4;
    CHECK(plan.slots(layer, 0)[Slot::FwdX].block.has_value() == (block == 1 || block == 2));
  }
}

TEST_CASE("plan: a rule for a part of training holds from its first step until the step of its end") {
  Recipe recipe;
  recipe[Slot::FwdX] = slot("mxfp4");
  RecipeRule late{.from = 0.85, .slots = {}};  // of 10 steps: from step 9 on
  late.slots[0] = SlotSpec{};
  recipe.rules = {late};
  const LayerPlan plan(recipe, shapes(1), 10);
  CHECK(plan.phases(0).size() == 2);
  CHECK(plan.slots(0, 0)[Slot::FwdX].block);
  CHECK(plan.slots(0, 8)[Slot::FwdX].block);
  CHECK_FALSE(plan.slots(0, 9)[Slot::FwdX].block);
  recipe.rules[0].from = 0.55;  // of 100 steps: 55, though 0.55 * 100 is a little more in binary
  CHECK(LayerPlan(recipe, shapes(1), 100).phases(0)[1].first_step == 55);
  CHECK_FALSE(plan.slots(0, 100)[Slot::FwdX].block);  // held-out losses come after the last step
}
