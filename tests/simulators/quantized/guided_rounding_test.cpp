#include "simulators/quantized/guided_rounding.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "core/block/block_presets.h"
#include "core/block/quantize_blocks.h"
#include "simulators/quantized/weight_movement.h"
#include "tests/support/bits.h"

using namespace bitlaw;

namespace {

ConstMatrixView<float> row_of(const std::vector<float>& values) {
  return {values.data(), 1, static_cast<std::int64_t>(values.size())};
}

}  // namespace

TEST_CASE("guided rounding: of a weight's two neighbours the one nearer to its mean, by hand on E2M1") {
  // The largest is 6, so the scale is 1 and the values are 0, 0.5, 1, 1.5, 2, 3, 4, 6.
  const std::vector<float> x{6, 2.4F, 2.4F, 2.6F, -2.6F, 0.3F, 3, 2.4F, 2.4F};
  const std::vector<float> mean{6, 2.4F, 2.6F, 2.1F, -2.1F, 0.1F, 5, 9, 2.5F};
  const std::vector<float> expected{6, 2, 3, 2, -2,
                                    0, 3, 3, 2};  // a value stays; far means pull no further; a tie: below
  std::vector<float> q(x.size());
  Matrix<float> scratch;
  quantize_guided(*block_preset("mxfp4"), KAxis::Cols, row_of(x), row_of(mean), {q.data(), 1, std::ssize(q)}, scratch);
  CHECK(q == expected);
}

TEST_CASE("guided rounding: by the weights themselves it is rounding to nearest, along both axes") {
  const Matrix<float> x = rough_matrix(48, 80, 3, 4);
  for (const char* preset : {"mxfp4", "nvfp4", "nvfp4_16x16", "int4_g32", "mxfp8"}) {
    for (const KAxis axis : {KAxis::Rows, KAxis::Cols}) {
      CAPTURE(preset);
      Matrix<float> guided(48, 80), nearest(48, 80), scratch;
      quantize_guided(*block_preset(preset), axis, x.view(), x.view(), guided.view(), scratch);
      quantize_blocks(*block_preset(preset), {}, axis, x.view(), nearest.view(), {});
      for (std::int64_t i = 0; i < x.size(); ++i) {
        const float v = x.data()[i];
        // Both neighbours are as near where they differ, but for the rounding of v / scale.
        CHECK(std::abs(guided.data()[i] - v) <= std::abs(nearest.data()[i] - v) * (1 + 1e-5F) + 1e-6F);
      }
    }
  }
}

TEST_CASE("weight movement: the distance of the rounded weights over that of the weights, by hand") {
  const std::vector<float> w0{1, 2, 3}, q0{1, 2, 4}, w1{1.5F, 2, 2}, q1{2, 2, 2};
  WeightMovement before, after;
  const SlotSpec slot{.block = block_preset("mxfp4")};
  before.operand(3, Slot::FwdW, slot, KAxis::Cols, row_of(w0), row_of(q0), {});
  before.operand(3, Slot::FwdX, slot, KAxis::Cols, row_of(q1), row_of(w1), {});  // not a weight
  before.operand(4, Slot::FwdW, slot, KAxis::Cols, row_of(w0), row_of(q0), {});
  after.operand(3, Slot::FwdW, slot, KAxis::Cols, row_of(w1), row_of(q1), {});
  after.operand(4, Slot::FwdW, slot, KAxis::Cols, row_of(w0), row_of(q0), {});
  const auto rates = before.oscillation(after);
  REQUIRE(rates.size() == 2);
  CHECK(rates.at(3) == 2.0);  // (1 + 0 + 2) / (0.5 + 0 + 1)
  CHECK(rates.at(4) == 0.0);
}
