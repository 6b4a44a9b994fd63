// A tile is one row of a against a panel of four vectors' width of rows of b, all of K: its chunks
// (accumulate_chunk-inl.h) and how they are added up.

#include "core/tensor/accumulate_gemm.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/tensor/accumulate_gemm.cpp"
#include <hwy/foreach_target.h>  // compiles this file once per instruction set
#include <hwy/highway.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "core/base/parallel.h"
#include "core/tensor/accumulate_chunk-inl.h"
#include "core/tensor/accumulate_gemm_plan.h"
#include "core/tensor/gemm.h"

HWY_BEFORE_NAMESPACE();
namespace bitlaw {
namespace HWY_NAMESPACE {
namespace {

#if HWY_TARGET == HWY_SCALAR

bool accumulate_columns(const AccumulatePlan&, ConstMatrixView<float>, ConstMatrixView<float>, MatrixView<float>) {
  return false;  // one lane of float32 holds no double
}

#else

constexpr int kMostLevels = 64;  // of pairwise sums

std::int64_t tile_columns() { return kVectors * static_cast<std::int64_t>(hn::Lanes(D())); }

HWY_INLINE void add_chunks(const AccumulatePlan& plan, V* sum, const V* other) {
  for (int v = 0; v < kVectors; ++v) sum[v] = add_rounded(plan.chunk, sum[v], other[v]);
}

/// Pairwise: levels[l] holds 2^h chunks, h falling with l; as in a binary counter, equal ones are added at once.
HWY_INLINE void sum_pairwise(const AccumulatePlan& plan, const Tile& tile, std::int64_t inner, V* sum) {
  V levels[kMostLevels][kVectors];
  int used = 0;
  std::int64_t chunks = 0;
  for (std::int64_t first = 0; first < inner; first += plan.spec->chunk) {
    V* top = levels[used++];
    sum_chunk(plan, tile, first, std::min<std::int64_t>(inner, first + plan.spec->chunk), top);
    for (int v = 0; v < kVectors; ++v) top[v] = add_rounded(plan.chunk, hn::Zero(D()), top[v]);
    for (std::int64_t carry = ++chunks; carry % 2 == 0; carry /= 2, --used) {
      add_chunks(plan, levels[used - 2], levels[used - 1]);
    }
  }
  for (; used > 1; --used) add_chunks(plan, levels[used - 2], levels[used - 1]);
  for (int v = 0; v < kVectors; ++v) sum[v] = levels[0][v];
}

HWY_INLINE void sum_ascending(const AccumulatePlan& plan, const Tile& tile, std::int64_t inner, V* sum) {
  for (int v = 0; v < kVectors; ++v) sum[v] = hn::Zero(D());
  for (std::int64_t first = 0; first < inner; first += plan.spec->chunk) {
    V chunk[kVectors];
    sum_chunk(plan, tile, first, std::min<std::int64_t>(inner, first + plan.spec->chunk), chunk);
    add_chunks(plan, sum, chunk);
  }
}

HWY_INLINE VD finish(const AccumulatePlan& plan, VD sum) {
  const DD d;
  sum = round_to(plan.result, sum);
  if (plan.spec->grid_bits) {
    const auto steps = hn::Round(hn::Mul(sum, hn::Set(d, pow2(*plan.spec->grid_bits))));
    // The emulated Round of older instruction sets drops the sign of zero.
    sum = hn::CopySign(hn::Mul(steps, hn::Set(d, pow2(-*plan.spec->grid_bits))), sum);
  }
  return hn::IfThenElse(hn::IsNaN(sum), hn::Set(d, std::numeric_limits<double>::quiet_NaN()), sum);
}

/// One row of a tile of c.
void sum_tile(const AccumulatePlan& plan, const Tile& tile, std::int64_t inner, float* out) {
  const D d;
  V sum[kVectors];
  if (plan.spec->chunk == 0 || inner == 0) {
    sum_chunk(plan, tile, 0, inner, sum);
  } else if (plan.spec->chunk_order == ChunkOrder::Pairwise) {
    sum_pairwise(plan, tile, inner, sum);
  } else {
    sum_ascending(plan, tile, inner, sum);
  }
  for (int v = 0; v < kVectors; ++v) {
    const V done = join_halves(finish(plan, low_half(sum[v])), finish(plan, high_half(sum[v])));
    hn::StoreU(done, d, out + static_cast<std::size_t>(v) * hn::Lanes(d));
  }
}

/// Rows [first, first + columns) of b as a panel [k, columns], padded with zeros, and its relative exponents.
void pack_panel(const AccumulatePlan& plan, ConstMatrixView<float> b, std::int64_t first, std::int64_t columns,
                std::vector<float>& panel, std::vector<std::int8_t>& exponents) {
  const std::int64_t used = std::min(columns, b.rows - first);
  for (std::int64_t k = 0; k < b.cols; ++k) {
    float* row = panel.data() + k * columns;
    for (std::int64_t j = 0; j < used; ++j) row[j] = b(first + j, k);
    std::fill(row + used, row + columns, 0.0F);
  }
  relative_exponents(plan.spec->emin_b, plan.b.largest, panel, exponents.data());
}

bool accumulate_columns(const AccumulatePlan& plan, ConstMatrixView<float> a, ConstMatrixView<float> b,
                        MatrixView<float> c) {
  const std::int64_t inner = a.cols, columns = tile_columns();
  std::vector<std::int8_t> a_exponents(static_cast<std::size_t>(a.size()));
  for (std::int64_t i = 0; i < a.rows; ++i) {
    relative_exponents(plan.spec->emin_a, plan.a.largest, {a.row(i), static_cast<std::size_t>(inner)},
                       a_exponents.data() + i * inner);
  }
  std::vector<float> panel(static_cast<std::size_t>(inner * columns));
  std::vector<std::int8_t> b_exponents(panel.size());
  float row[kVectors * kMostLanes];
  for (std::int64_t j = 0; j < c.cols; j += columns) {
    pack_panel(plan, b, j, columns, panel, b_exponents);
    const std::int64_t used = std::min(columns, c.cols - j);
    for (std::int64_t i = 0; i < c.rows; ++i) {
      sum_tile(plan, {a.row(i), a_exponents.data() + i * inner, panel.data(), b_exponents.data()}, inner, row);
      std::copy_n(row, used, &c(i, j));
    }
  }
  return true;
}

#endif

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace bitlaw
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlaw {
namespace {

HWY_EXPORT(accumulate_columns);

void quiet_nans(MatrixView<float> c) {
  for (std::int64_t i = 0; i < c.rows; ++i) {
    for (float* v = c.row(i); v != c.row(i) + c.cols; ++v) *v = *v == *v ? *v : std::numeric_limits<float>::quiet_NaN();
  }
}

}  // namespace

bool is_accumulated_fast(const AccumulatorSpec& spec, ConstMatrixView<float> a, ConstMatrixView<float> b) {
  return plan_accumulation(spec, a, b).kernel != AccumulateKernel::None;
}

void gemm_accumulate(const AccumulatorSpec& spec, ConstMatrixView<float> a, ConstMatrixView<float> b,
                     MatrixView<float> c, int threads) {
  BITLAW_CHECK(spec.is_valid(), "an accumulator out of range");
  BITLAW_CHECK(a.cols == b.cols && c.rows == a.rows && c.cols == b.rows,
               "a [{}, {}] times b [{}, {}]^T into c [{}, {}]", a.rows, a.cols, b.rows, b.cols, c.rows, c.cols);
  const AccumulatePlan plan = plan_accumulation(spec, a, b);
  parallel_parts(static_cast<std::size_t>(c.cols), threads, [&](std::size_t first, std::size_t last) {
    const auto begin = static_cast<std::int64_t>(first), count = static_cast<std::int64_t>(last - first);
    const auto b_part = b.middle_rows(begin, count);
    const auto c_part = c.columns(begin, count);
    if (plan.kernel == AccumulateKernel::Gemm) {
      gemm(Op::AsIs, Op::Transposed, a, b_part, c_part);
      quiet_nans(c_part);
    } else if (plan.kernel == AccumulateKernel::None ||
               !HWY_DYNAMIC_DISPATCH(accumulate_columns)(plan, a, b_part, c_part)) {
      gemm_accumulate_reference(spec, a, b_part, c_part);
    }
  });
}

}  // namespace bitlaw
#endif
