#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "core/base/team.h"
#include "core/block/block_presets.h"
#include "core/block/block_scales.h"
#include "core/block/delayed_amax.h"
#include "core/block/quantize_blocks.h"
#include "core/format/catalog.h"
#include "tests/support/bits.h"

using namespace bitlaw;

namespace {

Matrix<float> quantized(const BlockSpec& spec, const Matrix<float>& x, KAxis axis = KAxis::Cols,
                        std::optional<float> held_amax = {}) {
  Matrix<float> out(x.rows(), x.cols());
  quantize_blocks(spec, RoundingMode::TiesToEven, axis, x.view(), out.view(), {}, 0, held_amax);
  return out;
}

Matrix<float> row_of(const std::vector<float>& values) {
  Matrix<float> x(1, static_cast<std::int64_t>(values.size()));
  std::copy(values.begin(), values.end(), x.data());
  return x;
}

std::vector<float> row_quantized(const BlockSpec& spec, const std::vector<float>& values) {
  const Matrix<float> out = quantized(spec, row_of(values));
  return {out.data(), out.data() + out.size()};
}

}  // namespace

TEST_CASE("shapes: height, width, blocks down and across, and the last block of [5, 7] in blocks of 2") {
  const auto grid = [](BlockShape shape, KAxis axis) {
    const BlockGrid g = block_grid({.element = kE2M1, .shape = shape, .size = 2}, axis, 5, 7);
    return std::vector<std::int64_t>{
        g.height, g.width, g.down(), g.across(), g.region(g.count() - 1).rows, g.region(g.count() - 1).cols};
  };
  using Numbers = std::vector<std::int64_t>;
  CHECK(grid(BlockShape::AlongK, KAxis::Cols) == Numbers{1, 2, 5, 4, 1, 1});
  CHECK(grid(BlockShape::AlongK, KAxis::Rows) == Numbers{2, 1, 3, 7, 1, 1});
  CHECK(grid(BlockShape::Square, KAxis::Cols) == Numbers{2, 2, 3, 4, 1, 1});
  CHECK(grid(BlockShape::Square, KAxis::Rows) == Numbers{2, 2, 3, 4, 1, 1});
  CHECK(grid(BlockShape::Channel, KAxis::Cols) == Numbers{1, 7, 5, 1, 1, 7});
  CHECK(grid(BlockShape::Channel, KAxis::Rows) == Numbers{5, 1, 1, 7, 5, 1});
  CHECK(grid(BlockShape::AcrossK, KAxis::Cols) == Numbers{5, 1, 1, 7, 5, 1});
  CHECK(grid(BlockShape::AcrossK, KAxis::Rows) == Numbers{1, 7, 5, 1, 1, 7});
  CHECK(grid(BlockShape::Tensor, KAxis::Cols) == Numbers{5, 7, 1, 1, 5, 7});
}

TEST_CASE("shapes: square blocks give W and its transpose the same values, rows of 16 do not (arXiv:2509.25149)") {
  const Matrix<float> w = rough_matrix(48, 32, 4, 6);
  Matrix<float> transposed(32, 48);
  for (std::int64_t i = 0; i < 48; ++i) {
    for (std::int64_t j = 0; j < 32; ++j) transposed(j, i) = w(i, j);
  }
  const auto is_consistent = [&](const char* preset) {
    const Matrix<float> a = quantized(*block_preset(preset), w), b = quantized(*block_preset(preset), transposed);
    for (std::int64_t i = 0; i < 48; ++i) {
      for (std::int64_t j = 0; j < 32; ++j) {
        if (a(i, j) != b(j, i)) return false;
      }
    }
    return true;
  };
  CHECK(is_consistent("nvfp4_16x16"));
  CHECK(is_consistent("fp8_128x128"));
  CHECK_FALSE(is_consistent("nvfp4"));
}

TEST_CASE("search: MSE takes the scale whose clipping and rounding together cost least") {
  BlockSpec spec = *block_preset("mxfp4");
  // X = 1 clips 7.5 to 6: 1.5^2. X = 2: 3.75 -> 4 -> 8: 0.5^2. Twice as coarse, 1 stays: 0.5 2.
  CHECK(row_quantized(spec, {7.5F, 1}) == std::vector<float>{6, 1});
  spec.search = ScaleSearch::Mse;
  spec.search_window = 1;
  CHECK(row_quantized(spec, {7.5F, 1}) == std::vector<float>{8, 1});
  // 7: 6 and 8 are equally far, the rule's scale stays.
  CHECK(row_quantized(spec, {7, 1}) == std::vector<float>{6, 1});
}

TEST_CASE("search: MSE over the whole scale format is the best of all its scales") {
  BlockSpec spec{.element = kE2M1, .size = 16, .scale = kUE4M3, .search = ScaleSearch::Mse, .search_window = 126};
  const Matrix<float> x = rough_matrix(1, 16, 12, 3);
  const auto error = [&](const Matrix<float>& q) {
    double sum = 0;
    for (std::int64_t j = 0; j < 16; ++j)
      sum += std::pow(static_cast<double>(q(0, j)) - static_cast<double>(x(0, j)), 2);
    return sum;
  };
  const double found = error(quantized(spec, x));
  BlockSpec fixed{.element = kE2M1, .size = 16, .scale = kUE4M3, .statistic = BlockStatistic::Step};
  double least = INFINITY;
  for (int code = 1; code < 0x7F; ++code) {
    fixed.parameter = kUE4M3.magnitude_of(static_cast<std::uint64_t>(code));
    least = std::min(least, error(quantized(fixed, x)));
  }
  CHECK(found == least);
  spec.search = ScaleSearch::None;
  CHECK(found < error(quantized(spec, x)));
}

TEST_CASE("4-over-6: maps the largest value to 4 where that brings the others nearer, else to 6 (arXiv:2512.02010)") {
  BlockSpec spec{.element = kE2M1, .size = 4, .scale = kUE4M3};
  CHECK(row_quantized(spec, {6, 5}) == std::vector<float>{6, 4});  // a tie to even
  for (const ScaleSearch search : {ScaleSearch::FourOverSixMae, ScaleSearch::FourOverSixMse}) {
    spec.search = search;
    CHECK(row_quantized(spec, {6, 5}) == std::vector<float>{6, 4.5F});  // X = 1.5: 4 and 3.33 -> 3
    CHECK(row_quantized(spec, {6, 3}) == std::vector<float>{6, 3});     // exact both ways: map to 6
  }
}

TEST_CASE("4-over-6: sums of magnitudes and of squares choose differently") {
  // X = 1 errs by 1 in the 5. X = 1.5: 3.33 -> 3 errs by 0.5, and 0.67 -> 0.5 by 0.25 three times: magnitudes 1 against
  // 1.25, squares 1 against 0.4375.
  BlockSpec spec{.element = kE2M1, .size = 8, .scale = kUE4M3, .search = ScaleSearch::FourOverSixMae};
  CHECK(row_quantized(spec, {6, 5, 1, 1, 1}) == std::vector<float>{6, 4, 1, 1, 1});
  spec.search = ScaleSearch::FourOverSixMse;
  CHECK(row_quantized(spec, {6, 5, 1, 1, 1}) == std::vector<float>{6, 4.5F, 0.75F, 0.75F, 0.75F});
}

TEST_CASE("double quantization: scales are rounded around their mean, elements keep the unrounded scale (QLoRA)") {
  // Blocks of one element in INT4's E2M1 of max 6: X = v / 6. Scales 1, 15, 4.6, 11.4: mean 8, step 7 / 7 = 1; -3.4 and
  // 3.4 become -3 and 3. Every element is 6 in its own block.
  const BlockSpec spec{
      .element = kE2M1,
      .size = 1,
      .double_quantization = DoubleQuantization{integer_format(4, 0, SignCoding::TwosComplementSymmetric), 256}};
  CHECK(row_quantized(spec, {6, 90, 27.6F, 68.4F}) == std::vector<float>{6, 90, 30, 66});
  BlockSpec groups = spec;  // groups of two have steps of their own; the mean is that of all
  groups.double_quantization->size = 2;
  const BlockScales scales = block_scales(groups, KAxis::Cols, row_of({6, 90, 27.6F, 68.4F}).view());
  CHECK(scales.groups->mean == 8);
  CHECK(scales.groups->steps.size() == 2);
  CHECK(scales.groups->steps[0] == 1);
  CHECK(scales.groups->steps[1] == doctest::Approx(3.4 / 7).epsilon(1e-6));
  CHECK(scales.groups->offsets == std::vector<float>{-7, 7, -7, 7});
}

/// What a step scales with, after which its sample counts.
float step_with(DelayedAmax& amax, const DelayedScaling& scaling, std::int64_t step, float largest) {
  const float held = amax.held(scaling, step, largest);
  CHECK(amax.held(scaling, step, largest) == held);  // looking changes nothing
  amax.add(scaling, step, largest);
  return held;
}

TEST_CASE("delayed scaling: sampled every n steps and held, as arXiv:2609.02846") {
  const DelayedScaling scaling{.interval = 50, .history = 1};
  DelayedAmax amax;
  CHECK(step_with(amax, scaling, 3, 2) == 2);  // the first call has nothing else
  CHECK_FALSE(amax.samples(scaling, 49));
  CHECK(step_with(amax, scaling, 49, 9) == 2);
  CHECK(amax.samples(scaling, 50));
  CHECK(step_with(amax, scaling, 50, 5) == 5);
  CHECK(step_with(amax, scaling, 51, 1) == 5);
  for (const float nothing : {INFINITY, -NAN, 0.0F}) CHECK(step_with(amax, scaling, 100, nothing) == 5);
}

TEST_CASE("delayed scaling: the largest of a window of past steps, with a margin, as TransformerEngine's FP8 recipe") {
  const DelayedScaling scaling{.history = 3, .margin = 2, .uses_current = false};
  DelayedAmax amax;
  std::vector<float> held;
  const float samples[] = {4, 1, 8, 1, 1, 1, 1};
  for (int step = 0; step < 7; ++step) held.push_back(step_with(amax, scaling, step, samples[step]));
  CHECK(held == std::vector<float>{8, 8, 8, 16, 16, 16, 2});
}

TEST_CASE("delayed scaling: a held amax clips what is larger, as one scale and as the second level") {
  const std::vector<float> x{3, 12, -1};
  const BlockSpec tensor{.element = kE2M1, .shape = BlockShape::Tensor};
  const Matrix<float> held = quantized(tensor, row_of(x), KAxis::Cols, 6.0F);
  CHECK(std::vector<float>(held.data(), held.data() + 3) == std::vector<float>{3, 6, -1});
  // NVFP4 with g = 6: S = 448; the block's scale (12 / 6) 448 saturates at 448, which stands for 1.
  const Matrix<float> nvfp4 = quantized(*block_preset("nvfp4"), row_of(x), KAxis::Cols, 6.0F);
  CHECK(nvfp4(0, 1) == doctest::Approx(6).epsilon(1e-6));
  // UE5M3 reaches 61440 / 448 = 137 times the stale amax (arXiv:2609.02846).
  const Matrix<float> ue5m3 = quantized(*block_preset("ue5m3"), row_of({6 * 137.0F, 0}), KAxis::Cols, 6.0F);
  CHECK(ue5m3(0, 0) == doctest::Approx(6 * 137.0).epsilon(0.07));
  CHECK(quantized(*block_preset("ue5m3"), row_of({6 * 200.0F, 0}), KAxis::Cols, 6.0F)(0, 0) < 6 * 140.0F);
}

TEST_CASE("delayed scaling: beside a held amax NaN stays and infinities saturate, as by definition") {
  for (const char* preset : {"fp8_tensor", "nvfp4"}) {
    for (const float odd : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
      for (const KAxis axis : {KAxis::Cols, KAxis::Rows}) {
        const Matrix<float> x = row_of({odd, 3, -1, 0});
        Matrix<float> expected(1, 4);
        quantize_blocks_reference(*block_preset(preset), {}, axis, x.view(), expected.view(), {}, 0, 6.0F);
        const Matrix<float> q = quantized(*block_preset(preset), x, axis, 6.0F);
        CHECK(std::memcmp(q.data(), expected.data(), 4 * sizeof(float)) == 0);
        if (std::string(preset) == "fp8_tensor") CHECK((std::isnan(odd) ? std::isnan(q(0, 0)) : q(0, 0) == 6));
      }
    }
  }
}

TEST_CASE("blocks: with a parameter for each, a block is what it is by itself with that parameter") {
  const Matrix<float> x = rough_matrix(5, 24, 7, 3);
  for (const BlockStatistic statistic : {BlockStatistic::Step, BlockStatistic::ClipRatio, BlockStatistic::Rms}) {
    BlockSpec spec{.element = kE2M1, .size = 8, .statistic = statistic};
    for (const std::size_t count : {std::size_t{15}, std::size_t{3}}) {
      std::vector<float> parameters(count);
      for (std::size_t k = 0; k < count; ++k) parameters[k] = 0.3F + 0.1F * static_cast<float>(k);
      Matrix<float> q(5, 24), expected(5, 24);
      quantize_blocks_by_parameters(spec, {}, KAxis::Cols, x.view(), q.view(), {}, parameters);
      for (std::int64_t b = 0; b < 15; ++b) {
        spec.parameter = static_cast<double>(parameters[static_cast<std::size_t>(b) % count]);
        Matrix<float> alone(1, 8);
        std::copy_n(x.view().row(b / 3) + b % 3 * 8, 8, alone.data());
        const Matrix<float> rounded = quantized(spec, alone);
        std::copy_n(rounded.data(), 8, expected.view().row(b / 3) + b % 3 * 8);
      }
      CHECK(same_bits(q, expected));
    }
  }
}

TEST_CASE("teams: every preset and shape gives the bits of one thread, also with a NaN or an infinity") {
  std::vector<BlockSpec> specs;
  for (const BlockPreset& preset : block_presets()) specs.push_back(preset.spec);
  for (const BlockShape shape : {BlockShape::Channel, BlockShape::AcrossK, BlockShape::Square, BlockShape::Tensor}) {
    specs.push_back({.element = kE2M1, .shape = shape, .size = 24});
    specs.push_back({.element = kE2M1, .shape = shape, .size = 24, .tensor_target = 2688.0});
  }
  specs.push_back({.element = kE2M1, .shape = BlockShape::Tensor, .statistic = BlockStatistic::Rms, .parameter = 3});
  Matrix<float> x(261, 130);
  for (std::int64_t i = 0; i < x.size(); ++i) {
    x.data()[i] = std::exp2(8 * random_uniform({.seed = 3}, static_cast<std::uint64_t>(i))) - 4.0F;
  }
  for (const float odd : {1.0F, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    x(200, 50) = odd;
    for (const BlockSpec& spec : specs) {
      for (const KAxis axis : {KAxis::Cols, KAxis::Rows}) {
        Matrix<float> alone(x.rows(), x.cols()), shared(x.rows(), x.cols());
        const RandomStream stream{.seed = 4, .step = 5};
        quantize_blocks(spec, {RoundingMode::StochasticA, 8}, axis, x.view(), alone.view(), stream);
        for (const int threads : {2, 3}) {
          const TeamScope team(threads);
          quantize_blocks_by_team(spec, {RoundingMode::StochasticA, 8}, axis, x.view(), shared.view(), stream);
          CHECK(std::memcmp(alone.data(), shared.data(), static_cast<std::size_t>(x.size()) * sizeof(float)) == 0);
        }
      }
    }
  }
}
