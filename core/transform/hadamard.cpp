// Vectors of elements at distance h = 1, 2, 4, ... become sums and differences while they are in registers: up to eight
// of them in one pass. Sixteen would fit AVX-512, but rows of a matrix often lie 4096 bytes apart, and a cache keeps
// eight lines at such distances. Pieces of more lines take several passes of about as many lines each.

#include "core/transform/hadamard.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/transform/hadamard.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>  // compiles this file once per instruction set
#include <hwy/highway.h>

#include <algorithm>
#include <bit>
#include <span>
#include <vector>

#include "core/base/beyond_caches.h"
#include "core/format/quantizer.h"
#include "core/format/transform-inl.h"

#ifndef BITLAW_HADAMARD_JOB
#define BITLAW_HADAMARD_JOB
namespace bitlaw {
namespace hadamard_detail {

/// out = x first H last in each piece: factors of the elements before and after, repeated to fill a vector.
struct Job {
  std::int64_t size;
  std::vector<float> first, last;
  bool past_caches = false;  ///< how the output is written: beyond_caches.h
};

constexpr std::int64_t kMostLanes = 16;
constexpr int kMostLog2Lines = 3;
constexpr std::int64_t kRunElements = 4096;         ///< of a row at a time: 16 KiB
constexpr std::int64_t kStripColumns = 1024;        ///< most columns that go down together where pieces are columns
constexpr std::int64_t kTileElements = 128 * 1024;  ///< and most of their elements, for a second-level cache
constexpr std::int64_t kAhead = 32;                 ///< elements that are fetched early from rows far apart
constexpr std::int64_t kBandElements = 8192;        ///< that are rounded while they are in a cache

}  // namespace hadamard_detail
}  // namespace bitlaw
#endif

HWY_BEFORE_NAMESPACE();
namespace bitlaw {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using namespace hadamard_detail;
using F32 = hn::CappedTag<float, kMostLanes>;
using FloatVector = hn::Vec<F32>;

/// Vectors of pieces that lie side by side. Vector l of the piece with offset j starts at data[l * stride + j].
template <typename T>
struct Lines {
  T* data;
  std::int64_t stride;
};

/// The pieces of one call: `count` lines each, one every `step` elements of `width`.
struct Pieces {
  std::int64_t count, step, width;
};

/// Butterflies of pairs at distance h inside a vector: lane l and lane l ^ h become their sum and difference.
HWY_INLINE FloatVector butterfly_in_vector(FloatVector v, std::int32_t h) {
  const F32 d;
  const hn::RebindToSigned<F32> di;
  const auto lane = hn::Iota(di, 0);
  const auto distance = hn::Set(di, h);
  const auto partner = hn::TableLookupLanes(v, hn::IndicesFromVec(d, hn::Xor(lane, distance)));
  // The upper lane of a pair wants partner - v. The product is exact, so one rounding remains.
  const auto is_upper = hn::RebindMask(d, hn::Eq(hn::And(lane, distance), distance));
  return hn::MulAdd(v, hn::IfThenElse(is_upper, hn::Set(d, -1.0F), hn::Set(d, 1.0F)), partner);
}

/// The factor of line l: a vector of them where lines are parts of a row, else one for all its lanes.
template <KAxis kAxis>
HWY_INLINE FloatVector factor(const std::vector<float>& factors, std::int64_t line) {
  const F32 d;
  if constexpr (kAxis == KAxis::Rows) return hn::Set(d, factors[static_cast<std::size_t>(line)]);
  return hn::LoadU(d, factors.data() + line * static_cast<std::int64_t>(hn::Lanes(d)));
}

/// All butterflies at the distances h, 2 h, ... below kLines * h [lines]. The first pass begins with signs and, where a
/// piece lies in a row, the butterflies inside vectors; the last one ends with the last factors. Both go through rows
/// far apart where a piece lies in a column, which the processor does not foresee. Fetching past the end does no harm.
template <KAxis kAxis, int kLines>
void run_pass(const Job& job, Lines<const float> from, Lines<float> to, const Pieces& pieces, std::int64_t h) {
  const F32 d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const bool is_first = h == 1;
  const bool is_last = kLines * h == pieces.count;
  const bool past_caches = job.past_caches && is_aligned(d, to.data) && to.stride % lanes == 0;
  for (std::int64_t group = 0; group < pieces.count; group += kLines * h) {
    for (std::int64_t line = group; line < group + h; ++line) {
      for (std::int64_t j = 0; j < pieces.width; j += pieces.step) {
        FloatVector v[kLines];
        for (int i = 0; i < kLines; ++i) {
          const float* source = from.data + (line + i * h) * from.stride + j;
          v[i] = hn::LoadU(d, source);
          if (!is_first) continue;
          if (kAxis == KAxis::Rows) hwy::Prefetch(source + kAhead);
          v[i] = hn::Mul(v[i], factor<kAxis>(job.first, line + i * h));
          if constexpr (kAxis == KAxis::Cols) {
            for (int lane_h = 1; lane_h < lanes && lane_h < job.size; lane_h *= 2) {
              v[i] = butterfly_in_vector(v[i], lane_h);
            }
          }
        }
        for (int distance = 1; distance < kLines; distance *= 2) {
          for (int i = 0; i < kLines; ++i) {
            if ((i & distance) != 0) continue;
            const FloatVector a = v[i], b = v[i + distance];
            v[i] = hn::Add(a, b);
            v[i + distance] = hn::Sub(a, b);
          }
        }
        for (int i = 0; i < kLines; ++i) {
          float* target = to.data + (line + i * h) * to.stride + j;
          if (is_last) v[i] = hn::Mul(v[i], factor<kAxis>(job.last, line + i * h));
          if (is_last && past_caches) {
            hn::Stream(v[i], d, target);
            continue;
          }
          if (is_last && kAxis == KAxis::Rows) hwy::Prefetch(target + kAhead);
          hn::StoreU(v[i], d, target);
        }
      }
    }
  }
}

template <KAxis kAxis>
void run_pass_of(std::int64_t lines, const Job& job, Lines<const float> from, Lines<float> to, const Pieces& pieces,
                 std::int64_t h) {
  if (lines == 1) return run_pass<kAxis, 1>(job, from, to, pieces, h);
  if (lines == 2) return run_pass<kAxis, 2>(job, from, to, pieces, h);
  if (lines == 4) return run_pass<kAxis, 4>(job, from, to, pieces, h);
  run_pass<kAxis, 8>(job, from, to, pieces, h);
}

/// How many lines the next pass takes where `rest` times as many are left: about as many as those after it, or fewer.
std::int64_t lines_of_pass(std::int64_t rest) {
  const int log2_rest = std::countr_zero(static_cast<std::uint64_t>(rest));
  const int passes = std::max(1, (log2_rest + kMostLog2Lines - 1) / kMostLog2Lines);
  return std::int64_t{1} << (log2_rest / passes);
}

/// `between` holds the lines between two passes; it may be `to`.
template <KAxis kAxis>
void rotate_pieces(const Job& job, Lines<const float> from, Lines<float> between, Lines<float> to,
                   const Pieces& pieces) {
  std::int64_t h = 1;
  do {
    const std::int64_t lines = lines_of_pass(pieces.count / h);
    const bool is_last = lines * h == pieces.count;
    const Lines<const float> source = h == 1 ? from : Lines<const float>{between.data, between.stride};
    run_pass_of<kAxis>(lines, job, source, is_last ? to : between, pieces, h);
    h *= lines;
  } while (h < pieces.count);
}

void rotate_run(const Job& job, const float* x, float* out, std::int64_t count) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(F32()));
  const std::int64_t step = std::max(job.size, lanes);
  const Lines<float> to{out, lanes};
  rotate_pieces<KAxis::Cols>(job, {x, lanes}, to, to, {step / lanes, step, count});
}

void rotate_along_cols(const Job& job, ConstMatrixView<float> x, MatrixView<float> out) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(F32()));
  const std::int64_t rest = x.cols % lanes;  // of pieces shorter than a vector
  const std::int64_t run = std::max(job.size, kRunElements);
  for (std::int64_t i = 0; i < x.rows; ++i) {
    for (std::int64_t j = 0; j < x.cols - rest; j += run) {
      rotate_run(job, x.row(i) + j, out.row(i) + j, std::min(run, x.cols - rest - j));
    }
    if (rest == 0) continue;
    float padded[kMostLanes] = {};
    std::copy_n(x.row(i) + x.cols - rest, rest, padded);
    rotate_run(job, padded, padded, lanes);
    std::copy_n(padded, rest, out.row(i) + x.cols - rest);
  }
}

/// `size` rows of the columns that `tile` has room for.
void rotate_strip(const Job& job, ConstMatrixView<float> x, MatrixView<float> out, Lines<float> tile) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(F32()));
  const std::int64_t rest = x.cols % lanes;
  const Pieces whole{job.size, lanes, x.cols - rest};
  rotate_pieces<KAxis::Rows>(job, {x.data, x.stride}, tile, {out.data, out.stride}, whole);
  if (rest == 0) return;
  for (std::int64_t i = 0; i < job.size; ++i) {
    std::copy_n(x.row(i) + x.cols - rest, rest, tile.data + i * tile.stride);
    std::fill_n(tile.data + i * tile.stride + rest, lanes - rest, 0.0F);
  }
  rotate_pieces<KAxis::Rows>(job, {tile.data, tile.stride}, tile, tile, {job.size, lanes, lanes});
  for (std::int64_t i = 0; i < job.size; ++i) {
    std::copy_n(tile.data + i * tile.stride, rest, out.row(i) + x.cols - rest);
  }
}

void rotate_along_rows(const Job& job, ConstMatrixView<float> x, MatrixView<float> out) {
  const std::int64_t strip = std::clamp(kTileElements / job.size, kMostLanes, kStripColumns);
  const std::int64_t stride = strip + kMostLanes;  // so that neighbours lie in different lines of a cache
  static thread_local std::vector<float> tile;
  tile.resize(static_cast<std::size_t>(job.size * stride));
  for (std::int64_t i = 0; i < x.rows; i += job.size) {
    for (std::int64_t j = 0; j < x.cols; j += strip) {
      const std::int64_t cols = std::min(strip, x.cols - j);
      rotate_strip(job, x.middle_rows(i, job.size).columns(j, cols), out.middle_rows(i, job.size).columns(j, cols),
                   {tile.data(), stride});
    }
  }
}

void rotate_kernel(const Job& job, KAxis k_axis, ConstMatrixView<float> x, MatrixView<float> out) {
  if (k_axis == KAxis::Cols) {
    rotate_along_cols(job, x, out);
  } else {
    rotate_along_rows(job, x, out);
  }
  if (job.past_caches) hwy::FlushStream();
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace bitlaw
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlaw {
namespace {

HWY_EXPORT(rotate_kernel);

/// Repeats a piece's factors to fill a vector.
std::vector<float> filled(std::vector<float> factors) {
  const std::size_t period = factors.size();
  factors.resize(std::max(period, static_cast<std::size_t>(hadamard_detail::kMostLanes)));
  for (std::size_t e = period; e < factors.size(); ++e) factors[e] = factors[e - period];
  return factors;
}

/// Bands of whole pieces are rotated, then rounded where they lie.
void rotate(const HadamardSpec& spec, std::vector<float> first, std::vector<float> last, KAxis k_axis,
            ConstMatrixView<float> x, MatrixView<float> out) {
  for (float& factor : last) factor *= hadamard_detail::factor_of(spec);
  // What is rounded afterwards is read once more, so it goes through the caches.
  const bool past_caches = !spec.result && is_beyond_caches(out.size() * std::int64_t{sizeof(float)});
  const hadamard_detail::Job job{spec.size, filled(std::move(first)), filled(std::move(last)), past_caches};
  if (!spec.result) return HWY_DYNAMIC_DISPATCH(rotate_kernel)(job, k_axis, x, out);
  const Quantizer<float> round(*spec.result, {Rounding(), Overflow::ByDirection}, {});
  const std::int64_t piece_rows = k_axis == KAxis::Cols ? 1 : spec.size;
  const std::int64_t pieces = std::max<std::int64_t>(1, hadamard_detail::kBandElements / (piece_rows * x.cols));
  for (std::int64_t i = 0; i < x.rows; i += pieces * piece_rows) {
    const std::int64_t rows = std::min(pieces * piece_rows, x.rows - i);
    HWY_DYNAMIC_DISPATCH(rotate_kernel)(job, k_axis, x.middle_rows(i, rows), out.middle_rows(i, rows));
    for (std::int64_t r = i; r < i + rows; ++r) {
      const std::span row(out.row(r), static_cast<std::size_t>(out.cols));
      round(row, row, 0);
    }
  }
}

}  // namespace

void hadamard_rotate(const HadamardSpec& spec, KAxis k_axis, ConstMatrixView<float> x, MatrixView<float> out,
                     const RandomStream& stream) {
  hadamard_detail::check(spec, k_axis, x, out);
  if (x.size() == 0) return;
  const std::vector<float> signs = hadamard_detail::signs_of(spec, stream);
  rotate(spec, signs, std::vector<float>(signs.size(), 1.0F), k_axis, x, out);
}

void hadamard_unrotate(const HadamardSpec& spec, KAxis k_axis, ConstMatrixView<float> x, MatrixView<float> out,
                       const RandomStream& stream) {
  hadamard_detail::check(spec, k_axis, x, out);
  if (x.size() == 0) return;
  const std::vector<float> signs = hadamard_detail::signs_of(spec, stream);
  rotate(spec, std::vector<float>(signs.size(), 1.0F), signs, k_axis, x, out);
}

}  // namespace bitlaw
#endif
