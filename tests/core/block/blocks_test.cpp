#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "core/block/block_presets.h"
#include "core/block/quantize_blocks.h"
#include "core/format/catalog.h"
#include "tests/support/bits.h"
#include "tests/support/each_target.h"

using namespace bitlaw;

namespace {

const Rounding kRoundings[] = {
    RoundingMode::TiesToEven, RoundingMode::TowardZero, {RoundingMode::StochasticA, 8}, RoundingMode::StochasticExact};
/// The others, on fewer operands.
const Rounding kOtherRoundings[] = {RoundingMode::TiesToAway,
                                    RoundingMode::TiesTowardZero,
                                    RoundingMode::TowardPositive,
                                    RoundingMode::TowardNegative,
                                    RoundingMode::ToOdd,
                                    {RoundingMode::StochasticA, 16},
                                    {RoundingMode::StochasticB, 5},
                                    {RoundingMode::StochasticB, 32},
                                    {RoundingMode::StochasticC, 12},
                                    {RoundingMode::StochasticC, 23}};
constexpr KAxis kAxes[] = {KAxis::Cols, KAxis::Rows};
constexpr RandomStream kStream{.seed = 21, .step = 4, .layer = 2, .slot = 1};

struct Shape {
  std::int64_t rows, cols, stride;
};

/// Normal numbers whose size changes from block to block over 2^-160 .. 2^110, with zeros and, where asked, blocks
/// with NaN or infinity.
std::vector<float> wild_values(const Shape& shape, bool finite) {
  std::mt19937 engine(5);
  std::normal_distribution<float> normal;
  std::vector<float> x(static_cast<std::size_t>(shape.rows * shape.stride));
  for (std::size_t i = 0; i < x.size(); ++i) {
    const int exponent = static_cast<int>((i / 16 * 37) % 9 * 30) - 130;
    x[i] = std::ldexp(normal(engine), i % 64 < 32 ? exponent / 64 : exponent);
    if (engine() % 11 == 0) x[i] = engine() % 2 == 0 ? 0.0F : -0.0F;
    if (!finite && engine() % 97 == 0) x[i] = engine() % 2 == 0 ? -INFINITY : std::bit_cast<float>(0xFFA00001U);
  }
  return x;
}

/// Elements, padding included, in which quantize_blocks and the reference differ in any bit.
int differences(const BlockSpec& spec, const Rounding& rounding, KAxis axis, const Shape& shape,
                const std::vector<float>& x, const std::vector<float>& expected) {
  std::vector<float> out(x);
  const MatrixView<float> in_place(out.data(), shape.rows, shape.cols, shape.stride);
  quantize_blocks(spec, rounding, axis, in_place, in_place, kStream);
  int count = 0;
  for (std::size_t i = 0; i < out.size(); ++i) count += bits_of(out[i]) == bits_of(expected[i]) ? 0 : 1;
  return count;
}

void check_every_target(const BlockSpec& spec, std::string_view name, const Shape& shape, bool finite,
                        std::span<const Rounding> roundings = kRoundings) {
  const std::vector<float> x = wild_values(shape, finite);
  for (const Rounding& rounding : roundings) {
    for (KAxis axis : kAxes) {
      std::vector<float> expected(x);
      quantize_blocks_reference(spec, rounding, axis, {x.data(), shape.rows, shape.cols, shape.stride},
                                {expected.data(), shape.rows, shape.cols, shape.stride}, kStream);
      for_each_target([&](const char* target) {
        CAPTURE(name);
        CAPTURE(std::string(target));
        CAPTURE(shape.rows);
        CAPTURE(shape.cols);
        CAPTURE(static_cast<int>(rounding.mode));
        CAPTURE(rounding.bits);
        CAPTURE(static_cast<int>(axis));
        CHECK(differences(spec, rounding, axis, shape, x, expected) == 0);
      });
    }
  }
}

std::vector<float> quantized(std::string_view preset, std::vector<float> x, KAxis axis = KAxis::Cols) {
  const auto n = static_cast<std::int64_t>(x.size());
  const MatrixView<float> view(x.data(), axis == KAxis::Cols ? 1 : n, axis == KAxis::Cols ? n : 1);
  quantize_blocks(*block_preset(preset), RoundingMode::TiesToEven, axis, view, view, {});
  return x;
}

}  // namespace

TEST_CASE("quantize_blocks: the reference's bits for all presets, roundings, axes, targets and odd shapes") {
  for (const BlockPreset& preset : block_presets()) {
    for (const Shape& shape : {Shape{1, 1, 1}, Shape{3, 16, 16}, Shape{5, 17, 19}, Shape{33, 32, 32}, Shape{35, 70, 71},
                               Shape{70, 300, 300}, Shape{2, 5000, 5001}}) {
      check_every_target(preset.spec, preset.name, shape, true);
      check_every_target(preset.spec, preset.name, shape, false);
    }
    check_every_target(preset.spec, preset.name, {35, 70, 71}, true, kOtherRoundings);
  }
}

TEST_CASE("quantize_blocks: zeros keep their sign only where the element has a minus zero, whatever the scaling") {
  for (const ElementScaling scaling : {ElementScaling::Ratio, ElementScaling::Divide, ElementScaling::DivideExact}) {
    for (const FormatSpec& element : {kE2M1, kInt8}) {
      const BlockSpec spec{.element = element, .size = 4, .scale = kUE4M3, .scaling = scaling};
      CAPTURE(static_cast<int>(scaling));
      std::vector<float> fast(4, -0.0F), slow(4, -0.0F);
      quantize_blocks(spec, RoundingMode::TiesToEven, KAxis::Cols, {fast.data(), 1, 4}, {fast.data(), 1, 4}, {});
      quantize_blocks_reference(spec, RoundingMode::TiesToEven, KAxis::Cols, {slow.data(), 1, 4}, {slow.data(), 1, 4},
                                {});
      CHECK(std::signbit(fast[0]) == element.has_minus_zero());
      CHECK(std::signbit(slow[0]) == element.has_minus_zero());
    }
  }
}

TEST_CASE("quantize_blocks: the reference's bits for unusual combinations, vectorised or not") {
  const BlockSpec specs[] = {
      {.element = kE2M1, .size = 7, .scale = kE8M0, .rule = ScaleRule::RoundUp},
      {.element = kE4M3, .size = 32, .scale = kE8M0, .rule = ScaleRule::RoundUp},
      {.element = kE5M2, .size = 1, .scale = kE8M0, .rule = ScaleRule::Divide},
      {.element = kE2M1, .size = 16, .rule = ScaleRule::Divide},
      // Scales that are not rounded again show the order of division and multiplication.
      {.element = kE2M1, .size = 16, .rule = ScaleRule::Divide, .tensor_target = 2688.0},
      {.element = kE2M1, .size = 16, .rule = ScaleRule::OcpFloor},
      {.element = kE3M2, .size = 24, .scale = kUE4M3, .rule = ScaleRule::OcpFloor},
      {.element = kE3M0, .size = 64, .scale = kBfloat16, .rule = ScaleRule::Divide},
      {.element = kE4M3Fnuz, .size = 16, .scale = kE8M0, .rule = ScaleRule::OcpFloor},
      {.element = kBinary8p4, .shape = BlockShape::Channel, .scale = kUE5M3, .rule = ScaleRule::Divide},
      {.element = kE2M1, .shape = BlockShape::Tensor, .scale = kE8M0, .rule = ScaleRule::RoundUp},
      {.element = kE2M1, .size = 32, .scale = kE8M0, .rule = ScaleRule::RoundUp, .tensor_target = 100.0},
      {.element = kUE4M3, .size = 16, .scale = kE8M0, .rule = ScaleRule::OcpFloor},
      {.element = parse_format("e2m1:bias=5"), .size = 16, .scale = kE8M0, .rule = ScaleRule::OcpFloor},
      {.element = parse_format("e2m1:bias=-120"), .size = 16, .scale = kE8M0, .rule = ScaleRule::RoundUp},
      {.element = kInt8, .size = 32, .scale = kE8M0, .rule = ScaleRule::RoundUp},
      {.element = parse_format("e8m9"), .size = 8, .scale = kE8M0, .rule = ScaleRule::OcpFloor},
      {.element = kBfloat16, .size = 48, .scale = kE8M0, .rule = ScaleRule::RoundUp},
      {.element = kE2M1,
       .scale = kE8M0,
       .rule = ScaleRule::Ceil,
       .tensor_target = 100.0,
       .order = TensorOrder::Divisor},
      {.element = kE5M2, .scale = kE8M0, .rule = ScaleRule::Even},
      {.element = kMxInt8, .scale = kE8M0, .rule = ScaleRule::Even},
      {.element = kMxInt8, .scale = kE8M0, .rule = ScaleRule::Ceil, .zero_scale = ZeroScale::One},
      {.element = kE2M1, .scale = kE8M0, .scale_rounding = RoundingMode::TowardPositive},
      {.element = kMxInt8,
       .scale = kE8M0,
       .rule = ScaleRule::Reciprocal,
       .tensor_target = 3.0,
       .scale_rounding = RoundingMode::TowardPositive,
       .zero_scale = ZeroScale::Least},
      {.element = kE2M1, .size = 16, .scale = kUE4M3, .scale_rounding = RoundingMode::TowardPositive},
      {.element = kE2M1, .size = 16, .scale = kUE4M3, .tensor_target = 2688.0, .order = TensorOrder::Folded},
      {.element = kE2M1,
       .size = 16,
       .scale = kUE5M3,
       .rule = ScaleRule::Reciprocal,
       .tensor_target = 2688.0,
       .statistic = BlockStatistic::ClipRatio,
       .parameter = 0.7,
       .least_scale = 0x1p-14,
       .order = TensorOrder::TargetFirst,
       .zero_scale = ZeroScale::Least},
      {.element = kE2M1, .shape = BlockShape::Square, .size = 3, .scale = kUE4M3, .rule = ScaleRule::Projection},
      {.element = kE4M3, .shape = BlockShape::Square, .size = 5000, .scale = kE8M0, .rule = ScaleRule::OcpFloor},
      {.element = kE4M3, .shape = BlockShape::AcrossK, .scale = kBfloat16},
      {.element = kE2M1, .scale = kE8M0, .statistic = BlockStatistic::Rms, .parameter = 2.9},
      {.element = kE2M1, .size = 9, .scale = kUE4M3, .statistic = BlockStatistic::Percentile, .parameter = 80},
      {.element = kE2M1, .size = 16, .statistic = BlockStatistic::Step, .parameter = 0.3},
      {.element = kE2M1, .size = 16, .scale = kUE4M3, .scaling = ElementScaling::Divide},
      {.element = kE3M2, .size = 16, .scale = kUE4M3, .scaling = ElementScaling::DivideExact},
      {.element = kE2M1, .size = 16, .scale = kUE4M3, .search = ScaleSearch::Mse, .search_window = 2},
      {.element = kE4M3, .size = 16, .scale = kUE4M3, .non_finite = NonFinite::Ignore},
      {.element = kE2M1, .size = 16, .double_quantization = DoubleQuantization{kInt8, 8}},
  };
  for (std::size_t i = 0; i < std::size(specs); ++i) {
    const std::string name = "specs[" + std::to_string(i) + "]";
    check_every_target(specs[i], name, {37, 75, 80}, true);
    check_every_target(specs[i], name, {37, 75, 80}, false);
    check_every_target(specs[i], name, {33, 21, 21}, true, kOtherRoundings);
  }
}

TEST_CASE("quantize_blocks: an output larger than caches, aligned or not, has the bits of its parts") {
  constexpr std::int64_t kRows = 8064, kCols = 1056, kSize = kRows * kCols;  // 32.5 MiB, the parts half of it
  const std::vector<float> x = wild_values({kRows, kCols, kCols}, /*finite=*/true);
  std::vector<float> whole(kSize + 32), expected(kSize);
  std::size_t aligned = 0;
  while (reinterpret_cast<std::uintptr_t>(whole.data() + aligned) % 64 != 0) ++aligned;
  for (const KAxis axis : kAxes) {
    for (const std::int64_t row : {std::int64_t{0}, kRows / 2}) {
      quantize_blocks(*block_preset("mxfp4"), {RoundingMode::StochasticA, 8}, axis,
                      {x.data() + row * kCols, kRows / 2, kCols}, {expected.data() + row * kCols, kRows / 2, kCols},
                      kStream, static_cast<std::uint64_t>(row * kCols));
    }
    for (const std::size_t offset : {aligned, aligned + 1}) {
      quantize_blocks(*block_preset("mxfp4"), {RoundingMode::StochasticA, 8}, axis, {x.data(), kRows, kCols},
                      {whole.data() + offset, kRows, kCols}, kStream);
      CHECK(same_bits(std::span(whole).subspan(offset, kSize), expected));
    }
  }
}

TEST_CASE("quantize_blocks: MXFP4 of a hand-worked block") {
  // amax = 5: X = 2^(2 - 2) = 1. RNE in E2M1; 5 is the tie of 4 and 6, 2.5 of 2 and 3, -0.25 of 0 and 0.5.
  CHECK(quantized("mxfp4", {5, 2.5, -0.25, 1.75}) == std::vector<float>{4, 2, -0.0F, 2});
  // amax = 7.9999995: exponent 2, not the 3 of a rounded logarithm, so X = 1 and it clips to 6.
  CHECK(quantized("mxfp4", {std::nextafter(8.0F, 0.0F), 1}) == std::vector<float>{6, 1});
  CHECK(quantized("mxfp4", {8, 1}) == std::vector<float>{8, 1});
  // 33 elements: the last is a block of its own.
  std::vector<float> x(33, 1.0F);
  x[0] = 100;
  x[32] = 0.3F;
  const std::vector<float> q = quantized("mxfp4", x);
  CHECK(q[0] == 96);      // X = 16: 6.25 -> 6
  CHECK(q[1] == 0);       // 1 / 16 -> 0
  CHECK(q[32] == 0.25F);  // X = 2^-4: 4.8 -> 4
}

TEST_CASE("quantize_blocks: floor(log2 amax) is exact on both sides of every power of two") {
  for (int e = -120; e <= 120; ++e) {
    CAPTURE(e);
    const float power = std::ldexp(1.0F, e);
    CHECK(quantized("mxfp4", {power})[0] == power);
    // Just below: 1.1..1 2^(e-1) clips to 6 X = 1.5 2^(e-1).
    CHECK(quantized("mxfp4", {std::nextafter(power, 0.0F)})[0] == 0.75F * power);
  }
}

TEST_CASE("quantize_blocks: RoundUp takes the least power of two that does not clip") {
  const BlockSpec spec{.element = kE2M1, .size = 1, .scale = kE8M0, .rule = ScaleRule::RoundUp};
  for (int e = -100; e <= 100; ++e) {
    // amax / 6: 6 2^e fits with X = 2^e, anything more needs 2^(e + 1).
    float x[] = {std::ldexp(6.0F, e), std::nextafter(std::ldexp(6.0F, e), INFINITY)};
    const MatrixView<float> view(x, 1, 2);
    quantize_blocks(spec, RoundingMode::TiesToEven, KAxis::Cols, view, view, {});
    CHECK(x[0] == std::ldexp(6.0F, e));
    CHECK(x[1] == std::ldexp(6.0F, e));  // 3 X'
    float y = std::ldexp(7.0F, e);       // 3.5 X' is the tie of 3 and 4: 4 X' = 8 2^e, where X would clip to 6
    quantize_blocks(spec, RoundingMode::TiesToEven, KAxis::Cols, {&y, 1, 1}, {&y, 1, 1}, {});
    CHECK(y == std::ldexp(8.0F, e));
  }
}

TEST_CASE("quantize_blocks: NVFP4 of a hand-worked operand") {
  // amax = 6 * 448 makes the second-level scale 1. Block 0: s = 448. Block 1: amax 5 -> 5 / 6 -> E4M3 0.8125; encode
  // 1 / 0.8125; 5 -> 6.15 -> 6 -> 4.875; 1 -> 1.23 -> 1 -> 0.8125.
  std::vector<float> x(32, 0.0F);
  x[0] = 2688;
  x[1] = 224;
  x[16] = 5;
  x[17] = -1;
  const std::vector<float> q = quantized("nvfp4", x);
  CHECK(q[0] == 2688);
  CHECK(q[1] == 224);
  CHECK(q[16] == 4.875F);
  CHECK(q[17] == -0.8125F);
}

TEST_CASE("quantize_blocks: a block scale that rounds to zero makes zeros with their signs") {
  // The least E4M3 scale is 2^-9; with a second-level scale of 1, amax / 6 at or below 2^-10 rounds to zero.
  std::vector<float> x(32, 0.0F);
  x[0] = 2688;
  x[16] = 6 * 0x1p-10F;
  x[17] = -x[16];
  std::vector<float> q = quantized("nvfp4", x);
  CHECK(q[16] == 0);
  CHECK((q[17] == 0 && std::signbit(q[17])));
  x[16] = 6 * 0x1p-9F;  // the subnormal scale 2^-9 itself
  q = quantized("nvfp4", x);
  CHECK(q[16] == x[16]);
}

TEST_CASE("quantize_blocks: UE5M3 scales reach 2^-17, so blocks survive that NVFP4 flushes, in both codebooks") {
  std::vector<float> x(32, 0.0F);
  x[0] = 2688;
  x[16] = 6 * 0x1p-17F;
  CHECK(quantized("nvfp4", x)[16] == 0);
  CHECK(quantized("ue5m3", x)[16] == x[16]);
  CHECK(quantized("ue5m3_114688", x)[16] == x[16]);
}

TEST_CASE("quantize_blocks: the two UE5M3 codebooks differ where block scales pass 61440") {
  const auto largest = [](const FormatSpec& scale) {
    const BlockSpec spec{.element = kE2M1, .size = 1, .scale = scale};
    float x = 6 * 100000.0F;
    quantize_blocks(spec, RoundingMode::TiesToEven, KAxis::Cols, {&x, 1, 1}, {&x, 1, 1}, {});
    return x;
  };
  CHECK(largest(kUE5M3) == 6 * 61440.0F);           // saturates
  CHECK(largest(kUE5M3Max114688) == 6 * 98304.0F);  // 1.5 2^16, the nearest to 100000
}

TEST_CASE("quantize_blocks: a float32 scale maps the largest magnitude to the largest value") {
  for (std::string_view preset : {"fp8_tensor", "fp8_channel"}) {
    const std::vector<float> q = quantized(preset, {3.0F, 1.5F, -0.75F});
    // 448, 224, 112 are values of E4M3; X = 3 / 448 carries one rounding, the product another.
    CHECK(q[0] == doctest::Approx(3.0).epsilon(0x1p-23));
    CHECK(q[1] == q[0] / 2);
    CHECK(q[2] == -q[0] / 4);
  }
}

TEST_CASE("quantize_blocks: blocks of zeros stay zeros for every preset and axis") {
  for (std::string_view preset : block_preset_names()) {
    CAPTURE(preset);
    for (KAxis axis : kAxes) {
      const bool keeps_sign = block_preset(preset)->element.has_minus_zero();
      const std::vector<float> zeros = quantized(preset, std::vector<float>(40, -0.0F), axis);
      CHECK(same_bits({zeros.begin(), zeros.end()}, std::vector<double>(40, keeps_sign ? -0.0 : 0.0)));
    }
  }
}

TEST_CASE("quantize_blocks: NaN or infinity makes its block NaN, and with a second-level scale the operand") {
  for (float bad : {std::numeric_limits<float>::quiet_NaN(), -INFINITY}) {
    std::vector<float> x(64, 1.0F);
    x[40] = bad;
    const std::vector<float> mx = quantized("mxfp4", x);
    const std::vector<float> nv = quantized("nvfp4", x);
    for (std::size_t i = 0; i < x.size(); ++i) {
      CHECK(std::isnan(mx[i]) == (i >= 32));
      CHECK(std::isnan(nv[i]));
      if (i < 32) CHECK(mx[i] == 1);
    }
  }
}

TEST_CASE("quantize_blocks: blocks along rows of x are those along columns of x transposed") {
  constexpr std::int64_t kRows = 50, kCols = 37;
  const std::vector<float> x = wild_values({kRows, kCols, kCols}, true);
  for (const BlockPreset& preset : block_presets()) {
    CAPTURE(preset.name);
    Matrix<float> down(kRows, kCols), across(kCols, kRows);
    for (std::int64_t i = 0; i < kRows; ++i) {
      for (std::int64_t j = 0; j < kCols; ++j) {
        down(i, j) = across(j, i) = x[static_cast<std::size_t>(i * kCols + j)];
      }
    }
    quantize_blocks(preset.spec, RoundingMode::TiesToEven, KAxis::Rows, down.view(), down.view(), {});
    quantize_blocks(preset.spec, RoundingMode::TiesToEven, KAxis::Cols, across.view(), across.view(), {});
    int different = 0;
    for (std::int64_t i = 0; i < kRows; ++i) {
      for (std::int64_t j = 0; j < kCols; ++j) different += bits_of(down(i, j)) == bits_of(across(j, i)) ? 0 : 1;
    }
    CHECK(different == 0);
  }
}

TEST_CASE("quantize_blocks: stochastic rounding of a block is unbiased (5 standard errors, false alarm 6e-7)") {
  // X = 1 by the 4; 0.7 lies between 0.5 and 1.
  constexpr std::int64_t kRows = 1 << 14;
  Matrix<float> x(kRows, 32);
  for (std::int64_t i = 0; i < kRows; ++i) {
    for (std::int64_t j = 0; j < 32; ++j) x(i, j) = j == 0 ? 4.0F : 0.7F;
  }
  quantize_blocks(*block_preset("mxfp4"), RoundingMode::StochasticExact, KAxis::Cols, x.view(), x.view(), kStream);
  double up = 0;
  for (std::int64_t i = 0; i < kRows; ++i) {
    for (std::int64_t j = 1; j < 32; ++j) up += x(i, j) == 1.0F ? 1 : 0;
  }
  const double count = 31.0 * kRows;
  CHECK(std::abs(up - 0.4 * count) < 5 * std::sqrt(0.24 * count));
}

TEST_CASE("block presets: names, sizes and targets") {
  CHECK(block_presets().size() == block_preset_names().size());
  for (std::size_t i = 0; i < block_presets().size(); ++i) CHECK(block_preset_names()[i] == block_presets()[i].name);
  CHECK_FALSE(block_preset("mxfp5").has_value());
  CHECK(block_preset("mxfp8") == block_preset("mxfp8_e4m3"));
  CHECK(block_preset("mxfp6_e3m2")->size == 32);
  CHECK(block_preset("nvfp4")->size == 16);
  CHECK(block_preset("nvfp4")->tensor_target == 2688.0);
  CHECK(block_preset("ue5m3")->scale->max_finite() == 61440.0);
  CHECK(block_preset("ue5m3_114688")->scale->max_finite() == 114688.0);
}
