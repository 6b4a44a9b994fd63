#include "simulators/optim/muon.h"

#include <algorithm>
#include <cmath>

#include "core/tensor/gemm.h"
#include "simulators/optim/adamw.h"

namespace bitlaw {
namespace {

constexpr int kIterations = 5;
constexpr float kA = 3.4445F, kB = -4.7750F, kC = 2.0315F;

double scale_of(MuonScale scale, std::int64_t rows, std::int64_t cols) {
  const auto r = static_cast<double>(rows), c = static_cast<double>(cols);
  return scale == MuonScale::Adam ? 0.2 * std::sqrt(std::max(r, c)) : std::sqrt(std::max(1.0, r / c));
}

/// One step: x x^T for a wide x, x^T x for a tall one, where the polynomial then comes from the right.
void iterate(MatrixView<float> x, MuonScratch& s) {
  const bool tall = x.rows > x.cols;
  gemm(tall ? Op::Transposed : Op::AsIs, tall ? Op::AsIs : Op::Transposed, x, x, s.gram.view());
  gemm(Op::AsIs, Op::AsIs, s.gram.view(), s.gram.view(), s.square.view());
  float* a = s.gram.data();
  const float* square = s.square.data();
  for (std::int64_t i = 0; i < s.gram.size(); ++i) a[i] = kB * a[i] + kC * square[i];
  if (tall) {
    gemm(Op::AsIs, Op::AsIs, x, s.gram.view(), s.product.view());
  } else {
    gemm(Op::AsIs, Op::AsIs, s.gram.view(), x, s.product.view());
  }
  const float* product = s.product.data();
  for (std::int64_t i = 0; i < x.size(); ++i) x.data[i] = kA * x.data[i] + product[i];
}

}  // namespace

void orthogonalise(MatrixView<float> x, MuonScratch& scratch) {
  const std::int64_t least = std::min(x.rows, x.cols);
  scratch.gram.resize(least, least);
  scratch.square.resize(least, least);
  scratch.product.resize(x.rows, x.cols);
  const std::span<float> values(x.data, static_cast<std::size_t>(x.size()));
  const auto factor = static_cast<float>(1.0 / (gradient_norm<float>(values) + 1e-7));
  for (float& v : values) v *= factor;
  for (int i = 0; i < kIterations; ++i) iterate(x, scratch);
}

void muon_update(const OptimizerConfig& config, double rate, double decay, MatrixView<float> p,
                 std::span<const float> g, std::span<float> m, MuonScratch& scratch) {
  const auto momentum = static_cast<float>(config.momentum);
  scratch.x.resize(p.rows, p.cols);
  float* d = scratch.x.data();
  for (std::size_t i = 0; i < g.size(); ++i) {
    m[i] = momentum * m[i] + (1.0F - momentum) * g[i];
    d[i] = config.nesterov ? (1.0F - momentum) * g[i] + momentum * m[i] : m[i];
  }
  orthogonalise(scratch.x.view(), scratch);
  const auto lr = static_cast<float>(rate), wd = static_cast<float>(decay);
  const auto scale = static_cast<float>(scale_of(config.muon_scale, p.rows, p.cols));
  for (std::int64_t i = 0; i < p.size(); ++i) p.data[i] -= lr * (scale * d[i] + wd * p.data[i]);
}

}  // namespace bitlaw
