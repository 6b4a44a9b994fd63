#include "simulators/nn/rms_norm.h"

#include <cmath>

#include "core/base/team.h"
#include "core/tensor/vector_math.h"

namespace bitlaw {

template <typename T>
void rms_norm_forward(ConstMatrixView<T> x, const T* gain, MatrixView<T> y, T* inverse_rms) {
  const T features = static_cast<T>(x.cols);
  team_parts(x.rows, kLeastRows, [=](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r) {
      const T* in = x.row(r);
      T* out = y.row(r);
      const T inverse = T(1) / std::sqrt(dot(in, in, x.cols) / features + T(1e-5));
      for (std::int64_t i = 0; i < x.cols; ++i) out[i] = gain[i] * (in[i] * inverse);
      inverse_rms[r] = inverse;
    }
  });
}

// With s = 1 / rms and u = gain * dy:  dx = s u - x s^3 (u . x) / features.
template <typename T>
void rms_norm_backward(ConstMatrixView<T> x, const T* gain, const T* inverse_rms, ConstMatrixView<T> dy,
                       MatrixView<T> dx, T* dgain) {
  const T features = static_cast<T>(x.cols);
  for (std::int64_t r = 0; r < x.rows; ++r) {
    const T* in = x.row(r);
    const T* dout = dy.row(r);
    T* din = dx.row(r);
    const T s = inverse_rms[r];
    const T along_x = striped_sum<T>(x.cols, [=](std::int64_t i) { return gain[i] * dout[i] * in[i]; });
    const T pull = s * s * s * along_x / features;
    for (std::int64_t i = 0; i < x.cols; ++i) {
      din[i] += s * gain[i] * dout[i] - in[i] * pull;
      dgain[i] += dout[i] * (in[i] * s);
    }
  }
}

template void rms_norm_forward(ConstMatrixView<float>, const float*, MatrixView<float>, float*);
template void rms_norm_forward(ConstMatrixView<double>, const double*, MatrixView<double>, double*);
template void rms_norm_backward(ConstMatrixView<float>, const float*, const float*, ConstMatrixView<float>,
                                MatrixView<float>, float*);
template void rms_norm_backward(ConstMatrixView<double>, const double*, const double*, ConstMatrixView<double>,
                                MatrixView<double>, double*);

}  // namespace bitlaw
