#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/block/block_presets.h"
#include "core/block/block_scale.h"
#include "core/block/block_statistic.h"
#include "core/block/quantize_blocks.h"
#include "core/format/catalog.h"
#include "core/format/codes.h"
#include "tests/support/bits.h"

using namespace bitlaw;

namespace {

constexpr float kLargest = std::numeric_limits<float>::max();

BlockSpec mx(const FormatSpec& element, ScaleRule rule, RoundingMode rounding = RoundingMode::TiesToEven) {
  return {.element = element, .scale = kE8M0, .rule = rule, .scale_rounding = rounding};
}

/// The code of X for a block whose largest magnitude is a.
int code_of(const BlockSpec& spec, float a, const TensorScale& tensor = {}) {
  return static_cast<int>(encode(*spec.scale, static_cast<double>(block_scale(spec, tensor, a).scale)).value());
}

std::vector<float> quantized(const BlockSpec& spec, std::vector<float> x, RoundingMode rounding) {
  const MatrixView<float> view(x.data(), 1, static_cast<std::int64_t>(x.size()));
  quantize_blocks(spec, rounding, KAxis::Cols, view, view, {});
  return x;
}

std::vector<float> quantized(const BlockSpec& spec, std::vector<float> x) {
  return quantized(spec, std::move(x), RoundingMode::TiesToEven);
}

}  // namespace

TEST_CASE("scale rules: E4M3 of amax 150 has E8M0 code 127 by Ceil and 126 by every other rule (torchao issue 2035)") {
  // 150 = 1.171875 2^7, emax 8, max 448. Floor 2^(7-8). Ceil 2^(8-8). 150 / 448 = 0.33 -> 0.5 upward.
  CHECK(code_of(mx(kE4M3, ScaleRule::OcpFloor), 150) == 126);
  CHECK(code_of(mx(kE4M3, ScaleRule::Ceil), 150) == 127);
  CHECK(code_of(mx(kE4M3, ScaleRule::RoundUp), 150) == 126);
  CHECK(code_of(mx(kE4M3, ScaleRule::Divide, RoundingMode::TowardPositive), 150) == 126);
  CHECK(code_of(mx(kE4M3, ScaleRule::Reciprocal, RoundingMode::TowardPositive), 150) == 126);
  CHECK(code_of(mx(kE4M3, ScaleRule::Even), 150) == 126);  // 1.171875 + 2^-4 stays below 2
}

TEST_CASE(
    "scale rules: amax 6, 7 and 7.9999995 in E2M1 tell floor, even, ceil and round-up apart (torchao config.py)") {
  // Code 127 is X = 1. 6 = 1.5 2^2 is max: Ceil alone leaves no room. 7 = 1.75 2^2: half a unit of one fraction bit is
  // 1/4, so Even carries into 2^3.
  const auto codes = [](float a) {
    std::vector<int> all;
    for (const ScaleRule rule : {ScaleRule::OcpFloor, ScaleRule::Even, ScaleRule::RoundUp, ScaleRule::Ceil}) {
      all.push_back(code_of(mx(kE2M1, rule), a));
    }
    return all;
  };
  CHECK(codes(4) == std::vector{127, 127, 127, 127});
  CHECK(codes(std::nextafter(4.0F, 8.0F)) == std::vector{127, 127, 127, 128});
  CHECK(codes(6) == std::vector{127, 127, 127, 128});
  CHECK(codes(std::nextafter(6.0F, 8.0F)) == std::vector{127, 127, 128, 128});
  CHECK(codes(std::nextafter(7.0F, 6.0F)) == std::vector{127, 127, 128, 128});
  CHECK(codes(7) == std::vector{127, 128, 128, 128});
  CHECK(codes(std::nextafter(8.0F, 0.0F)) == std::vector{127, 128, 128, 128});
  CHECK(codes(8) == std::vector{128, 128, 128, 128});
}

TEST_CASE("scale rules: Even follows the element's significand: 1 1/2, 1 3/4, 1 7/8 and 1 15/16 carry") {
  // Half a unit of m fraction bits is 2^-(m + 1), so significands from 2 - 2^-(m + 1) on carry; INT8 has 6.
  struct Row {
    FormatSpec element;
    double carries;
  };
  for (const Row& row : {Row{kE3M0, 1.5}, {kE2M1, 1.75}, {kE5M2, 1.875}, {kE4M3, 1.9375}, {kMxInt8, 2 - 0x1p-7}}) {
    const auto a = static_cast<float>(row.carries);
    CAPTURE(row.carries);
    CHECK(code_of(mx(row.element, ScaleRule::Even), a) == code_of(mx(row.element, ScaleRule::OcpFloor), a) + 1);
    const float below = std::nextafter(a, 0.0F);
    CHECK(code_of(mx(row.element, ScaleRule::Even), below) == code_of(mx(row.element, ScaleRule::OcpFloor), below));
  }
}

TEST_CASE("scale rules: E8M0 ends at code 0, 2^-127, and code 254, 2^127, for every rule of powers of two") {
  for (const ScaleRule rule : {ScaleRule::OcpFloor, ScaleRule::Ceil, ScaleRule::Even, ScaleRule::RoundUp}) {
    CHECK(code_of(mx(kE2M1, rule), 0) == 0);
    CHECK(code_of(mx(kE2M1, rule), std::numeric_limits<float>::denorm_min()) == 0);
    CHECK(code_of(mx(kE2M1, rule), 0x1p-125F) == 0);  // 2^(-125 - 2)
    // INT8's largest value is below 2: the largest float32 needs 2^127, or more where the rule rounds up.
    CHECK(code_of(mx(kMxInt8, rule), kLargest) == 254);
  }
  const std::vector<float> q = quantized(mx(kE2M1, ScaleRule::OcpFloor), {0x1p-125F, 0x1p-128F});
  CHECK(q == std::vector<float>{0x1p-125F, 0x1p-128F});  // 4 and 0.5 times 2^-127, which is subnormal
  CHECK(quantized(mx(kMxInt8, ScaleRule::OcpFloor), {0x1.8p127F}) == std::vector<float>{0x1.8p127F});
  CHECK(quantized(mx(kMxInt8, ScaleRule::RoundUp), {kLargest}) == std::vector<float>{0x1.FCp127F});  // saturates
}

TEST_CASE("scale rules: RCEIL divides or multiplies: one float32 step above 127/64 of INT8 they differ") {
  // The quotient is 1 + 2^-23 and rounds up to 2; the product with the rounded 64/127 is 1. No OCP floating-point
  // element has such a case within 8 steps of max 2^e.
  const float a = std::nextafter(1.984375F, 2.0F);
  CHECK(code_of(mx(kMxInt8, ScaleRule::Divide, RoundingMode::TowardPositive), a) == 128);
  CHECK(code_of(mx(kMxInt8, ScaleRule::Reciprocal, RoundingMode::TowardPositive), a) == 127);
  CHECK(code_of(mx(kMxInt8, ScaleRule::RoundUp), a) == 128);
  for (const FormatSpec& element : {kE2M1, kE2M3, kE3M2, kE4M3, kE5M2}) {
    for (int e = -20; e <= 20; ++e) {
      float v = static_cast<float>(std::ldexp(element.max_finite(), e));
      for (int i = 0; i < 8; ++i) v = std::nextafter(v, 0.0F);
      for (int i = -8; i <= 8; ++i, v = std::nextafter(v, kLargest)) {
        const int divided = code_of(mx(element, ScaleRule::Divide, RoundingMode::TowardPositive), v);
        CHECK(code_of(mx(element, ScaleRule::Reciprocal, RoundingMode::TowardPositive), v) == divided);
      }
    }
  }
}

TEST_CASE("scale rules: an exact round-up separates from a divided one where the quotient rounds onto a power of two") {
  // (6 + 2^-21) / 6 = 1 + 1.33 2^-24: float32 keeps the 1 + 2^-23. With max 7: (7 + 2^-21) / 7 = 1 + 1.14 2^-24.
  // Below one step they agree; where a is subnormal, the quotient has few bits.
  const float a = 0x1.8p-147F;  // 3 2^-148 = 6 steps of 2^-149, over 6: one step, 2^-149
  CHECK(code_of(mx(kE2M1, ScaleRule::RoundUp), a) == 0);
  CHECK(code_of(mx(kE2M1, ScaleRule::Divide, RoundingMode::TowardPositive), a) == 0);
  const float b = 0x1.800002p-124F;  // over 6: 2^-126 (1 + 2^-23 1.33 / 2) to float32 2^-126
  CHECK(code_of(mx(kE2M1, ScaleRule::RoundUp), b) == 2);
}

TEST_CASE("scale rounding: E8M0 nearest of 3 is 2 by even codes, 4 by larger ties, and logarithms put 2.9 to 4") {
  const auto scale = [](float quotient, PowerTies ties) {
    BlockSpec spec = mx(kE2M1, ScaleRule::Divide);
    spec.scale_rounding.power_ties = ties;
    return block_scale(spec, {}, 6 * quotient).scale;
  };
  CHECK(scale(3, PowerTies::EvenCode) == 2);  // codes 128 and 129 (P3109)
  CHECK(scale(3, PowerTies::Larger) == 4);    // ml_dtypes
  CHECK(scale(3, PowerTies::Logarithmic) == 4);
  CHECK(scale(2.875F, PowerTies::EvenCode) == 2);
  CHECK(scale(2.875F, PowerTies::Larger) == 2);
  CHECK(scale(2.875F, PowerTies::Logarithmic) == 4);  // above 2 sqrt 2 (MLX)
}

TEST_CASE("scale rounding: upward scales never clip, nearest ones may (cuDNN against TransformerEngine)") {
  // 6.5 / 6 = 1.0833: E4M3 has 1.0 and 1.125.
  BlockSpec spec{.element = kE2M1, .size = 16, .scale = kUE4M3};
  CHECK(block_scale(spec, {}, 6.5F).scale == 1.125F);
  CHECK(block_scale(spec, {}, 6.3F).scale == 1.0F);  // 1.05
  spec.scale_rounding = RoundingMode::TowardPositive;
  CHECK(block_scale(spec, {}, 6.3F).scale == 1.125F);
  CHECK(block_scale(spec, {}, 6.0F).scale == 1.0F);
}

TEST_CASE("second level: four orders of NVFP4's scale give different codes of the same block") {
  // g = 54.4375 and each a near a tie of E4M3; the float32 steps were worked out in numpy, the casts by ml_dtypes.
  struct Row {
    float a, scale_last, folded, divisor, target_first;
  };
  constexpr Row kRows[] = {{0x1.086924p-9F, 0.015625F, 0.017578125F, 0.015625F, 0.015625F},
                           {0x1.278490p-9F, 0.017578125F, 0.01953125F, 0.01953125F, 0.017578125F},
                           {0x1.65bb6cp-9F, 0.0234375F, 0.0234375F, 0.0234375F, 0.021484375F},
                           {0x1.a3f248p-9F, 0.025390625F, 0.02734375F, 0.02734375F, 0.02734375F}};
  const auto scale = [](ScaleRule rule, TensorOrder order, float a) {
    const BlockSpec spec{
        .element = kE2M1, .size = 16, .scale = kUE4M3, .rule = rule, .tensor_target = 2688.0, .order = order};
    return block_scale(spec, tensor_scale(spec, 54.4375F), a).scale;
  };
  for (const Row& row : kRows) {
    CAPTURE(row.a);
    CHECK(scale(ScaleRule::Divide, TensorOrder::ScaleLast, row.a) == row.scale_last);
    CHECK(scale(ScaleRule::Reciprocal, TensorOrder::Folded, row.a) == row.folded);
    CHECK(scale(ScaleRule::Divide, TensorOrder::Divisor, row.a) == row.divisor);
    CHECK(scale(ScaleRule::Divide, TensorOrder::TargetFirst, row.a) == row.target_first);
  }
}

TEST_CASE("second level: presets have the order of the paper or library that they are named after") {
  // Codes of the second and third block above; UE5M3 has the same significands there.
  const auto scales = [](const char* preset) {
    const BlockSpec spec = *block_preset(preset);
    const TensorScale tensor = tensor_scale(spec, 54.4375F);
    return std::vector{block_scale(spec, tensor, 0x1.278490p-9F).scale,
                       block_scale(spec, tensor, 0x1.65bb6cp-9F).scale};
  };
  CHECK(scales("nvfp4") == std::vector{0.017578125F, 0.0234375F});
  CHECK(scales("nvfp4_16x16") == std::vector{0.017578125F, 0.0234375F});
  CHECK(scales("nvfp4_te") == std::vector{0.01953125F, 0.0234375F});
  CHECK(scales("nvfp4_torchao") == std::vector{0.01953125F, 0.0234375F});
  CHECK(scales("ue5m3") == std::vector{0.017578125F, 0.021484375F});
}

TEST_CASE("second level: stored as multiplier, divisor or amax, the same block decodes to three float32") {
  // g = 7: S = 2688 / 7 = 384 exactly, D = 1 / 384 rounded. X = 3.
  BlockSpec spec{.element = kE2M1, .size = 16, .scale = kUE4M3, .tensor_target = 2688.0};
  const TensorScale tensor = tensor_scale(spec, 7);
  CHECK(tensor == TensorScale{.encode = 384, .decode = 1.0F / 384, .amax = 7});
  CHECK(block_decode(spec, tensor, 3) == 3 * (1.0F / 384));
  spec.store = TensorStore::Divisor;
  CHECK(block_decode(spec, tensor, 3) == 0x1p-7F);  // 3 / 384
  spec.store = TensorStore::Amax;
  CHECK(block_decode(spec, tensor, 3) == 21 * (1.0F / 2688));
  spec.order = TensorOrder::Divisor;  // t = 7 / 2688 is rounded, and S is 1 / t
  CHECK(tensor_scale(spec, 7) == TensorScale{.encode = 1 / (7.0F / 2688), .decode = 7.0F / 2688, .amax = 7});
}

TEST_CASE("second level: no scale for zeros, the largest float32 where the quotient overflows, NaN for infinity") {
  const BlockSpec spec{.element = kE2M1, .size = 16, .scale = kUE4M3, .tensor_target = 2688.0};
  CHECK(tensor_scale(spec, 0) == TensorScale{});
  CHECK(tensor_scale(spec, 0x1p-140F).encode == kLargest);
  CHECK(std::isnan(tensor_scale(spec, INFINITY).encode));
  CHECK(std::isnan(tensor_scale(spec, NAN).decode));
  CHECK(tensor_scale({.element = kE2M1}, 5) == TensorScale{.amax = 5});
}

TEST_CASE("element scaling: a tie in the quotient is none in the product with the rounded reciprocal") {
  // X = 15/512, v = 1.25 X exactly: to even, 1. In float32 1 / X is too large and the product lies above 1.25: 1.5.
  const float scale = 0.029296875F, v = 0x1.2cp-5F;
  BlockSpec spec{.element = kE2M1, .size = 2, .scale = kUE4M3};
  const std::vector<float> x{6 * scale, v};  // the first makes the scale
  CHECK(quantized(spec, x)[1] == 1.5F * scale);
  spec.scaling = ElementScaling::Reciprocal;
  CHECK(quantized(spec, x)[1] == 1.5F * scale);
  spec.scaling = ElementScaling::Divide;
  CHECK(quantized(spec, x)[1] == scale);
  spec.scaling = ElementScaling::DivideExact;
  CHECK(quantized(spec, x)[1] == scale);
}

TEST_CASE("element scaling: DivideExact rounds as comparing with the scale times midpoints does, which is exact") {
  const float midpoints[] = {0.25F, 0.75F, 1.25F, 1.75F, 2.5F, 3.5F, 5.0F};
  const float below[] = {0, 0.5F, 1, 1.5F, 2, 3, 4}, above[] = {0.5F, 1, 1.5F, 2, 3, 4, 6};
  const bool even_is_below[] = {true, false, true, false, true, false, true};
  const BlockSpec spec{.element = kE2M1, .size = 2, .scaling = ElementScaling::DivideExact};
  const Matrix<float> scales = rough_matrix(1, 400, 7, 3);
  int wrong = 0;
  for (std::int64_t i = 0; i < scales.size(); ++i) {
    const float amax = std::abs(scales.data()[i]), scale = amax / 6;
    for (std::size_t m = 0; m < std::size(midpoints); ++m) {
      const double middle = static_cast<double>(midpoints[m]) * static_cast<double>(scale);
      float v = static_cast<float>(middle);
      for (const float x : {std::nextafter(v, 0.0F), v, std::nextafter(v, kLargest)}) {
        if (x > amax) continue;
        const auto exact = static_cast<double>(x);
        const bool goes_up = exact > middle || (exact == middle && !even_is_below[m]);
        wrong += quantized(spec, {amax, x})[1] != (goes_up ? above[m] : below[m]) * scale;
      }
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("element rounding: ties away, as microxcaling's default, against ties to even") {
  const BlockSpec spec = *block_preset("mxfp4");
  const std::vector<float> x{2.5F, 1.25F, 0.25F, 5};
  CHECK(quantized(spec, x, RoundingMode::TiesToAway) == std::vector<float>{3, 1.5F, 0.5F, 6});
  CHECK(quantized(spec, x) == std::vector<float>{2, 1, 0, 4});
}

TEST_CASE("zero scales: a block of zeros has code 0 of E8M0, zero, 2^-6 or 1 by the named policy; its values are 0") {
  CHECK(code_of(*block_preset("mxfp4"), 0) == 0);  // gfloat, torchao MX
  BlockSpec spec = *block_preset("nvfp4");
  CHECK(block_scale(spec, {}, 0).scale == 0);  // TransformerEngine, Universal
  CHECK(block_scale(*block_preset("nvfp4_torchao"), {}, 0).scale == 0x1p-6F);
  CHECK(block_scale(*block_preset("ue5m3"), {}, 0).scale == 1);  // arXiv:2609.02846
  spec.zero_scale = ZeroScale::Least;
  CHECK(block_scale(spec, {}, 0).scale == 0x1p-9F);
  CHECK(block_scale(spec, {}, 6 * 0x1p-11F).scale == 0x1p-9F);  // rounds to zero
  for (const char* name : {"mxfp4", "nvfp4", "nvfp4_torchao", "ue5m3"}) {
    std::vector<float> x(64, 0.0F);
    x[0] = 2688;  // the last block is one of zeros
    CHECK(quantized(*block_preset(name), x)[40] == 0);
  }
}

TEST_CASE("subnormal scales: kept, or raised to the least normal one (torchao)") {
  // a / 6 = 2^-8: a subnormal of E4M3.
  const float a = 6 * 0x1p-8F;
  BlockSpec spec = *block_preset("nvfp4");
  CHECK(block_scale(spec, {}, a).scale == 0x1p-8F);
  spec.least_scale = kUE4M3.min_normal();
  CHECK(block_scale(spec, {}, a).scale == 0x1p-6F);
  CHECK(block_scale(spec, {}, 6 * 500.0F).scale == 448);  // the other end saturates
}

TEST_CASE("NaN and infinity: the block is NaN, or only the NaN is and infinity saturates (P3109 v4.0 5.2.3, note 3)") {
  BlockSpec spec{.element = kE2M1, .size = 4, .scale = kUE4M3};
  const std::vector<float> x{6, INFINITY, NAN, 1};
  for (const float v : quantized(spec, x)) CHECK(std::isnan(v));
  spec.non_finite = NonFinite::Ignore;
  const std::vector<float> q = quantized(spec, x);
  CHECK(q[0] == 6);
  CHECK(q[1] == 6);
  CHECK(std::isnan(q[2]));
  CHECK(q[3] == 1);
}

TEST_CASE(
    "Projection: the scale is the largest finite magnitude itself, rounded; elements lie in [-1, 1] (P3109 5.2.3)") {
  // E5M2 of 3.3 is 3.5; the elements are 3.3 / 3.5 = 0.943 and 0.5 / 3.5 = 0.1428 in Binary8p4se: 0.9375, 0.140625.
  const BlockSpec spec{.element = kBinary8p4,
                       .size = 3,
                       .scale = kE5M2,
                       .rule = ScaleRule::Projection,
                       .scaling = ElementScaling::DivideExact,
                       .non_finite = NonFinite::Ignore};
  CHECK(quantized(spec, {3.3F, -0.5F, 0}) == std::vector<float>{3.5F * 0.9375F, -3.5F * 0.140625F, 0});
  // Note 4: a maximum that rounds to zero makes zeros; 2^-18 lies below half of E5M2's least value 2^-16.
  CHECK(quantized(spec, {0x1p-18F, -0x1p-19F, 0}) == std::vector<float>{0, 0, 0});
}

TEST_CASE("statistics: amax, root mean square, percentile by nearest rank, clip ratio, step") {
  const std::vector<float> x{3, -4, 0, 0};
  BlockSpec spec{.element = kE2M1};
  const auto statistic = [&](BlockStatistic which, double p) {
    spec.statistic = which;
    spec.parameter = p;
    return block_statistic(spec, x);
  };
  CHECK(statistic(BlockStatistic::Amax, 1) == 4);
  CHECK(statistic(BlockStatistic::Rms, 2) == 5);            // 2 sqrt(25 / 4)
  CHECK(statistic(BlockStatistic::Percentile, 100) == 4);   // ranks: 0, 0, 3, 4
  CHECK(statistic(BlockStatistic::Percentile, 75) == 3);    // rank 3
  CHECK(statistic(BlockStatistic::Percentile, 75.1) == 4);  // rank ceil(3.004)
  CHECK(statistic(BlockStatistic::ClipRatio, 0.5) == 2);
  CHECK(statistic(BlockStatistic::Step, 0.5) == 3);              // 0.5 times max 6
  CHECK(quantized(spec, x) == std::vector<float>{3, -3, 0, 0});  // X = 0.5: 6 and, clipped, -6
}

TEST_CASE("gaussian clip: the optimal uniform quantizers of Max 1960, Table II, and Quartet's constant of E2M1") {
  // N levels at odd multiples of half a step. QuEST (arXiv:2502.05003) has the same clips, 3.885 for N = 256 excepted.
  struct Row {
    int levels;
    double step;
  };
  for (const Row& row : {Row{2, 1.596}, {4, 0.9957}, {8, 0.5860}, {16, 0.3352}, {32, 0.1881}}) {
    std::vector<float> values;
    for (int i = 1 - row.levels; i < row.levels; i += 2) values.push_back(static_cast<float>(i));
    const double step = 2 * gaussian_clip({.element = {}, .codebook = Codebook(values)}) / (row.levels - 1);
    CHECK(step == doctest::Approx(row.step).epsilon(3e-4));  // half of the last digit printed
  }
  CHECK(gaussian_clip({.element = kE2M1}) == doctest::Approx(2.92247856).epsilon(1e-6));  // arXiv:2505.14669, its code
}

TEST_CASE("Quartet: the root mean square times 2.92 / 6 rounded down to a power of two") {
  // [3, -4, 0, 0]: 2.5 2.92247856 / 6 = 1.2177 -> 1.
  BlockSpec spec = mx(kE2M1, ScaleRule::Divide, RoundingMode::TowardZero);
  spec.size = 4;
  spec.statistic = BlockStatistic::Rms;
  spec.parameter = 2.92247856;
  CHECK(quantized(spec, {3, -4, 0, 0}) == std::vector<float>{3, -4, 0, 0});
  CHECK(quantized(spec, {12, 0, 0, 0}) == std::vector<float>{12, 0, 0, 0});  // 6 2.92 / 6 = 2.92 -> 2: 6 * 2
  CHECK(quantized(spec, {24, 1, 1, 1}) == std::vector<float>{24, 0, 0, 0});  // 12.03 2.92 / 6 = 5.9 -> 4
}
