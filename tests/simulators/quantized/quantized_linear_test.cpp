#include "simulators/quantized/quantized_linear.h"

#include <doctest/doctest.h>

#include <cmath>

#include "core/block/block_presets.h"
#include "core/block/quantize_blocks.h"
#include "core/format/catalog.h"
#include "core/tensor/gemm.h"
#include "tests/support/bits.h"

using namespace bitlaw;

namespace {

double largest_difference(const Matrix<float>& x, const Matrix<float>& y) {
  double largest = 0;
  for (std::int64_t i = 0; i < x.size(); ++i) largest = std::max<double>(largest, std::abs(x.data()[i] - y.data()[i]));
  return largest;
}

/// x [rows, in], W [out, in], dy [rows, out] and what a linear layer makes of them.
struct Layer {
  Matrix<float> x = rough_matrix(64, 96, 1, 1), w = rough_matrix(32, 96, 2, 1), dy = rough_matrix(64, 32, 3, 1);
  Matrix<float> y{64, 32}, dx{64, 96}, dw{32, 96};
  LinearScratch<float> scratch;

  void run(const LinearSlots& slots, RandomStream stream = {.seed = 5, .step = 6, .layer = 7}) {
    dw = Matrix<float>(32, 96);
    quantized_linear_forward<float>(slots, stream, x.view(), w.view(), y.view(), scratch);
    quantized_linear_backward<float>(slots, stream, x.view(), w.view(), dy.view(), dx.view(), dw.view(), scratch);
  }
};

Matrix<float> quantized(Matrix<float> x, KAxis k_axis, RoundingMode rounding, const RandomStream& stream) {
  quantize_blocks_reference(*block_preset("mxfp4"), rounding, k_axis, x.view(), x.view(), stream);
  return x;
}

}  // namespace

TEST_CASE("quantized_linear: without a format in any slot it is the three plain products") {
  Layer layer;
  layer.run(LinearSlots{});
  Matrix<float> y(64, 32), dx(64, 96), dw(32, 96);
  gemm_reference(Op::AsIs, Op::Transposed, layer.x.view(), layer.w.view(), y.view());
  gemm_reference(Op::AsIs, Op::AsIs, layer.dy.view(), layer.w.view(), dx.view());
  gemm_reference(Op::Transposed, Op::AsIs, layer.dy.view(), layer.x.view(), dw.view());
  CHECK(same_bits(layer.y, y));
  CHECK(same_bits(layer.dx, dx));
  CHECK(same_bits(layer.dw, dw));
}

TEST_CASE("quantized_linear: where nobody wants dx, dW is the same to the bit") {
  LinearSlots slots;
  for (SlotSpec& slot : slots.slots) {
    slot = {.block = block_preset("mxfp4"), .rounding = RoundingMode::StochasticExact};
  }
  for (const Estimator estimator : {Estimator::StraightThrough, Estimator::Clipped}) {
    slots[Slot::FwdX].gradient.estimator = slots[Slot::FwdW].gradient.estimator = estimator;
    Layer whole, first;
    whole.run(slots);
    const RandomStream stream{.seed = 5, .step = 6, .layer = 7};
    quantized_linear_forward<float>(slots, stream, first.x.view(), first.w.view(), first.y.view(), first.scratch);
    quantized_linear_backward<float>(slots, stream, first.x.view(), first.w.view(), first.dy.view(), {},
                                     first.dw.view(), first.scratch);
    CHECK(same_bits(first.y, whole.y));
    CHECK(same_bits(first.dw, whole.dw));
  }
}

TEST_CASE("quantized_linear: each slot rounds its own operand, along its own K axis, and no other") {
  for (const RoundingMode rounding : {RoundingMode::TiesToEven, RoundingMode::StochasticExact}) {
    for (int slot = 0; slot < kSlots; ++slot) {
      CAPTURE(kSlotNames[static_cast<std::size_t>(slot)]);
      LinearSlots slots;
      slots.slots[static_cast<std::size_t>(slot)] = {.block = block_preset("mxfp4"), .rounding = rounding};
      const RandomStream stream{.seed = 5, .step = 6, .layer = 7, .slot = static_cast<std::uint16_t>(slot)};
      const auto in_slot = [&](Slot which, const Matrix<float>& x, KAxis k_axis) {
        return static_cast<int>(which) == slot ? quantized(x, k_axis, rounding, stream) : x;
      };
      Layer layer;
      layer.run(slots);
      Matrix<float> y(64, 32), dx(64, 96), dw(32, 96);
      // The K axes of design.md §4: features in, features out, tokens.
      gemm_reference(Op::AsIs, Op::Transposed, in_slot(Slot::FwdX, layer.x, KAxis::Cols).view(),
                     in_slot(Slot::FwdW, layer.w, KAxis::Cols).view(), y.view());
      gemm_reference(Op::AsIs, Op::AsIs, in_slot(Slot::DgradG, layer.dy, KAxis::Cols).view(),
                     in_slot(Slot::DgradW, layer.w, KAxis::Rows).view(), dx.view());
      gemm_reference(Op::Transposed, Op::AsIs, in_slot(Slot::WgradG, layer.dy, KAxis::Rows).view(),
                     in_slot(Slot::WgradX, layer.x, KAxis::Rows).view(), dw.view());
      CHECK(same_bits(layer.y, y));
      CHECK(same_bits(layer.dx, dx));
      CHECK(same_bits(layer.dw, dw));
    }
  }
}

TEST_CASE("quantized_linear: rotating both operands of a product leaves it, up to float32 rounding") {
  Layer plain, rotated;
  plain.run(LinearSlots{});
  LinearSlots slots;
  for (SlotSpec& slot : slots.slots) slot.rotate = 32;
  rotated.run(slots);
  // Sums of at most 96 products below 1, each rounded a few times more: 96 * 5 * 2^-24 is 3e-5.
  CHECK(largest_difference(plain.y, rotated.y) < 3e-5);
  CHECK(largest_difference(plain.dx, rotated.dx) < 3e-5);
  CHECK(largest_difference(plain.dw, rotated.dw) < 3e-5);
  CHECK_FALSE(same_bits(plain.y, rotated.y));
}

TEST_CASE("quantized_linear: a slot may rotate with TransformerEngine's signs and keep the result in bfloat16") {
  LinearSlots slots;
  for (SlotSpec& slot : slots.slots) {
    slot.rotate = 16;
    slot.rotate_signs = HadamardSigns::Fixed;
    slot.rotate_result = kBfloat16;
  }
  Layer layer;
  layer.run(slots);
  const HadamardSpec rotation{.signs = HadamardSigns::Fixed,
                              .fixed = {kTransformerEngineSigns.begin(), kTransformerEngineSigns.end()},
                              .result = kBfloat16};
  const auto rotated = [&](Matrix<float> x, KAxis k_axis) {
    hadamard_rotate_reference(rotation, k_axis, x.view(), x.view());
    return x;
  };
  Matrix<float> y(64, 32), dx(64, 96), dw(32, 96);
  gemm_reference(Op::AsIs, Op::Transposed, rotated(layer.x, KAxis::Cols).view(), rotated(layer.w, KAxis::Cols).view(),
                 y.view());
  gemm_reference(Op::AsIs, Op::AsIs, rotated(layer.dy, KAxis::Cols).view(), rotated(layer.w, KAxis::Rows).view(),
                 dx.view());
  gemm_reference(Op::Transposed, Op::AsIs, rotated(layer.dy, KAxis::Rows).view(), rotated(layer.x, KAxis::Rows).view(),
                 dw.view());
  CHECK(same_bits(layer.y, y));
  CHECK(same_bits(layer.dx, dx));
  CHECK(same_bits(layer.dw, dw));
}

TEST_CASE("quantized_linear: dW is added to what is there") {
  Layer layer;
  layer.run(LinearSlots{});
  const Matrix<float> once = layer.dw;
  quantized_linear_backward<float>(LinearSlots{}, {}, layer.x.view(), layer.w.view(), layer.dy.view(), layer.dx.view(),
                                   layer.dw.view(), layer.scratch);
  CHECK(layer.dw(3, 4) == doctest::Approx(2 * once(3, 4)).epsilon(1e-5));
}

TEST_CASE("linear: estimators act on the gradients of x and W alone, through the rotation too") {
  // Clipped with scales that clip nothing is straight through; with a learned step of 1/4 it drops what is beyond 3/2.
  for (const int rotate : {0, 32}) {
    CAPTURE(rotate);
    LinearSlots slots;
    for (const Slot slot : {Slot::FwdX, Slot::FwdW})
      slots[slot] = {.block = block_preset("int4_g32"), .rotate = rotate};
    Layer straight, unclipped, clipped;
    straight.run(slots);
    for (const Slot slot : {Slot::FwdX, Slot::FwdW}) slots[slot].gradient.estimator = Estimator::Clipped;
    unclipped.run(slots);
    for (std::int64_t i = 0; i < straight.dx.size(); ++i) {
      CHECK(unclipped.dx.data()[i] == doctest::Approx(straight.dx.data()[i]).epsilon(1e-4).scale(1));
    }
    for (std::int64_t i = 0; i < straight.dw.size(); ++i) {
      CHECK(unclipped.dw.data()[i] == doctest::Approx(straight.dw.data()[i]).epsilon(1e-4).scale(1));
    }
    if (rotate != 0) continue;
    slots[Slot::FwdX].block->statistic = BlockStatistic::Step;
    slots[Slot::FwdX].block->parameter = 0.0625;
    clipped.run(slots);
    CHECK(same_bits(clipped.dw, unclipped.dw));
    for (std::int64_t i = 0; i < straight.dx.size(); ++i) {
      const bool beyond = std::abs(clipped.x.data()[i]) > 7 * 0.0625F;
      CHECK(clipped.dx.data()[i] == (beyond ? 0 : straight.dx.data()[i]));
    }
  }
}

TEST_CASE("recipe: a summary names the narrowest format and its block") {
  Recipe recipe;
  CHECK(summarise(recipe).mantissa_bits == 23);
  CHECK(summarise(recipe).block_size == kUnquantizedBlock);
  recipe[Slot::FwdX].block = block_preset("mxfp8");
  recipe[Slot::WgradG].block = block_preset("nvfp4");
  CHECK(summarise(recipe).exponent_bits == 2);
  CHECK(summarise(recipe).mantissa_bits == 1);
  CHECK(summarise(recipe).block_size == 16);
  recipe[Slot::WgradG].block->shape = BlockShape::Tensor;
  CHECK(summarise(recipe).block_size == kTensorBlock);
}
