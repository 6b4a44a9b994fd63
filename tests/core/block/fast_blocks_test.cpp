// Inputs that would show a fault of the vectorised block quantizer in particular: steps in doubt, ties, extreme scales,
// largest magnitudes in every place, every length and alignment.

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <random>
#include <vector>

#include "core/block/block_presets.h"
#include "core/block/quantize_blocks.h"
#include "core/format/catalog.h"
#include "tests/support/bits.h"
#include "tests/support/each_target.h"

using namespace bitlaw;

namespace {

constexpr RandomStream kStream{.seed = 7, .step = 1, .layer = 3, .slot = 2};

struct Operand {
  std::vector<float> x;
  std::int64_t rows, cols;
  std::size_t offset = 0;  ///< of the first element in x

  ConstMatrixView<float> view() const { return {x.data() + offset, rows, cols}; }
};

/// Whether quantize_blocks has the reference's bits on every instruction set, into another array and in place.
void check_reference(const BlockSpec& spec, const Rounding& rounding, KAxis axis, const Operand& operand) {
  CAPTURE(operand.rows);
  CAPTURE(operand.cols);
  CAPTURE(operand.offset);
  CAPTURE(static_cast<int>(rounding.mode));
  std::vector<float> expected(operand.x), out(operand.x), in_place;
  const auto into = [&](std::vector<float>& y) {
    return MatrixView<float>(y.data() + operand.offset, operand.rows, operand.cols);
  };
  quantize_blocks_reference(spec, rounding, axis, operand.view(), into(expected), kStream);
  for_each_target([&](const char* target) {
    CAPTURE(std::string(target));
    quantize_blocks(spec, rounding, axis, operand.view(), into(out), kStream);
    CHECK(same_bits(out, expected));
    in_place = operand.x;
    quantize_blocks(spec, rounding, axis, into(in_place), into(in_place), kStream);
    CHECK(same_bits(in_place, expected));
  });
}

/// Blocks whose size goes through all exponents of float32, so that scales of 8 bits are subnormal, zero and saturated,
/// with elements within three steps of the middles between E2M1's values under scales that are powers of two.
Operand near_ties(std::int64_t rows, std::int64_t cols, std::size_t offset) {
  std::mt19937 engine(static_cast<unsigned>(rows * 1000 + cols));
  constexpr float kMiddles[] = {0.25F, 0.75F, 1.25F, 1.75F, 2.5F, 3.5F, 5.0F, 6.0F};
  Operand operand{std::vector<float>(static_cast<std::size_t>(rows * cols) + offset), rows, cols, offset};
  for (std::size_t i = 0; i < operand.x.size(); ++i) {
    const auto bits = std::bit_cast<std::int32_t>(kMiddles[engine() % 8]) + static_cast<std::int32_t>(engine() % 7) - 3;
    const float beside = std::ldexp(std::bit_cast<float>(bits), static_cast<int>(i / 16 * 31 % 277) - 149);
    operand.x[i] = engine() % 2 == 0 ? beside : -beside;
  }
  return operand;
}

}  // namespace

TEST_CASE("fast blocks: the reference's bits where every random word leaves a step in doubt") {
  // Under a scale of 1, which 4.0 in each block makes, element f / 2 lies at a fraction f of E2M1's least step. With
  // f = 1 - 2^-22 less the first 22 bits of the random word the sum of both is all ones. The 3/4 2^-22 that float32
  // still holds below f makes most of the steps go up, by bits that vectors have not added.
  for (const KAxis axis : {KAxis::Cols, KAxis::Rows}) {
    for (const std::int64_t cols : {32, 96, 2048 + 32, 47}) {
      const std::int64_t rows = axis == KAxis::Cols ? 2 : 37;
      Operand operand{std::vector<float>(static_cast<std::size_t>(rows * cols)), rows, cols};
      for (std::size_t i = 0; i < operand.x.size(); ++i) {
        const auto row = static_cast<std::int64_t>(i) / cols, col = static_cast<std::int64_t>(i) % cols;
        const bool is_largest = (axis == KAxis::Cols ? col : row) % 32 == 5;
        const auto first_bits = static_cast<double>(~random_bits(kStream, i) >> 10);
        operand.x[i] = is_largest ? 4.0F : static_cast<float>((first_bits + 0.75) * 0x1p-23);
      }
      check_reference(*block_preset("mxfp4"), RoundingMode::StochasticExact, axis, operand);
      if (axis == KAxis::Cols) {  // a block in several rows, whose element 5 has 4.0
        BlockSpec square = *block_preset("mxfp4");
        square.shape = BlockShape::Square;
        check_reference(square, RoundingMode::StochasticExact, axis, operand);
        operand.x[40 % operand.x.size()] = std::nanf("");
        check_reference(*block_preset("mxfp4"), RoundingMode::StochasticExact, axis, operand);
      }
    }
  }
}

TEST_CASE("fast blocks: the reference's bits beside ties under every scale, for all lengths and alignments") {
  const Rounding roundings[] = {RoundingMode::TiesToEven,
                                {RoundingMode::StochasticA, 8},
                                {RoundingMode::StochasticB, 3},
                                RoundingMode::StochasticExact};
  for (const char* preset : {"mxfp4", "nvfp4", "ue5m3"}) {
    CAPTURE(std::string(preset));
    for (const Rounding& rounding : roundings) {
      for (std::int64_t cols = 1; cols <= 70; ++cols) {
        check_reference(*block_preset(preset), rounding, KAxis::Cols,
                        near_ties(3, cols, static_cast<std::size_t>(cols) % 17));
      }
      check_reference(*block_preset(preset), rounding, KAxis::Cols, near_ties(1, 9000, 0));
      check_reference(*block_preset(preset), rounding, KAxis::Rows, near_ties(70, 45, 1));
    }
  }
}

TEST_CASE("fast blocks: the largest magnitude counts wherever in its block it lies") {
  // 2^20 to 2^26 among numbers of 2^-20: under the scale of the largest they become zeros and it stays; under their
  // own, or that of another block, they would stay, or it be clipped.
  for (const int size : {16, 32, 64}) {
    const BlockSpec spec{.element = kE2M1, .size = size, .scale = kE8M0, .rule = ScaleRule::OcpFloor};
    for (int place = 0; place < size; ++place) {
      CAPTURE(place);
      const std::int64_t cols = 37 * size;
      std::vector<float> x(static_cast<std::size_t>(cols), 0x1p-20F), expected(x.size(), 0.0F);
      for (std::int64_t b = 0; b < cols / size; ++b) {
        const auto at = static_cast<std::size_t>(b * size + (place + 5 * b) % size);
        x[at] = expected[at] = std::ldexp(b % 2 == 0 ? 1.0F : -1.0F, 20 + static_cast<int>(b * 5 % 7));
      }
      for_each_target([&](const char* target) {
        CAPTURE(std::string(target));
        std::vector<float> out(x.size());
        quantize_blocks(spec, RoundingMode::TiesToEven, KAxis::Cols, {x.data(), 1, cols}, {out.data(), 1, cols}, {});
        CHECK(same_bits(out, expected));
      });
    }
  }
}

TEST_CASE("fast blocks: the largest magnitude of an operand counts wherever it lies, with and without gaps of rows") {
  const BlockSpec spec{.element = kE2M1, .shape = BlockShape::Tensor, .scale = kE8M0, .rule = ScaleRule::OcpFloor};
  for (const std::int64_t gap : {0, 3}) {
    for (const std::int64_t cols : {1, 7, 64, 131}) {
      const std::int64_t rows = 3, stride = cols + gap;
      for (std::int64_t place = 0; place < rows * cols; ++place) {
        CAPTURE(place);
        std::vector<float> x(static_cast<std::size_t>(rows * stride), 0x1p-20F), expected(x.size());
        for (std::int64_t i = 0; i < rows; ++i) {
          for (std::int64_t j = cols; j < stride; ++j) x[static_cast<std::size_t>(i * stride + j)] = 0x1p30F;
        }
        x[static_cast<std::size_t>(place / cols * stride + place % cols)] = -0x1p20F;
        expected[static_cast<std::size_t>(place / cols * stride + place % cols)] = -0x1p20F;
        for_each_target([&](const char* target) {
          CAPTURE(std::string(target));
          std::vector<float> out(x.size());
          quantize_blocks(spec, RoundingMode::TiesToEven, KAxis::Cols, {x.data(), rows, cols, stride},
                          {out.data(), rows, cols, stride}, {});
          CHECK(same_bits(out, expected));
        });
      }
    }
  }
}
