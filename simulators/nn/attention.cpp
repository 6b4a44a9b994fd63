#include "simulators/nn/attention.h"

#include <algorithm>
#include <cmath>

#include "core/tensor/gemm.h"
#include "core/tensor/vector_math.h"

namespace bitlaw {
namespace {

/// One head of one sequence: windows on q, k, v (or their gradients), each [T, D].
template <typename T>
struct HeadViews {
  MatrixView<T> q, k, v;
};

template <typename T>
HeadViews<T> head_views(const AttentionShape& s, MatrixView<T> qkv, std::int64_t sequence, std::int64_t head) {
  const auto rows = qkv.middle_rows(sequence * s.context, s.context);
  const std::int64_t group = head / (s.heads / s.kv_heads);
  return {rows.columns(head * s.head_width, s.head_width), rows.columns((s.heads + group) * s.head_width, s.head_width),
          rows.columns((s.heads + s.kv_heads + group) * s.head_width, s.head_width)};
}

/// Row i <- softmax of scale * its first i + 1 elements; 0 beyond them.
template <typename T>
void causal_softmax(MatrixView<T> scores, T scale) {
  for (std::int64_t i = 0; i < scores.rows; ++i) {
    T* row = scores.row(i);
    const std::int64_t visible = i + 1;
    const T largest = *std::max_element(row, row + visible);
    for (std::int64_t j = 0; j < visible; ++j) row[j] = scale * (row[j] - largest);
    const auto seen = static_cast<std::size_t>(visible);
    exp(std::span<const T>(row, seen), std::span<T>(row, seen));
    const T inverse = T(1) / striped_sum<T>(visible, [=](std::int64_t j) { return row[j]; });
    for (std::int64_t j = 0; j < visible; ++j) row[j] *= inverse;
    std::fill(row + visible, row + scores.cols, T(0));
  }
}

}  // namespace

template <typename T>
void attention_forward(const AttentionShape& shape, ConstMatrixView<T> qkv, MatrixView<T> p, MatrixView<T> out) {
  const T scale = T(1) / std::sqrt(static_cast<T>(shape.head_width));
  for (std::int64_t b = 0; b < shape.sequences; ++b) {
    for (std::int64_t h = 0; h < shape.heads; ++h) {
      const auto head = head_views(shape, qkv, b, h);
      const auto head_p = p.middle_rows((b * shape.heads + h) * shape.context, shape.context);
      gemm(Op::AsIs, Op::Transposed, head.q, head.k, head_p);
      causal_softmax(head_p, scale);
      const auto head_out =
          out.middle_rows(b * shape.context, shape.context).columns(h * shape.head_width, shape.head_width);
      gemm(Op::AsIs, Op::AsIs, ConstMatrixView<T>(head_p), head.v, head_out);
    }
  }
}

// dv = p^T dout;  dp = dout v^T;  ds = p (dp - sum_j dp p) scale;  dq = ds k;  dk = ds^T q.
// Query heads of one group add to the same dk and dv.
template <typename T>
void attention_backward(const AttentionShape& shape, ConstMatrixView<T> qkv, ConstMatrixView<T> p,
                        ConstMatrixView<T> dout, MatrixView<T> dqkv, MatrixView<T> dp) {
  const T scale = T(1) / std::sqrt(static_cast<T>(shape.head_width));
  const std::int64_t heads_per_group = shape.heads / shape.kv_heads;
  for (std::int64_t b = 0; b < shape.sequences; ++b) {
    for (std::int64_t h = 0; h < shape.heads; ++h) {
      const auto head = head_views(shape, qkv, b, h);
      const auto grad = head_views(shape, dqkv, b, h);
      const auto head_p = p.middle_rows((b * shape.heads + h) * shape.context, shape.context);
      const auto head_dout =
          dout.middle_rows(b * shape.context, shape.context).columns(h * shape.head_width, shape.head_width);
      const Accumulate shared = h % heads_per_group == 0 ? Accumulate::Overwrite : Accumulate::Add;
      gemm(Op::Transposed, Op::AsIs, head_p, head_dout, grad.v, shared);
      gemm(Op::AsIs, Op::Transposed, head_dout, head.v, dp);
      for (std::int64_t i = 0; i < shape.context; ++i) {
        T* d = dp.row(i);
        const T* row = head_p.row(i);
        const T mean = dot(d, row, i + 1);
        for (std::int64_t j = 0; j < shape.context; ++j) d[j] = scale * row[j] * (d[j] - mean);
      }
      gemm(Op::AsIs, Op::AsIs, ConstMatrixView<T>(dp), head.k, grad.q);
      gemm(Op::Transposed, Op::AsIs, ConstMatrixView<T>(dp), head.q, grad.k, shared);
    }
  }
}

template void attention_forward(const AttentionShape&, ConstMatrixView<float>, MatrixView<float>, MatrixView<float>);
template void attention_forward(const AttentionShape&, ConstMatrixView<double>, MatrixView<double>, MatrixView<double>);
template void attention_backward(const AttentionShape&, ConstMatrixView<float>, ConstMatrixView<float>,
                                 ConstMatrixView<float>, MatrixView<float>, MatrixView<float>);
template void attention_backward(const AttentionShape&, ConstMatrixView<double>, ConstMatrixView<double>,
                                 ConstMatrixView<double>, MatrixView<double>, MatrixView<double>);

}  // namespace bitlaw
