#include "simulators/model/rotation_problem.h"

#include <doctest/doctest.h>

using namespace bitlaw;

TEST_CASE("recipe: rotations that would not cancel or not fit are named") {
  const ModelConfig model{.layers = 1, .width = 64, .heads = 2, .kv_heads = 1, .ffn = 48};
  Recipe recipe;
  CHECK_FALSE(rotation_problem(recipe, model, 1024));
  recipe[Slot::FwdX].rotate = 16;
  CHECK(*rotation_problem(recipe, model, 1024) ==
        "fwd.x rotates by 16 and fwd.w by 0, so the rotations would not cancel in y = x W^T");
  recipe[Slot::FwdW].rotate = 16;
  CHECK_FALSE(rotation_problem(recipe, model, 1024));
  recipe[Slot::FwdX].rotate = recipe[Slot::FwdW].rotate = 32;
  CHECK(*rotation_problem(recipe, model, 1024) ==
        "the rotation of size 32 does not divide the 48 terms that y = x W^T sums over");
  recipe[Slot::FwdX].rotate_signs = HadamardSigns::Fixed;
  CHECK(*rotation_problem(recipe, model, 1024) ==
        "fwd.x and fwd.w rotate with different signs, so the rotations would not cancel in y = x W^T");
  recipe[Slot::FwdW].rotate_signs = HadamardSigns::Fixed;
  CHECK(*rotation_problem(recipe, model, 1024) == "fwd.x rotates by 32 with fixed signs, a list of 16");
  recipe[Slot::FwdX].rotate = recipe[Slot::FwdW].rotate = 16;
  CHECK_FALSE(rotation_problem(recipe, model, 1024));
}
