#include "simulators/nn/swiglu.h"

#include <vector>

#include "core/base/team.h"
#include "core/tensor/vector_math.h"

namespace bitlaw {
namespace {

/// sigmoid[i] = 1 / (1 + e^-g[i])
template <typename T>
void sigmoid(const T* g, std::vector<T>& sigmoid) {
  for (std::size_t i = 0; i < sigmoid.size(); ++i) sigmoid[i] = -g[i];
  exp(std::span<const T>(sigmoid), std::span<T>(sigmoid));
  for (T& s : sigmoid) s = T(1) / (T(1) + s);
}

}  // namespace

template <typename T>
void swiglu_forward(ConstMatrixView<T> gate_up, MatrixView<T> h) {
  team_parts(h.rows, kLeastRows, [=](std::int64_t first, std::int64_t last) {
    std::vector<T> s(static_cast<std::size_t>(h.cols));
    for (std::int64_t r = first; r < last; ++r) {
      const T* g = gate_up.row(r);
      const T* u = g + h.cols;
      T* out = h.row(r);
      sigmoid(g, s);
      for (std::int64_t i = 0; i < h.cols; ++i) out[i] = g[i] * s[static_cast<std::size_t>(i)] * u[i];
    }
  });
}

// silu'(g) = s + g s (1 - s)
template <typename T>
void swiglu_backward(ConstMatrixView<T> gate_up, ConstMatrixView<T> dh, MatrixView<T> dgate_up) {
  team_parts(dh.rows, kLeastRows, [=](std::int64_t first, std::int64_t last) {
    std::vector<T> sigmoids(static_cast<std::size_t>(dh.cols));
    for (std::int64_t r = first; r < last; ++r) {
      const T* g = gate_up.row(r);
      const T* u = g + dh.cols;
      const T* dout = dh.row(r);
      T* dg = dgate_up.row(r);
      T* du = dg + dh.cols;
      sigmoid(g, sigmoids);
      for (std::int64_t i = 0; i < dh.cols; ++i) {
        const T s = sigmoids[static_cast<std::size_t>(i)];
        du[i] = dout[i] * g[i] * s;
        dg[i] = dout[i] * u[i] * (s + g[i] * s * (T(1) - s));
      }
    }
  });
}

template void swiglu_forward(ConstMatrixView<float>, MatrixView<float>);
template void swiglu_forward(ConstMatrixView<double>, MatrixView<double>);
template void swiglu_backward(ConstMatrixView<float>, ConstMatrixView<float>, MatrixView<float>);
template void swiglu_backward(ConstMatrixView<double>, ConstMatrixView<double>, MatrixView<double>);

}  // namespace bitlaw
