#include "simulators/quantized/delayed_scales.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "core/block/block_presets.h"
#include "core/block/quantize_blocks.h"
#include "core/tensor/gemm.h"
#include "simulators/quantized/quantized_linear.h"
#include "simulators/quantized/statistics.h"
#include "tests/support/bits.h"

using namespace bitlaw;

namespace {

/// x [rows, in], W [out, in] and dy [rows, out] of a step; their sizes go up and down by powers of two.
struct Operands {
  explicit Operands(std::uint32_t step)
      : x(sized(rough_matrix(48, 40, step, 1), step)),
        w(sized(rough_matrix(24, 40, step + 100, 1), step + 1)),
        dy(sized(rough_matrix(48, 24, step + 200, 1), step + 2)) {}

  static Matrix<float> sized(Matrix<float> m, std::uint32_t step) {
    const float factor = std::exp2(static_cast<float>(step * 7 % 5) - 2);
    for (std::int64_t i = 0; i < m.size(); ++i) m.data()[i] *= factor;
    return m;
  }

  Matrix<float> x, w, dy;
};

float largest(const Matrix<float>& m) {
  float most = 0;
  for (std::int64_t i = 0; i < m.size(); ++i) most = std::max(most, std::abs(m.data()[i]));
  return most;
}

/// The window written out: what `step` scales with, given the operand's largest magnitude in every step so far.
float by_definition(const DelayedScaling& scaling, const std::vector<float>& amax) {
  const std::size_t step = amax.size() - 1;
  std::vector<float> samples;
  for (std::size_t s = 0; s <= step; ++s) {
    const bool counts = s < step || scaling.uses_current || s == 0;
    if (counts && s % static_cast<std::size_t>(scaling.interval) == 0) samples.push_back(amax[s]);
  }
  const std::size_t window = std::min(samples.size(), static_cast<std::size_t>(scaling.history));
  return *std::max_element(samples.end() - static_cast<std::ptrdiff_t>(window), samples.end()) * scaling.margin;
}

const std::vector<DelayedScaling> kScalings{
    {.interval = 1, .history = 1024, .margin = 1, .uses_current = false},
    {.interval = 1, .history = 3, .margin = 2, .uses_current = false},
    {.interval = 4, .history = 2, .margin = 1, .uses_current = true},
    {.interval = 5, .history = 1, .margin = 0.5, .uses_current = true},
};

LinearSlots delayed_slots(const char* preset, const DelayedScaling& scaling) {
  LinearSlots slots;
  for (SlotSpec& slot : slots.slots) {
    slot.block = block_preset(preset);
    slot.delayed = scaling;
  }
  return slots;
}

}  // namespace

TEST_CASE("delayed scaling: a layer's products over 20 steps are those of operands scaled by the written-out window") {
  const std::vector<LinearShape> layers{{.name = "a"}, {.name = "b", .rows = 48, .in = 40, .out = 24}};
  for (const char* preset : {"fp8_tensor", "nvfp4"}) {
    const BlockSpec spec = *block_preset(preset);
    for (const DelayedScaling& scaling : kScalings) {
      CAPTURE(preset);
      CAPTURE(scaling.interval);
      const LinearSlots slots = delayed_slots(preset, scaling);
      DelayedScales scales(layers);
      LinearScratch<float> scratch;
      scratch.amax = &scales.of(1);
      std::vector<float> x_amax, w_amax, dy_amax;
      for (std::uint32_t step = 0; step < 20; ++step) {
        const Operands o(step);
        Matrix<float> y(48, 24), dx(48, 40), dw(24, 40), y_expected(48, 24), dx_expected(48, 40), dw_expected(24, 40);
        scales.begin_step();
        quantized_linear_forward<float>(slots, {.step = step}, o.x.view(), o.w.view(), y.view(), scratch);
        quantized_linear_backward<float>(slots, {.step = step}, o.x.view(), o.w.view(), o.dy.view(), dx.view(),
                                         dw.view(), scratch);
        scales.end_step(step);

        const auto rounded = [&](const Matrix<float>& m, KAxis k_axis, std::vector<float>& amax) {
          if (amax.size() == step) amax.push_back(largest(m));
          Matrix<float> q(m.rows(), m.cols());
          quantize_blocks_reference(spec, {}, k_axis, m.view(), q.view(), {}, 0, by_definition(scaling, amax));
          return q;
        };
        gemm(Op::AsIs, Op::Transposed, rounded(o.x, KAxis::Cols, x_amax).view(),
             rounded(o.w, KAxis::Cols, w_amax).view(), y_expected.view());
        gemm(Op::AsIs, Op::AsIs, rounded(o.dy, KAxis::Cols, dy_amax).view(), rounded(o.w, KAxis::Rows, w_amax).view(),
             dx_expected.view());
        gemm(Op::Transposed, Op::AsIs, rounded(o.dy, KAxis::Rows, dy_amax).view(),
             rounded(o.x, KAxis::Rows, x_amax).view(), dw_expected.view());
        CHECK(same_bits(y, y_expected));
        CHECK(same_bits(dx, dx_expected));
        CHECK(same_bits(dw, dw_expected));
      }
    }
  }
}

TEST_CASE("delayed scaling: a pass outside a step uses what is known and adds nothing, and the state comes back") {
  const std::vector<LinearShape> layers{{.name = "a"}};
  const LinearSlots slots = delayed_slots("fp8_tensor", kScalings[1]);
  const auto forward = [&](DelayedScales& scales, std::uint32_t step) {
    LinearScratch<float> scratch;
    scratch.amax = &scales.of(0);
    const Operands o(step);
    Matrix<float> y(48, 24);
    quantized_linear_forward<float>(slots, {.step = step}, o.x.view(), o.w.view(), y.view(), scratch);
    return y;
  };
  DelayedScales scales(layers);
  CHECK(scales.state().empty());
  std::vector<float> amax;
  for (std::uint32_t step = 0; step < 5; ++step) {
    scales.begin_step();
    forward(scales, step);
    scales.end_step(step);
    amax.push_back(largest(Operands(step).x));
    const DelayedScales::State before = scales.state();
    forward(scales, 9);  // of held-out data, as after the last step
    CHECK(scales.state() == before);
  }
  const DelayedScales::State state = scales.state();
  REQUIRE(state.size() == 2);
  CHECK(state.at("a.fwd.x") == std::vector<float>(amax.end() - 3, amax.end()));
  CHECK(state.contains("a.fwd.w"));
  scales.begin_step();
  forward(scales, 5);
  scales.end_step(5);

  DelayedScales again(layers);
  again.restore(state);
  again.begin_step();
  CHECK(same_bits(forward(again, 5), forward(scales, 5)) == false);  // that one has step 5 behind it
  again.end_step(5);
  CHECK(again.state() == scales.state());
  CHECK(same_bits(forward(again, 6), forward(scales, 6)));
}

TEST_CASE("delayed scaling: what is larger than the window saturates, and statistics see it as clipped") {
  struct Seen : LinearObserver {
    void operand(std::uint16_t, Slot slot, const SlotSpec& spec, KAxis k_axis, ConstMatrixView<float> x,
                 ConstMatrixView<float> quantized, const GivenScales& given) override {
      if (slot == Slot::FwdX) clipped = slot_statistics(*spec.block, k_axis, x, quantized, given).clipped;
    }
    void product(std::uint16_t, Product, ConstMatrixView<float>, ConstMatrixView<float>) override {}
    double clipped = 0;
  } seen;
  const std::vector<LinearShape> layers{{.name = "a"}};
  DelayedScales scales(layers);
  LinearScratch<float> scratch;
  scratch.amax = &scales.of(0);
  scratch.observer = &seen;
  LinearSlots slots;
  slots[Slot::FwdX] = {.block = block_preset("fp8_tensor"), .delayed = kScalings[0]};
  Matrix<float> w(1, 4), y(1, 1);
  w.data()[0] = 1;
  const auto step = [&](std::uint32_t s, std::vector<float> x) {
    scales.begin_step();
    quantized_linear_forward<float>(slots, {.step = s}, {x.data(), 1, 4}, w.view(), y.view(), scratch);
    scales.end_step(s);
    return y(0, 0);
  };
  CHECK(step(0, {2, 1, 1, 1}) == 2);
  CHECK(seen.clipped == 0);
  CHECK(step(1, {6, 1, 1, 1}) == 2);  // of step 0
  CHECK(seen.clipped == 0.25);
  CHECK(step(2, {6, 1, 1, 1}) == 6);
  CHECK(step(3, {INFINITY, 1, 1, 1}) == 6);
  CHECK(std::isnan(step(4, {NAN, 1, 1, 1})));
  CHECK(step(5, {3, 1, 1, 1}) == 3);
}
