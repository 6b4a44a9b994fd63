#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "core/block/quantize_blocks.h"
#include "core/format/catalog.h"
#include "core/format/codes.h"
#include "tests/support/bits.h"

using namespace bitlaw;

namespace {

Matrix<float> quantized(const BlockSpec& spec, const Matrix<float>& x) {
  Matrix<float> out(x.rows(), x.cols());
  quantize_blocks(spec, RoundingMode::TiesToEven, KAxis::Cols, x.view(), out.view(), {});
  return out;
}

}  // namespace

TEST_CASE("blocks: NF4 scales a block by its largest magnitude and takes the nearest quantile (QLoRA, Eq. 1 and 4)") {
  const Matrix<float> x = rough_matrix(3, 128, 1, 4);
  const Matrix<float> out = quantized({.element = {}, .size = 64, .codebook = nf4()}, x);
  for (std::int64_t i = 0; i < x.size(); i += 64) {
    float amax = 0;
    for (std::int64_t j = i; j < i + 64; ++j) amax = std::max(amax, std::abs(x.data()[j]));
    for (std::int64_t j = i; j < i + 64; ++j) {
      float best = 2;
      for (const float v : nf4().values()) {
        if (std::abs(v - x.data()[j] * (1 / amax)) < std::abs(best - x.data()[j] * (1 / amax))) best = v;
      }
      CHECK(out.data()[j] == best * amax);
    }
  }
}

TEST_CASE("blocks: a codebook of E2M1's values is MXFP4") {
  std::vector<float> values;
  for (const double v : all_values(kE2M1)) values.push_back(static_cast<float>(v));
  values[8] = -5.99F;  // the code of minus zero; no input below rounds to it
  const Codebook book(values);
  Matrix<float> x = rough_matrix(4, 96, 2, 5);
  for (std::int64_t i = 0; i < x.size(); ++i) x.data()[i] = std::abs(x.data()[i]);
  const BlockSpec mxfp4{.element = kE2M1, .size = 32, .scale = kE8M0, .rule = ScaleRule::OcpFloor};
  BlockSpec same = mxfp4;
  same.element = {};
  same.codebook = book;
  CHECK(same_bits(quantized(same, x), quantized(mxfp4, x)));
}
