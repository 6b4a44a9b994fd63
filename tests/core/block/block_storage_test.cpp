#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/block/block_presets.h"
#include "core/block/block_storage.h"
#include "core/block/quantize_blocks.h"
#include "core/format/catalog.h"
#include "tests/support/bits.h"

using namespace bitlaw;

namespace {

constexpr RandomStream kStream{.seed = 3, .step = 1};

/// Numbers of all sizes, a block of zeros, and in the last row a NaN.
Matrix<float> operand(std::int64_t rows, std::int64_t cols, bool with_nan) {
  Matrix<float> x = rough_matrix(rows, cols, 9, 14);
  for (std::int64_t j = 0; j < std::min<std::int64_t>(cols, 40); ++j) x(0, j) = -0.0F;
  if (with_nan) x(rows - 1, cols - 1) = NAN;
  return x;
}

bool round_trips(const BlockSpec& spec, const Rounding& rounding, KAxis axis, const Matrix<float>& x, BitOrder order) {
  Matrix<float> expected(x.rows(), x.cols()), out(x.rows(), x.cols());
  quantize_blocks_reference(spec, rounding, axis, x.view(), expected.view(), kStream);
  const BlockStorage storage = pack_blocks(spec, rounding, axis, x.view(), kStream, order);
  unpack_blocks(spec, storage, out.view());
  double bits = 8.0 * static_cast<double>(storage.codes.size() + storage.scales.size());
  if (storage.tensor_scale) bits += 32;
  if (storage.groups) bits += 32 + 32 * static_cast<double>(storage.groups->steps.size());
  const double counted = bits_per_element(spec, axis, x.rows(), x.cols()) * static_cast<double>(x.size());
  CHECK(std::ceil(counted / 8) * 8 == doctest::Approx(bits));  // the last byte of codes may be filled up
  return same_bits(out, expected);
}

std::string error_of(const BlockSpec& spec, const Matrix<float>& x) {
  try {
    pack_blocks(spec, RoundingMode::TiesToEven, KAxis::Cols, x.view());
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("storage: unpacked, every preset gives the bits of quantize_blocks, on both axes, with odd lengths and NaN") {
  for (const BlockPreset& preset : block_presets()) {
    CAPTURE(preset.name);
    for (const bool with_nan : {false, true}) {
      const Matrix<float> x = operand(19, 71, with_nan);
      for (const KAxis axis : {KAxis::Cols, KAxis::Rows}) {
        CHECK(round_trips(preset.spec, RoundingMode::TiesToEven, axis, x, BitOrder::LowFirst));
        CHECK(round_trips(preset.spec, {RoundingMode::StochasticB, 8}, axis, x, BitOrder::HighFirst));
      }
    }
  }
}

TEST_CASE("storage: other shapes, scale formats, codebooks, exact division and double quantization round trip too") {
  const BlockSpec specs[] = {
      {.element = kE2M1, .shape = BlockShape::AcrossK, .scale = kBfloat16},
      {.element = kE3M2, .shape = BlockShape::Square, .size = 5, .scale = kE8M0, .rule = ScaleRule::RoundUp},
      {.element = {}, .size = 64, .codebook = nf4()},
      {.element = kE4M3, .size = 16, .scale = kUE4M3, .scaling = ElementScaling::DivideExact},
      {.element = {}, .size = 8, .codebook = nf4(), .double_quantization = DoubleQuantization{kInt8, 16}},
      {.element = kE2M1,
       .size = 8,
       .scaling = ElementScaling::Divide,
       .double_quantization = DoubleQuantization{kE4M3}},
  };
  for (const BlockSpec& spec : specs) {
    for (const KAxis axis : {KAxis::Cols, KAxis::Rows}) {
      CHECK(round_trips(spec, RoundingMode::TiesToEven, axis, operand(19, 71, false), BitOrder::LowFirst));
    }
  }
}

TEST_CASE("storage: the bytes of an MXFP4 block, worked by hand in both nibble orders") {
  // amax 5: X = 1, code 127. 4 2 -0 2 are the codes 6 4 8 4.
  Matrix<float> x(1, 4);
  const float values[] = {5, 2.5, -0.25, 1.75};
  std::copy(std::begin(values), std::end(values), x.data());
  const BlockSpec mxfp4 = *block_preset("mxfp4");
  const BlockStorage low = pack_blocks(mxfp4, RoundingMode::TiesToEven, KAxis::Cols, x.view());
  CHECK(low.codes == std::vector<std::uint8_t>{0x46, 0x48});
  CHECK(low.scales == std::vector<std::uint8_t>{127});
  CHECK_FALSE(low.tensor_scale.has_value());
  const BlockStorage high =
      pack_blocks(mxfp4, RoundingMode::TiesToEven, KAxis::Cols, x.view(), {}, BitOrder::HighFirst);
  CHECK(high.codes == std::vector<std::uint8_t>{0x64, 0x84});
}

TEST_CASE("storage: a block with NaN has E8M0's code 255, UE4M3's 127, float32's 0x7FC00000, and elements of zero") {
  Matrix<float> x(1, 2);
  x(0, 0) = NAN;
  x(0, 1) = 3;
  const auto stored = [&](const char* preset) {
    return pack_blocks(*block_preset(preset), RoundingMode::TiesToEven, KAxis::Cols, x.view());
  };
  CHECK(stored("mxfp4").scales == std::vector<std::uint8_t>{0xFF});
  CHECK(stored("mxfp4").codes == std::vector<std::uint8_t>{0});
  CHECK(stored("nvfp4").scales == std::vector<std::uint8_t>{0x7F});
  CHECK(stored("fp8_1x128").scales == std::vector<std::uint8_t>{0x00, 0x00, 0xC0, 0x7F});
}

TEST_CASE("storage: where P3109's scale is zero all elements have the code of zero (v4.0 5.2.2, note 1)") {
  const BlockSpec spec{.element = kBinary8p4,
                       .size = 2,
                       .scale = kE5M2,
                       .rule = ScaleRule::Projection,
                       .scaling = ElementScaling::DivideExact};
  Matrix<float> x(1, 2);
  x(0, 0) = 0x1p-18F;
  x(0, 1) = -0x1p-19F;
  const BlockStorage storage = pack_blocks(spec, RoundingMode::TiesToEven, KAxis::Cols, x.view());
  CHECK(storage.scales == std::vector<std::uint8_t>{0});
  CHECK(storage.codes == std::vector<std::uint8_t>{0, 0});
}

TEST_CASE("storage: the tensor scale is kept as multiplier 1/S, divisor S or amax") {
  Matrix<float> x(1, 16);
  x(0, 3) = 7;  // S = 2688 / 7 = 384
  const auto stored = [&](const char* preset) {
    return *pack_blocks(*block_preset(preset), RoundingMode::TiesToEven, KAxis::Cols, x.view()).tensor_scale;
  };
  CHECK(stored("nvfp4") == 1.0F / 384);
  CHECK(stored("nvfp4_torchao") == 7.0F / 2688);
  CHECK(stored("ue5m3") == 384);
  CHECK(stored("nvfp4_te") == 7);
}

TEST_CASE("storage: bits per element are 4.25 for mxfp4, 4.5 for nvfp4 and a tensor scale, 4.127 for QLoRA's NF4") {
  CHECK(bits_per_element(*block_preset("mxfp4"), KAxis::Cols, 64, 64) == 4.25);
  CHECK(bits_per_element(*block_preset("mxfp8"), KAxis::Rows, 64, 64) == 8.25);
  CHECK(bits_per_element(*block_preset("nvfp4"), KAxis::Cols, 64, 64) == 4.5 + 32.0 / 4096);
  CHECK(bits_per_element(*block_preset("nvfp4_16x16"), KAxis::Cols, 64, 64) == 4 + 8.0 / 256 + 32.0 / 4096);
  CHECK(bits_per_element(*block_preset("mxfp4"), KAxis::Cols, 1, 33) == 4 + 2 * 8 / 33.0);  // a ragged second block
  // arXiv:2305.14314 §3: 8/64 + 32/(64 256) = 0.127 bits per parameter for the scales; here the mean's 32 bits too.
  const BlockSpec qlora{
      .element = {}, .size = 64, .codebook = nf4(), .double_quantization = DoubleQuantization{kInt8, 256}};
  CHECK(bits_per_element(qlora, KAxis::Cols, 1024, 1024) == 4 + 8.0 / 64 + 32.0 / (64 * 256) + 32.0 / (1024 * 1024));
}

TEST_CASE("storage: says what it cannot store") {
  const Matrix<float> x = operand(1, 2, true);
  CHECK(error_of({.element = kBfloat16}, x) ==
        "element bfloat16: has 16 bits, but codes are packed into bytes, at most 8 bits each; use a narrower format");
  FormatSpec no_nan = kUE4M3;
  no_nan.top = TopCodes::Finite;
  CHECK(error_of({.element = kE2M1, .scale = no_nan}, x) ==
        "block 0: has a NaN or an infinity, but scales of " + format_name(no_nan) +
            " have no NaN to say so, so it cannot be stored; use a scale format with NaN");
}
