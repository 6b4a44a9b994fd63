#pragma once

#include <span>
#include <vector>

#include "core/tensor/matrix.h"
#include "simulators/optim/optimizer_config.h"

namespace bitlaw {

/// Memory for orthogonalise() and muon_update(); keep one to avoid allocating in every call.
struct MuonScratch {
  Matrix<float> x, gram, square, product;
};

/// x <- about U V^T, where x = U S V^T: five quintic Newton-Schulz steps from x / (|x|_F + 1e-7),
///   x <- 3.4445 x + (-4.7750 A + 2.0315 A A) x,  A = x x^T,
/// on the transpose where x has more rows than columns (Jordan et al. 2024, kellerjordan.github.io/posts/muon).
/// Singular values from 0.002 |x|_F on end between 0.68 and 1.21. Here in float32, there in bfloat16.
void orthogonalise(MatrixView<float> x, MuonScratch& scratch);

/// One update of Muon for a matrix; `g`, `m` and `p` are its gradient, momentum and values.
///   m <- momentum m + (1 - momentum) g,  d = (1 - momentum) g + momentum m with Nesterov's momentum, else m,
///   p <- p - rate (scale orthogonalise(d) + decay p),  scale of MuonScale.
void muon_update(const OptimizerConfig& config, double rate, double decay, MatrixView<float> p,
                 std::span<const float> g, std::span<float> m, MuonScratch& scratch);

}  // namespace bitlaw
