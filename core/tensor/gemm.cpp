// The kernel follows Goto & van de Geijn 2008, "Anatomy of high-performance matrix multiplication": b is packed in
// panels of a few vectors' width that stay in the second-level cache, a tile of c lives in registers.
//
// Unlike there, a is read in place, because the products of small models are narrow: packing a [m, k] costs about as
// much as multiplying it by 32 columns. Only a transposed a under a wide b is packed. For the same reason a b of one
// panel's width is read in place, too.

#include "core/tensor/gemm.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/tensor/gemm.cpp"
#include <hwy/foreach_target.h>  // compiles this file once per instruction set
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <vector>

#include "core/base/team.h"

#ifndef BITLAW_GEMM_OPERANDS
#define BITLAW_GEMM_OPERANDS
namespace bitlaw {
namespace gemm_detail {

/// Element (i, j) of an operand lies at data[i * row + j * col].
template <typename T>
struct Strided {
  const T* data;
  std::int64_t row, col;

  const T* at(std::int64_t i, std::int64_t j) const { return data + i * row + j * col; }
};

/// The specification of gemm. std::fma gives its bits also where the processor has no such instruction.
template <typename T>
void multiply_by_definition(Strided<T> a, Strided<T> b, MatrixView<T> c, std::int64_t inner, bool add) {
  for (std::int64_t i = 0; i < c.rows; ++i) {
    for (std::int64_t j = 0; j < c.cols; ++j) {
      T sum = add ? c(i, j) : T(0);
      for (std::int64_t k = 0; k < inner; ++k) sum = std::fma(*a.at(i, k), *b.at(k, j), sum);
      c(i, j) = sum;
    }
  }
}

/// What is known of a square operand or asked of a square result, so that part of the work can be left out.
enum class Triangle : std::uint8_t {
  None,
  LowerResult,  ///< of c, only elements on and below the diagonal are wanted
  LowerLeft,    ///< op(a) is 0 above its diagonal
  UpperLeft     ///< op(a) is 0 below its diagonal
};

/// Terms [first, last) of a sum.
struct Terms {
  std::int64_t first, last;
};

/// Of the terms [begin, begin + depth) of the rows [i, i + rows) of c, those that can be other than 0, from begin on.
inline Terms terms_of(Triangle triangle, std::int64_t i, std::int64_t rows, std::int64_t begin, std::int64_t depth) {
  const auto within = [&](std::int64_t k) { return std::clamp<std::int64_t>(k - begin, 0, depth); };
  switch (triangle) {
    case Triangle::LowerLeft:
      return {0, within(i + rows)};
    case Triangle::UpperLeft:
      return {within(i), depth};
    default:
      return {0, depth};
  }
}

}  // namespace gemm_detail
}  // namespace bitlaw
#endif

HWY_BEFORE_NAMESPACE();
namespace bitlaw {
namespace HWY_NAMESPACE {
namespace {

using Strided = gemm_detail::Strided<float>;
using gemm_detail::Triangle;

#if HWY_TARGET == HWY_SSSE3 || HWY_TARGET == HWY_SSE4 || HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128

// No fused multiply-add in these instruction sets.
void gemm_kernel(Strided a, Strided b, MatrixView<float> c, std::int64_t inner, bool add, Triangle) {
  gemm_detail::multiply_by_definition(a, b, c, inner, add);
}

#else

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::CappedTag<float, 16>;

HWY_INLINE std::int64_t lane_count() { return static_cast<std::int64_t>(hn::Lanes(D())); }

constexpr std::int64_t kTileRows = 6;
constexpr int kTileVectors = HWY_TARGET <= HWY_AVX3 ? 4 : 2;  // 24 or 12 accumulators of 32 or 16 registers
constexpr std::int64_t kInnerBlock = 256;                     // rows of b packed at a time
constexpr std::int64_t kColumnBlock = 512;                    // columns of b packed at a time: 512 KiB
constexpr std::int64_t kPackTransposedFrom = 256;             // columns of c from which a transposed a is packed
constexpr std::int64_t kPackedGap = 16;  // elements between packed tiles of a, which fall into different cache sets so
constexpr std::int64_t kInPlaceStride = 512;  // elements between rows of b up to which they do, too

/// Columns of b, whole vectors of them; row k starts at data[k * stride].
struct Panel {
  const float* data;
  std::int64_t stride;
};

/// c[rows, vectors] (+)= a[rows, inner] panel[inner, vectors].
template <int kRows, int kVectors>
HWY_INLINE void multiply_tile(Strided a, Panel panel, float* HWY_RESTRICT c, std::int64_t c_stride, std::int64_t inner,
                              bool add) {
  const D d;
  const std::int64_t lanes = lane_count();
  hn::Vec<D> sum[kRows][kVectors];
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) sum[r][v] = add ? hn::LoadU(d, c + r * c_stride + v * lanes) : hn::Zero(d);
  }
  for (std::int64_t k = 0; k < inner; ++k) {
    hn::Vec<D> b[kVectors];
    for (int v = 0; v < kVectors; ++v) b[v] = hn::LoadU(d, panel.data + v * lanes);
    for (int r = 0; r < kRows; ++r) {
      const auto value = hn::Set(d, a.data[r * a.row]);
      for (int v = 0; v < kVectors; ++v) sum[r][v] = hn::MulAdd(value, b[v], sum[r][v]);
    }
    panel.data += panel.stride;
    a.data += a.col;
  }
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) hn::StoreU(sum[r][v], d, c + r * c_stride + v * lanes);
  }
}

template <int kVectors>
HWY_INLINE void multiply_rows(std::int64_t rows, Strided a, Panel panel, float* c, std::int64_t c_stride,
                              std::int64_t inner, bool add) {
  switch (rows) {
    case 1:
      return multiply_tile<1, kVectors>(a, panel, c, c_stride, inner, add);
    case 2:
      return multiply_tile<2, kVectors>(a, panel, c, c_stride, inner, add);
    case 3:
      return multiply_tile<3, kVectors>(a, panel, c, c_stride, inner, add);
    case 4:
      return multiply_tile<4, kVectors>(a, panel, c, c_stride, inner, add);
    case 5:
      return multiply_tile<5, kVectors>(a, panel, c, c_stride, inner, add);
    default:
      return multiply_tile<kTileRows, kVectors>(a, panel, c, c_stride, inner, add);
  }
}

void multiply_vectors(int vectors, std::int64_t rows, Strided a, Panel panel, float* c, std::int64_t c_stride,
                      std::int64_t inner, bool add) {
  if (vectors == 1) return multiply_rows<1>(rows, a, panel, c, c_stride, inner, add);
  if (vectors == 2) return multiply_rows<2>(rows, a, panel, c, c_stride, inner, add);
#if HWY_TARGET <= HWY_AVX3
  if (vectors == 3) return multiply_rows<3>(rows, a, panel, c, c_stride, inner, add);
#endif
  multiply_rows<kTileVectors>(rows, a, panel, c, c_stride, inner, add);
}

/// Vectors in the panel that starts at column j of `columns`.
int panel_vectors(std::int64_t j, std::int64_t columns) {
  const std::int64_t lanes = lane_count();
  return static_cast<int>(std::min<std::int64_t>(kTileVectors, (columns - j + lanes - 1) / lanes));
}

/// Copies 4 x 4 elements: out[k * stride + l] = columns[l * column_stride + k].
HWY_INLINE void transpose_4x4(const float* columns, std::int64_t column_stride, float* out, std::int64_t stride) {
  const hn::FixedTag<float, 4> d;
  const auto c0 = hn::LoadU(d, columns);
  const auto c1 = hn::LoadU(d, columns + column_stride);
  const auto c2 = hn::LoadU(d, columns + 2 * column_stride);
  const auto c3 = hn::LoadU(d, columns + 3 * column_stride);
  const auto low01 = hn::InterleaveLower(d, c0, c1), low23 = hn::InterleaveLower(d, c2, c3);
  const auto high01 = hn::InterleaveUpper(d, c0, c1), high23 = hn::InterleaveUpper(d, c2, c3);
  hn::StoreU(hn::ConcatLowerLower(d, low23, low01), d, out);
  hn::StoreU(hn::ConcatUpperUpper(d, low23, low01), d, out + stride);
  hn::StoreU(hn::ConcatLowerLower(d, high23, high01), d, out + 2 * stride);
  hn::StoreU(hn::ConcatUpperUpper(d, high23, high01), d, out + 3 * stride);
}

/// A panel [inner, width] of b's contiguous columns, of which `used` exist.
void pack_columns(const float* columns, std::int64_t column_stride, std::int64_t used, std::int64_t inner,
                  std::int64_t width, float* panel) {
  constexpr std::int64_t kDepth = 32;  // rows of the panel that stay in the first-level cache
  const std::int64_t whole_columns = used / 4 * 4;
  const std::int64_t whole_rows = inner / 4 * 4;
  for (std::int64_t first = 0; first < whole_rows; first += kDepth) {
    for (std::int64_t l = 0; l < whole_columns; l += 4) {
      for (std::int64_t k = first; k < std::min(first + kDepth, whole_rows); k += 4) {
        transpose_4x4(columns + l * column_stride + k, column_stride, panel + k * width + l, width);
      }
    }
  }
  for (std::int64_t k = 0; k < inner; ++k) {
    for (std::int64_t l = k < whole_rows ? whole_columns : 0; l < width; ++l) {
      panel[k * width + l] = l < used ? columns[l * column_stride + k] : 0.0F;
    }
  }
}

/// A panel [inner, width] of b's rows, of which `used` columns exist.
void pack_rows(Strided b, std::int64_t used, std::int64_t inner, std::int64_t width, float* panel) {
  const D d;
  const std::int64_t lanes = lane_count();
  for (std::int64_t k = 0; k < inner; ++k) {
    const float* row = b.at(k, 0);
    float* packed = panel + k * width;
    std::int64_t l = 0;
    for (; l + lanes <= used; l += lanes) hn::StoreU(hn::LoadU(d, row + l), d, packed + l);
    for (; l < width; ++l) packed[l] = l < used ? row[l] : 0.0F;
  }
}

/// Copies b [inner, columns] into panels of up to kTileVectors vectors' width, the last one padded with zeros.
void pack_b(Strided b, std::int64_t inner, std::int64_t columns, float* packed) {
  for (std::int64_t j = 0; j < columns; j += kTileVectors * lane_count()) {
    const std::int64_t width = panel_vectors(j, columns) * lane_count();
    const std::int64_t used = std::min(width, columns - j);
    if (b.col == 1) {
      pack_rows({b.at(0, j), b.row, 1}, used, inner, width, packed);
    } else {
      pack_columns(b.at(0, j), b.col, used, inner, width, packed);
    }
    packed += width * inner;
  }
}

/// Elements of a packed tile of a.
std::int64_t packed_tile_size(std::int64_t inner) { return kTileRows * inner + kPackedGap; }

/// Copies a transposed a [rows, inner] so that the rows of one tile are neighbours: tile i / 6 holds (i, k) at
/// k * 6 + i % 6. Goes along a's columns, which are contiguous, as far as a line of a cache is used whole.
void pack_a(Strided a, std::int64_t rows, std::int64_t inner, float* packed) {
  constexpr std::int64_t kTilesAtATime = 16;
  const std::int64_t whole = rows / kTileRows, size = packed_tile_size(inner);
  for (std::int64_t first = 0; first < whole; first += kTilesAtATime) {
    const std::int64_t last = std::min(first + kTilesAtATime, whole);
    for (std::int64_t k = 0; k < inner; ++k) {
      for (std::int64_t t = first; t < last; ++t) {
        std::memcpy(packed + t * size + k * kTileRows, a.at(t * kTileRows, k), kTileRows * sizeof(float));
      }
    }
  }
  for (std::int64_t k = 0; k < inner; ++k) {
    for (std::int64_t i = whole * kTileRows; i < rows; ++i) {
      packed[whole * size + k * kTileRows + i % kTileRows] = *a.at(i, k);
    }
  }
}

/// Terms [begin, begin + depth) of all sums, and the columns of c from `column` on.
struct Block {
  std::int64_t begin, depth, column;
};

/// One block of c against a block of b, of which `panel` is the first; the others follow it closely.
void multiply_block(Strided a, bool a_packed, Panel panel, MatrixView<float> c, Block block, bool add,
                    Triangle triangle) {
  std::array<float, kTileRows * kTileVectors * HWY_MAX_BYTES / sizeof(float)> edge;
  const std::int64_t whole_panel = kTileVectors * lane_count();
  for (std::int64_t i = 0; i < c.rows; i += kTileRows) {
    const std::int64_t rows = std::min(kTileRows, c.rows - i);
    const auto [first, last] = gemm_detail::terms_of(triangle, i, rows, block.begin, block.depth);
    if (first == last && add) continue;
    Strided tile = a_packed ? Strided{a.data + i / kTileRows * packed_tile_size(block.depth), 1, kTileRows}
                            : Strided{a.at(i, 0), a.row, a.col};
    tile.data += first * tile.col;
    for (std::int64_t j = 0; j < c.cols; j += whole_panel) {
      if (triangle == Triangle::LowerResult && block.column + j >= i + rows) break;
      const int vectors = panel_vectors(j, c.cols);
      const std::int64_t width = vectors * lane_count();
      const std::int64_t used = std::min(width, c.cols - j);
      const std::int64_t stride = c.cols > whole_panel ? width : panel.stride;
      const Panel terms{panel.data + j * block.depth + first * stride, stride};
      if (used == width) {
        multiply_vectors(vectors, rows, tile, terms, &c(i, j), c.stride, last - first, add);
      } else {  // the last vector hangs over: work on a copy
        if (add) {
          for (std::int64_t r = 0; r < rows; ++r) std::copy_n(&c(i + r, j), used, edge.data() + r * width);
        }
        multiply_vectors(vectors, rows, tile, terms, edge.data(), width, last - first, add);
        for (std::int64_t r = 0; r < rows; ++r) std::copy_n(edge.data() + r * width, used, &c(i + r, j));
      }
    }
  }
}

void gemm_kernel(Strided a, Strided b, MatrixView<float> c, std::int64_t inner, bool add, Triangle triangle) {
  const std::int64_t lanes = lane_count(), whole_panel = kTileVectors * lanes;
  static thread_local std::vector<float> packed_b, packed_a;
  packed_b.resize(static_cast<std::size_t>(kInnerBlock * (kColumnBlock + whole_panel)));
  const bool b_in_place = b.col == 1 && c.cols <= whole_panel && c.cols % lanes == 0 && b.row <= kInPlaceStride;
  const bool pack = a.row == 1 && a.col != 1 && c.cols >= kPackTransposedFrom;
  for (std::int64_t first = 0; first < inner; first += kInnerBlock) {
    const std::int64_t depth = std::min(kInnerBlock, inner - first);
    Strided a_block{a.at(0, first), a.row, a.col};
    if (pack) {
      packed_a.resize(static_cast<std::size_t>((c.rows / kTileRows + 1) * packed_tile_size(kInnerBlock)));
      pack_a(a_block, c.rows, depth, packed_a.data());
      a_block.data = packed_a.data();
    }
    for (std::int64_t j = 0; j < c.cols; j += kColumnBlock) {
      const std::int64_t columns = std::min(kColumnBlock, c.cols - j);
      Panel panel{b.at(first, 0), b.row};
      if (!b_in_place) {
        pack_b({b.at(first, j), b.row, b.col}, depth, columns, packed_b.data());
        panel = {packed_b.data(), panel_vectors(0, columns) * lanes};
      }
      multiply_block(a_block, pack, panel, c.columns(j, columns), {first, depth, j}, add || first > 0, triangle);
    }
  }
}

#endif

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace bitlaw
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlaw {
namespace {

HWY_EXPORT(gemm_kernel);

using gemm_detail::Triangle;

constexpr std::int64_t kTeamWork = std::int64_t{1} << 20;  // multiply-adds from which threads are worth waking
constexpr std::int64_t kTeamRows = 48, kTeamColumns = 64;  // whole tiles of every instruction set

/// Whether the team of threads parts the work on c.
bool is_shared(MatrixView<float> c, std::int64_t inner) { return team_threads() > 1 && c.size() * inner >= kTeamWork; }

template <typename T>
std::int64_t checked_inner(Op op_a, Op op_b, MatrixView<const T> a, MatrixView<const T> b, MatrixView<T> c) {
  const auto [m, k] = op_a == Op::AsIs ? std::pair(a.rows, a.cols) : std::pair(a.cols, a.rows);
  const auto [k_b, n] = op_b == Op::AsIs ? std::pair(b.rows, b.cols) : std::pair(b.cols, b.rows);
  BITLAW_CHECK(k == k_b && m == c.rows && n == c.cols, "op(a) [{}, {}] times op(b) [{}, {}] into c [{}, {}]", m, k, k_b,
               n, c.rows, c.cols);
  return k;
}

template <typename T>
gemm_detail::Strided<T> strided(Op op, MatrixView<const T> x) {
  return op == Op::AsIs ? gemm_detail::Strided<T>{x.data, x.stride, 1} : gemm_detail::Strided<T>{x.data, 1, x.stride};
}

template <typename T>
void gemm_by_definition(Op op_a, Op op_b, MatrixView<const T> a, MatrixView<const T> b, MatrixView<T> c,
                        Accumulate accumulate) {
  const std::int64_t inner = checked_inner(op_a, op_b, a, b, c);
  gemm_detail::multiply_by_definition(strided(op_a, a), strided(op_b, b), c, inner, accumulate == Accumulate::Add);
}

}  // namespace

void gemm(Op op_a, Op op_b, ConstMatrixView<float> a, ConstMatrixView<float> b, MatrixView<float> c,
          Accumulate accumulate) {
  const std::int64_t inner = checked_inner(op_a, op_b, a, b, c);
  if (inner == 0) return gemm_by_definition(op_a, op_b, a, b, c, accumulate);
  const auto left = strided(op_a, a), right = strided(op_b, b);
  const auto multiply = [&](std::int64_t row, std::int64_t rows, std::int64_t col, std::int64_t cols) {
    HWY_DYNAMIC_DISPATCH(gemm_kernel)
    ({left.at(row, 0), left.row, left.col}, {right.at(0, col), right.row, right.col},
     c.middle_rows(row, rows).columns(col, cols), inner, accumulate == Accumulate::Add, Triangle::None);
  };
  if (!is_shared(c, inner)) return multiply(0, c.rows, 0, c.cols);
  if (c.rows >= c.cols) {
    team_parts((c.rows + kTeamRows - 1) / kTeamRows, 1, [&](std::int64_t first, std::int64_t last) {
      multiply(first * kTeamRows, std::min(last * kTeamRows, c.rows) - first * kTeamRows, 0, c.cols);
    });
  } else {
    team_parts((c.cols + kTeamColumns - 1) / kTeamColumns, 1, [&](std::int64_t first, std::int64_t last) {
      multiply(0, c.rows, first * kTeamColumns, std::min(last * kTeamColumns, c.cols) - first * kTeamColumns);
    });
  }
}

void gemm_lower(Op op_a, Op op_b, ConstMatrixView<float> a, ConstMatrixView<float> b, MatrixView<float> c) {
  const std::int64_t inner = checked_inner(op_a, op_b, a, b, c);
  if (inner == 0 || is_shared(c, inner)) return gemm(op_a, op_b, a, b, c);
  HWY_DYNAMIC_DISPATCH(gemm_kernel)
  (strided(op_a, a), strided(op_b, b), c, inner, false, Triangle::LowerResult);
}

void gemm_of_lower(Op op_a, Op op_b, ConstMatrixView<float> a, ConstMatrixView<float> b, MatrixView<float> c,
                   Accumulate accumulate) {
  const std::int64_t inner = checked_inner(op_a, op_b, a, b, c);
  if (inner == 0 || is_shared(c, inner)) return gemm(op_a, op_b, a, b, c, accumulate);
  const Triangle triangle = op_a == Op::AsIs ? Triangle::LowerLeft : Triangle::UpperLeft;
  HWY_DYNAMIC_DISPATCH(gemm_kernel)
  (strided(op_a, a), strided(op_b, b), c, inner, accumulate == Accumulate::Add, triangle);
}

void gemm_lower(Op op_a, Op op_b, ConstMatrixView<double> a, ConstMatrixView<double> b, MatrixView<double> c) {
  gemm(op_a, op_b, a, b, c);
}

void gemm_of_lower(Op op_a, Op op_b, ConstMatrixView<double> a, ConstMatrixView<double> b, MatrixView<double> c,
                   Accumulate accumulate) {
  gemm(op_a, op_b, a, b, c, accumulate);
}

void gemm(Op op_a, Op op_b, ConstMatrixView<double> a, ConstMatrixView<double> b, MatrixView<double> c,
          Accumulate accumulate) {
  gemm_by_definition(op_a, op_b, a, b, c, accumulate);
}

void gemm_reference(Op op_a, Op op_b, ConstMatrixView<float> a, ConstMatrixView<float> b, MatrixView<float> c,
                    Accumulate accumulate) {
  gemm_by_definition(op_a, op_b, a, b, c, accumulate);
}

}  // namespace bitlaw
#endif
