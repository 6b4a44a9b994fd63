#include "simulators/quantized/statistics.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "core/block/block_presets.h"
#include "core/block/quantize_blocks.h"
#include "core/format/catalog.h"
#include "core/tensor/gemm.h"
#include "simulators/quantized/quantized_linear.h"
#include "tests/support/bits.h"

using namespace bitlaw;

namespace {

/// One row as a matrix.
Matrix<float> row(const std::vector<float>& values) {
  Matrix<float> x(1, static_cast<std::int64_t>(values.size()));
  std::copy(values.begin(), values.end(), x.data());
  return x;
}

/// What mxfp4 in blocks of 4 does to the values.
SlotStatistics of(const std::vector<float>& values) {
  BlockSpec spec = *block_preset("mxfp4");
  spec.size = 4;
  const Matrix<float> x = row(values);
  Matrix<float> q(1, x.cols());
  quantize_blocks(spec, {}, KAxis::Cols, x.view(), q.view(), {});
  return slot_statistics(spec, KAxis::Cols, x.view(), q.view());
}

}  // namespace

// By hand: the first block's amax 7.5 has the scale 1, so 7.5 becomes 6 (clipped), 0.2 becomes 0, 3 and -1 stay. The
// second is zeros. The third's amax 3/4 has the scale 2^-3: 3/4 = 6/8 and -1/2 = -4/8 stay, 0 stays, 0.375 = 3/8 stays.
TEST_CASE("slot statistics: by hand") {
  const SlotStatistics s = of({7.5F, 0.1875F, 3, -1, 0, 0, 0, 0, 0.75F, -0.5F, 0, 0.375F});
  const double third = 0.75 * 0.75 + 0.25 + 0.375 * 0.375;
  const double xx = 7.5 * 7.5 + 0.1875 * 0.1875 + 9 + 1 + third, qq = 36 + 9 + 1 + third;
  const double xq = 45 + 9 + 1 + third, error = 1.5 * 1.5 + 0.1875 * 0.1875;
  CHECK(s.snr_db == doctest::Approx(10 * std::log10(xx / error)));
  CHECK(s.cosine == doctest::Approx(xq / std::sqrt(xx * qq)));
  CHECK(s.norm_ratio == doctest::Approx(std::sqrt(qq / xx)));
  CHECK(s.shrinkage == doctest::Approx(1 - xq / xx));
  CHECK(s.rms == doctest::Approx(std::sqrt(xx / 12)));
  CHECK(s.bias == doctest::Approx((-1.5 - 0.1875) / 12 / s.rms));
  CHECK(s.clipped == doctest::Approx(1.0 / 12));
  CHECK(s.underflow == doctest::Approx(1.0 / 12));
  CHECK(s.zero_blocks == doctest::Approx(1.0 / 3));
  CHECK(s.amax == 7.5);
  const double first = 7.5 * 7.5 + 0.1875 * 0.1875 + 9 + 1;
  CHECK(s.crest == doctest::Approx(0.5 * (7.5 / std::sqrt(first / 4) + 0.75 / std::sqrt(third / 4))));
  CHECK(s.scale_low == -3);
  CHECK(s.scale_high == 0);
  CHECK(s.scale_mean == -1.5);
  CHECK(s.non_finite == 0);
}

TEST_CASE("slot statistics: values of the format lose nothing; the largest value over a float32 scale is not clipped") {
  const SlotStatistics exact = of({6, -4, 0.5F, 0});
  CHECK(std::isinf(exact.snr_db));
  CHECK(exact.cosine == doctest::Approx(1));
  CHECK(exact.shrinkage == doctest::Approx(0).scale(1));
  const BlockSpec spec = *block_preset("int4_g32");
  const Matrix<float> x = rough_matrix(50, 64, 9, 1);
  Matrix<float> q(50, 64);
  quantize_blocks(spec, {}, KAxis::Cols, x.view(), q.view(), {});
  CHECK(slot_statistics(spec, KAxis::Cols, x.view(), q.view()).clipped == 0);
}

TEST_CASE("slot statistics: infinities and NaN are counted and left out of the sums") {
  BlockSpec spec = *block_preset("mxfp4");
  spec.size = 4;
  const Matrix<float> x = row({1, 2, NAN, 4, 3, 3, 3, 3});
  Matrix<float> q(1, 8);
  quantize_blocks(spec, {}, KAxis::Cols, x.view(), q.view(), {});
  const SlotStatistics s = slot_statistics(spec, KAxis::Cols, x.view(), q.view());
  CHECK(s.non_finite == 0.5);  // the whole first block became NaN
  CHECK(s.rms == 3);
}

// A uniform number on [0, 1) has rms 1/sqrt(3), kurtosis (1/5) / (1/9) = 9/5; symmetric ones the same.
TEST_CASE("slot statistics: moments of uniform numbers") {
  const Matrix<float> x = rough_matrix(400, 400, 4, 1);
  const SlotStatistics s = slot_statistics(*block_preset("fp8_tensor"), KAxis::Cols, x.view(), x.view());
  CHECK(s.rms == doctest::Approx(1 / std::sqrt(3.0)).epsilon(0.01));
  CHECK(s.kurtosis == doctest::Approx(1.8).epsilon(0.01));
  CHECK(s.crest == doctest::Approx(std::sqrt(3.0)).epsilon(0.01));
}

TEST_CASE("gradient statistics: noise of the gradient's own size over sqrt(3) is the limit of the rule") {
  const std::vector<float> plain{3, 0, 0, 4}, noisy{3, 3, 4, 4};
  const GradientStatistics s = gradient_statistics(noisy, plain);
  CHECK(s.signal_to_noise == 1);  // |g| = 5 and |difference| = 5
  CHECK(s.cosine == doctest::Approx(25 / (5 * std::sqrt(50.0))));
  CHECK(s.norm_ratio == doctest::Approx(std::sqrt(2.0)));
}

TEST_CASE("observer: sees each rounded operand and product of a layer, and changes no bits") {
  const Matrix<float> x = rough_matrix(64, 96, 1, 1), w = rough_matrix(32, 96, 2, 1), dy = rough_matrix(64, 32, 3, 1);
  LinearSlots slots;
  for (const Slot slot : {Slot::FwdX, Slot::FwdW, Slot::WgradX}) slots[slot].block = block_preset("mxfp4");
  for (const Slot slot : {Slot::WgradG, Slot::WgradX}) slots[slot].rotate = 32;
  struct Results {
    Matrix<float> y{64, 32}, dx{64, 96}, dw{32, 96};
  };
  const auto run = [&](LinearObserver* observer) {
    Results r;
    LinearScratch<float> scratch;
    scratch.observer = observer;
    const RandomStream stream{.seed = 5, .step = 6, .layer = 7};
    quantized_linear_forward<float>(slots, stream, x.view(), w.view(), r.y.view(), scratch);
    quantized_linear_backward<float>(slots, stream, x.view(), w.view(), dy.view(), r.dx.view(), r.dw.view(), scratch);
    return r;
  };
  std::vector<LinearShape> layers(8);
  layers[7].name = "seventh";
  RunStatistics seen;
  StatisticsObserver observer(seen, "mine", 6, layers);
  const Results observed = run(&observer), alone = run(nullptr);
  CHECK(same_bits(observed.y, alone.y));
  CHECK(same_bits(observed.dx, alone.dx));
  CHECK(same_bits(observed.dw, alone.dw));
  REQUIRE(seen.slots.size() == 3);
  CHECK(seen.slots[0].slot == "fwd.x");
  CHECK(seen.slots[1].slot == "fwd.w");
  CHECK(seen.slots[2].slot == "wgrad.x");
  for (const SlotStatistics& s : seen.slots) {
    CHECK(s.step == 6);
    CHECK(s.layer == "seventh");
    CHECK(s.recipe == "mine");
    CHECK(s.snr_db > 10);  // FP4 of numbers without outliers: about 19 dB
    CHECK(s.snr_db < 30);
  }
  CHECK(seen.slots[2].kurtosis > 2.4);  // rotated: uniform numbers (1.8) become nearly normal ones (3)
  REQUIRE(seen.products.size() == 2);   // dx = dy W has no rounded operand
  CHECK(seen.products[0].product == "forward");
  CHECK(seen.products[1].product == "wgrad");
  Matrix<float> plain(64, 32);
  gemm_reference(Op::AsIs, Op::Transposed, x.view(), w.view(), plain.view());
  CHECK(seen.products[0].snr_db == product_statistics(observed.y.view(), plain.view()).snr_db);
  for (const ProductStatistics& s : seen.products) CHECK(s.cosine > 0.97);
}
