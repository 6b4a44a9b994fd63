#include "simulators/nn/attention.h"

#include <algorithm>
#include <cmath>

#include "core/base/team.h"
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

/// Row i <- softmax of scale * its elements s_i, ..., i; 0 around them.
template <typename T>
void causal_softmax(MatrixView<T> scores, T scale, std::span<const std::int32_t> starts) {
  for (std::int64_t i = 0; i < scores.rows; ++i) {
    const std::int64_t start = starts.empty() ? 0 : starts[static_cast<std::size_t>(i)];
    std::fill_n(scores.row(i), start, T(0));
    T* row = scores.row(i) + start;
    const std::int64_t visible = i + 1 - start;
    const T largest = striped_max(row, visible);
    for (std::int64_t j = 0; j < visible; ++j) row[j] = scale * (row[j] - largest);
    const auto seen = static_cast<std::size_t>(visible);
    exp(std::span<const T>(row, seen), std::span<T>(row, seen));
    const T inverse = T(1) / striped_sum<T>(visible, [=](std::int64_t j) { return row[j]; });
    for (std::int64_t j = 0; j < visible; ++j) row[j] *= inverse;
    std::fill(row + visible, scores.row(i) + scores.cols, T(0));
  }
}

/// Of the tokens of one sequence.
std::span<const std::int32_t> starts_of(const AttentionShape& shape, std::int64_t sequence) {
  if (shape.starts.empty()) return {};
  const auto context = static_cast<std::size_t>(shape.context);
  return shape.starts.subspan(static_cast<std::size_t>(sequence) * context, context);
}

RandomStream of_head(RandomStream stream, std::int64_t head) {
  stream.seed += 0x9E3779B97F4A7C15U * static_cast<std::uint64_t>(head + 1);
  return stream;
}

/// Calls part(first, last, scratch) for the sequences, by the team of threads where nobody observes their order.
template <typename T, typename Part>
void by_sequences(std::int64_t sequences, AttentionScratch<T>& scratch, Part part) {
  if (team_threads() == 1 || scratch.operands.observer != nullptr) return part(0, sequences, scratch);
  team_parts(sequences, 1, [&](std::int64_t first, std::int64_t last) {
    AttentionScratch<T> own;
    part(first, last, own);
  });
}

template <typename T>
void transpose(ConstMatrixView<T> x, MatrixView<T> y) {
  for (std::int64_t i = 0; i < x.rows; ++i) {
    for (std::int64_t j = 0; j < x.cols; ++j) y(j, i) = x(i, j);
  }
}

template <typename T>
void add_transposed(ConstMatrixView<T> x, MatrixView<T> y) {
  for (std::int64_t i = 0; i < x.rows; ++i) {
    for (std::int64_t j = 0; j < x.cols; ++j) y(j, i) += x(i, j);
  }
}

template <typename T>
void fill_zero(MatrixView<T> x) {
  for (std::int64_t i = 0; i < x.rows; ++i) std::fill_n(x.row(i), x.cols, T(0));
}

/// ds = p (dp - sum_j dp p) scale, in place of dp; 0 above the diagonal, whatever dp is there.
template <typename T>
void softmax_backward(ConstMatrixView<T> p, T scale, MatrixView<T> dp) {
  for (std::int64_t i = 0; i < p.rows; ++i) {
    T* d = dp.row(i);
    const T* row = p.row(i);
    const T mean = dot(d, row, i + 1);
    for (std::int64_t j = 0; j <= i; ++j) d[j] = scale * row[j] * (d[j] - mean);
    std::fill(d + i + 1, d + p.cols, T(0));
  }
}

/// attention_forward of the sequences [first, last).
template <typename T>
void forward_sequences(const AttentionShape& shape, const AttentionRounding& rounding, ConstMatrixView<T> qkv,
                       MatrixView<T> p, MatrixView<T> out, std::int64_t first, std::int64_t last,
                       AttentionScratch<T>& scratch) {
  const T scale = T(1) / std::sqrt(static_cast<T>(shape.head_width));
  scratch.v_t.resize(shape.head_width, shape.context);
  for (std::int64_t b = first; b < last; ++b) {
    for (std::int64_t h = 0; h < shape.heads; ++h) {
      const std::int64_t index = b * shape.heads + h;
      const auto head = head_views(shape, qkv, b, h);
      const auto head_p = p.middle_rows(index * shape.context, shape.context);
      if (is_quantized(rounding.scores)) {
        quantized_linear_forward<T>(rounding.scores, of_head(rounding.scores_stream, index), head.q, head.k, head_p,
                                    scratch.operands);
      } else {
        gemm_lower(Op::AsIs, Op::Transposed, head.q, head.k, head_p);
      }
      causal_softmax(head_p, scale, starts_of(shape, b));
      const auto head_out =
          out.middle_rows(b * shape.context, shape.context).columns(h * shape.head_width, shape.head_width);
      if (!is_quantized(rounding.mixing)) {
        gemm_of_lower(Op::AsIs, Op::AsIs, ConstMatrixView<T>(head_p), head.v, head_out);
        continue;
      }
      transpose<T>(head.v, scratch.v_t.view());
      quantized_linear_forward<T>(rounding.mixing, of_head(rounding.mixing_stream, index), head_p, scratch.v_t.view(),
                                  head_out, scratch.operands);
    }
  }
}

/// attention_backward of the sequences [first, last):  dv = p^T dout;  dp = dout v^T;  dq = ds k;  dk = ds^T q.  Query
/// heads of one group add to the same dk and dv.
template <typename T>
void backward_sequences(const AttentionShape& shape, const AttentionRounding& rounding, ConstMatrixView<T> qkv,
                        ConstMatrixView<T> p, ConstMatrixView<T> dout, MatrixView<T> dqkv, std::int64_t first,
                        std::int64_t last, AttentionScratch<T>& scratch) {
  const T scale = T(1) / std::sqrt(static_cast<T>(shape.head_width));
  const std::int64_t heads_per_group = shape.heads / shape.kv_heads;
  scratch.dp.resize(shape.context, shape.context);
  scratch.v_t.resize(shape.head_width, shape.context);
  scratch.dv_t.resize(shape.head_width, shape.context);
  const MatrixView<T> dp = scratch.dp.view();
  for (std::int64_t b = first; b < last; ++b) {
    for (std::int64_t h = 0; h < shape.heads; ++h) {
      const std::int64_t index = b * shape.heads + h;
      const auto head = head_views(shape, qkv, b, h);
      const auto grad = head_views(shape, dqkv, b, h);
      const auto head_p = p.middle_rows(index * shape.context, shape.context);
      const auto head_dout =
          dout.middle_rows(b * shape.context, shape.context).columns(h * shape.head_width, shape.head_width);
      if (h % heads_per_group == 0) {
        fill_zero(grad.k);
        fill_zero(grad.v);
      }
      if (is_quantized(rounding.mixing)) {
        transpose<T>(head.v, scratch.v_t.view());
        fill_zero(scratch.dv_t.view());
        quantized_linear_backward<T>(rounding.mixing, of_head(rounding.mixing_stream, index), head_p,
                                     scratch.v_t.view(), head_dout, dp, scratch.dv_t.view(), scratch.operands);
        add_transposed<T>(scratch.dv_t.view(), grad.v);
      } else {
        gemm_of_lower(Op::Transposed, Op::AsIs, head_p, head_dout, grad.v, Accumulate::Add);
        gemm_lower(Op::AsIs, Op::Transposed, head_dout, head.v, dp);
      }
      softmax_backward<T>(head_p, scale, dp);
      if (is_quantized(rounding.scores)) {
        quantized_linear_backward<T>(rounding.scores, of_head(rounding.scores_stream, index), head.q, head.k, dp,
                                     grad.q, grad.k, scratch.operands);
      } else {
        gemm_of_lower(Op::AsIs, Op::AsIs, ConstMatrixView<T>(dp), head.k, grad.q);
        gemm_of_lower(Op::Transposed, Op::AsIs, ConstMatrixView<T>(dp), head.q, grad.k, Accumulate::Add);
      }
    }
  }
}

}  // namespace

template <typename T>
void attention_forward(const AttentionShape& shape, const AttentionRounding& rounding, ConstMatrixView<T> qkv,
                       MatrixView<T> p, MatrixView<T> out, AttentionScratch<T>& scratch) {
  by_sequences(shape.sequences, scratch, [&](std::int64_t first, std::int64_t last, AttentionScratch<T>& own) {
    forward_sequences(shape, rounding, qkv, p, out, first, last, own);
  });
}

template <typename T>
void attention_backward(const AttentionShape& shape, const AttentionRounding& rounding, ConstMatrixView<T> qkv,
                        ConstMatrixView<T> p, ConstMatrixView<T> dout, MatrixView<T> dqkv,
                        AttentionScratch<T>& scratch) {
  by_sequences(shape.sequences, scratch, [&](std::int64_t first, std::int64_t last, AttentionScratch<T>& own) {
    backward_sequences(shape, rounding, qkv, p, dout, dqkv, first, last, own);
  });
}

#define BITLAW_INSTANTIATE(T)                                                                                         \
  template void attention_forward(const AttentionShape&, const AttentionRounding&, ConstMatrixView<T>, MatrixView<T>, \
                                  MatrixView<T>, AttentionScratch<T>&);                                               \
  template void attention_backward(const AttentionShape&, const AttentionRounding&, ConstMatrixView<T>,               \
                                   ConstMatrixView<T>, ConstMatrixView<T>, MatrixView<T>, AttentionScratch<T>&);
BITLAW_INSTANTIATE(float)
BITLAW_INSTANTIATE(double)
#undef BITLAW_INSTANTIATE

}  // namespace bitlaw
