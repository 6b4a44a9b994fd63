#include "core/block/quantize_blocks.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/block/quantize_blocks.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>  // compiles this file once per instruction set
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <span>

#include "core/base/beyond_caches.h"
#include "core/base/check.h"
#include "core/block/amax_vector-inl.h"
#include "core/block/block_grid.h"
#include "core/block/block_plan.h"
#include "core/block/block_rows.h"
#include "core/block/scale_vector-inl.h"
#include "core/format/random_fields.h"
#include "core/format/round_vector-inl.h"

#ifndef BITLAW_QUANTIZE_BLOCKS_JOB
#define BITLAW_QUANTIZE_BLOCKS_JOB
namespace bitlaw {
namespace block_detail {

constexpr std::int64_t kStripBlocks = 64;  ///< blocks whose scales are computed together
/// And the most of their elements: 16 KiB.
constexpr auto kStripElements = static_cast<std::int64_t>(RandomFields::kMostElements);
constexpr std::int64_t kSquareElements = 16384;  ///< of a strip of square blocks that is read twice: 64 KiB
constexpr std::int64_t kBandColumns = 1024;      ///< columns that go down together where blocks run along rows

/// One call of quantize_blocks with blocks of height x width.
struct Job {
  const BlockPlan& plan;
  ConstMatrixView<float> x;
  MatrixView<float> out;
  std::int64_t height, width;
  RandomStream stream;
  std::uint64_t first;  ///< the index of x(0, 0) in the stream
  bool past_caches;     ///< how `out` is written: beyond_caches.h
};

}  // namespace block_detail
}  // namespace bitlaw
#endif

HWY_BEFORE_NAMESPACE();
namespace bitlaw {
namespace HWY_NAMESPACE {
namespace {

using namespace block_detail;

/// The random bits of elements in a row; without a call, which would cost registers, where the kernel needs none.
template <RoundingKernel kKernel>
HWY_INLINE LoopRandom random_of(RandomFields& fields, const Job& job, std::int64_t first, std::int64_t count) {
  if constexpr (is_stochastic(kKernel)) {
    return fields.of(job.first + static_cast<std::uint64_t>(first), static_cast<std::size_t>(count));
  } else {
    return {};
  }
}

/// Settles the doubts of a loop over `count` elements from index `offset` of `random` on; decode_of(i) is what element
/// i of `out` is multiplied by.
template <RoundingKernel kKernel, class Decode>
HWY_INLINE void settle_blocks([[maybe_unused]] Doubts<float>& doubts, const LoopRandom& random, std::size_t offset,
                              std::int64_t count, float* out, const Decode& decode_of) {
  if constexpr (is_stochastic(kKernel)) {
    if (HWY_LIKELY(doubts.count == 0)) return;
    settle(doubts, random, offset + static_cast<std::size_t>(count), [&](float value, std::size_t i) {
      const float decode = decode_of(i - offset);
      if (!std::isnan(decode)) out[i - offset] = value * decode;
    });
    doubts.count = 0;
  }
}

/// out = q(x encode) decode for elements of one block; the first has index `offset` in `random`.
template <RoundingKernel kKernel>
HWY_INLINE void quantize_run(const RoundingPlan<float>& plan, float encode, float decode, const float* x, float* out,
                             std::int64_t count, const LoopRandom& random, std::int64_t offset, Doubts<float>& doubts) {
  const F32 d;
  const auto at = static_cast<std::size_t>(offset);
  if (HWY_UNLIKELY(std::isnan(decode))) {
    std::fill_n(out, count, std::numeric_limits<float>::quiet_NaN());
    return;
  }
  const auto encodes = hn::Set(d, encode);
  const auto decodes = hn::Set(d, decode);
  transform(d, d, x, out, static_cast<std::size_t>(count), [&](FloatVector v, std::size_t i) HWY_ATTR {
    return hn::Mul(round_value<kKernel>(plan, hn::Mul(v, encodes), random, at + i, &doubts), decodes);
  });
  settle_blocks<kKernel>(doubts, random, at, count, out, [=](std::size_t) { return decode; });
}

/// Whether there is a NaN among `count` numbers, or a vector's beyond them, which are readable.
HWY_INLINE bool has_nan(const float* values, std::int64_t count) {
  const F32 d;
  auto sum = hn::Zero(d);
  for (std::int64_t i = 0; i < count; i += static_cast<std::int64_t>(hn::Lanes(d))) {
    sum = hn::Add(sum, hn::Abs(hn::LoadU(d, values + i)));  // not a difference: infinities make no NaN
  }
  return !hn::AllFalse(d, hn::IsNaN(sum));
}

/// The same for whole blocks beside each other, of 2^shift elements, a multiple of the lanes: in one loop, so that the
/// numbers of the plan stay in registers from block to block.
template <RoundingKernel kKernel>
HWY_INLINE void quantize_whole_blocks(const RoundingPlan<float>& plan, const float* encode, const float* decode,
                                      int shift, const float* x, float* out, std::int64_t count,
                                      const LoopRandom& random, std::int64_t offset, bool past_caches,
                                      Doubts<float>& doubts) {
  const F32 d;
  const auto at = static_cast<std::size_t>(offset);
  const auto width = std::size_t{1} << shift;
  const auto quantize = [&](auto write) HWY_ATTR {
    for (std::size_t begin = 0; begin < static_cast<std::size_t>(count); begin += width) {
      const auto encodes = hn::Set(d, encode[begin >> shift]), decodes = hn::Set(d, decode[begin >> shift]);
      for (std::size_t i = begin; i < begin + width; i += hn::Lanes(d)) {
        const auto scaled = hn::Mul(hn::LoadU(d, x + i), encodes);
        write(hn::Mul(round_value<kKernel>(plan, scaled, random, at + i, &doubts), decodes), i);
      }
    }
  };
  if (past_caches && is_aligned(d, out)) {
    quantize([&](FloatVector v, std::size_t i) HWY_ATTR {
      fetch_ahead(x + i);
      hn::Stream(v, d, out + i);
    });
  } else {
    quantize([&](FloatVector v, std::size_t i) HWY_ATTR { hn::StoreU(v, d, out + i); });
  }
  settle_blocks<kKernel>(doubts, random, at, count, out, [=](std::size_t i) { return decode[i >> shift]; });
  // A product with NaN is a NaN, but which one depends on the processor.
  if (HWY_LIKELY(!has_nan(decode, count >> shift))) return;
  for (std::int64_t b = 0; b < count >> shift; ++b) {
    if (std::isnan(decode[b]))
      std::fill_n(out + (b << shift), std::int64_t{1} << shift, std::numeric_limits<float>::quiet_NaN());
  }
}

/// A block that lies in a row: its first element and its length.
struct Piece {
  std::int64_t row, col, length;
};

/// Blocks in the order of memory, which is that of their elements' random bits.
class PieceCursor {
 public:
  explicit PieceCursor(const Job& job) : job_(job) {}
  bool done() const { return row_ == job_.x.rows; }
  std::int64_t element() const { return row_ * job_.x.cols + col_; }
  Piece next() { return advance(std::min(job_.width, job_.x.cols - col_)); }
  /// As many whole blocks of a row as there are, at most `most`, or the last one of the row if it is shorter.
  Piece next_whole(std::int64_t most) {
    const std::int64_t left = job_.x.cols - col_;
    return advance(left < job_.width ? left : std::min(most, left / job_.width) * job_.width);
  }

 private:
  Piece advance(std::int64_t length) {
    const Piece piece{row_, col_, length};
    col_ += length;
    if (col_ == job_.x.cols) {
      ++row_;
      col_ = 0;
    }
    return piece;
  }

  const Job& job_;
  std::int64_t row_ = 0;
  std::int64_t col_ = 0;
};

/// One scale for a piece of a row of any length.
template <RoundingKernel kKernel>
void quantize_piece(const Job& job, const Piece& piece, const BlockScale& scale, RandomFields& fields,
                    Doubts<float>& doubts) {
  const RoundingPlan<float> plan = job.plan.element;
  for (std::int64_t done = 0; done < piece.length; done += kStripElements) {
    const std::int64_t count = std::min(kStripElements, piece.length - done);
    const std::int64_t first = piece.row * job.x.cols + piece.col + done;
    const LoopRandom random = random_of<kKernel>(fields, job, first, count);
    quantize_run<kKernel>(plan, scale.encode, scale.decode, job.x.row(piece.row) + piece.col + done,
                          job.out.row(piece.row) + piece.col + done, count, random, 0, doubts);
  }
}

/// Errors of elements are added in order, those of both candidates beside each other.
HWY_INLINE bool four_is_better(const BlockPlan& plan, const Scales<kStripBlocks>& six, const Scales<kStripBlocks>& four,
                               std::size_t b, const float* x, std::int64_t count) {
  const F32 d;
  alignas(64) float errors[2][kStripElements];
  const auto fill = [&](const Scales<kStripBlocks>& scales, float* out) HWY_ATTR {
    const auto encode = hn::Set(d, scales.encode[b]);
    const auto scale = hn::Set(d, scales.scale[b]);
    transform(d, d, x, out, static_cast<std::size_t>(count),
              [&](FloatVector v, std::size_t) HWY_ATTR { return search_error(plan, v, encode, scale); });
  };
  fill(six, errors[0]);
  fill(four, errors[1]);
  float of_six = 0, of_four = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    of_six += errors[0][i];
    of_four += errors[1][i];
  }
  return of_four < of_six;
}

/// Takes X4 for the blocks from `cursor` on that it suits better.
void search_along_cols(const Job& job, PieceCursor cursor, Scales<kStripBlocks>& six, std::int64_t blocks) {
  Scales<kStripBlocks> four;
  compute_fours(job.plan, six, four, blocks);
  for (std::size_t b = 0; b < static_cast<std::size_t>(blocks); ++b) {
    const Piece piece = cursor.next();
    if (!four_is_better(job.plan, six, four, b, job.x.row(piece.row) + piece.col, piece.length)) continue;
    six.encode[b] = four.encode[b];
    six.decode[b] = four.decode[b];
  }
}

/// Blocks are pieces of rows. A strip of blocks goes through three passes while it is in the first-level cache; its
/// elements are consecutive, across the ends of rows too.
template <RoundingKernel kKernel>
void quantize_along_cols(const Job& job) {
  const RoundingPlan<float> plan = job.plan.element;  // a copy: see quantize_span in quantize.cpp
  Scales<kStripBlocks> scales;
  RandomFields fields({job.plan.spec.element, job.plan.element.conversion, job.stream});
  Doubts<float> doubts;
  const std::int64_t strip_blocks = std::min(kStripElements / job.width, kStripBlocks);
  const int shift = std::countr_zero(static_cast<std::uint64_t>(job.width));
  const bool whole_vectors =
      job.width == std::int64_t{1} << shift && job.width >= static_cast<std::int64_t>(hn::Lanes(F32()));
  for (PieceCursor cursor(job); !cursor.done();) {
    PieceCursor again = cursor;
    std::int64_t blocks = 0;
    std::int64_t elements = 0;
    const std::int64_t first = cursor.element();
    while (blocks < strip_blocks && !cursor.done()) {
      const Piece piece = cursor.next_whole(strip_blocks - blocks);
      const std::int64_t count = (piece.length + job.width - 1) / job.width;
      amax_of_blocks(job.x.row(piece.row) + piece.col, std::min(job.width, piece.length), count,
                     &scales.amax[static_cast<std::size_t>(blocks)]);
      blocks += count;
      elements += piece.length;
    }
    compute_scales(job.plan, scales, blocks);
    if (job.plan.spec.search != ScaleSearch::None) search_along_cols(job, again, scales, blocks);
    const LoopRandom random = random_of<kKernel>(fields, job, first, elements);
    std::int64_t offset = 0;
    for (std::int64_t b = 0; b < blocks;) {
      const Piece piece = whole_vectors ? again.next_whole(blocks - b) : again.next();
      const std::int64_t count = (piece.length + job.width - 1) / job.width;
      const float* encode = &scales.encode[static_cast<std::size_t>(b)];
      const float* decode = &scales.decode[static_cast<std::size_t>(b)];
      const float* from = job.x.row(piece.row) + piece.col;
      float* to = job.out.row(piece.row) + piece.col;
      if (whole_vectors && piece.length == count * job.width) {
        quantize_whole_blocks<kKernel>(plan, encode, decode, shift, from, to, piece.length, random, offset,
                                       job.past_caches, doubts);
      } else {
        quantize_run<kKernel>(plan, *encode, *decode, from, to, piece.length, random, offset, doubts);
      }
      b += count;
      offset += piece.length;
    }
  }
}

/// The same for blocks longer than a strip.
template <RoundingKernel kKernel>
void quantize_long_blocks(const Job& job) {
  RandomFields fields({job.plan.spec.element, job.plan.element.conversion, job.stream});
  Doubts<float> doubts;
  for (PieceCursor cursor(job); !cursor.done();) {
    const Piece piece = cursor.next();
    const float amax = amax_of(job.x.row(piece.row) + piece.col, piece.length);
    quantize_piece<kKernel>(job, piece, block_scale(job.plan.spec, job.plan.tensor, job.plan.clip * amax), fields,
                            doubts);
  }
}

/// Raises amax[j] to the largest |x(i, j)| of `rows` rows. Four rows at a time take a load and a store of amax
/// together; past the last row, that one is taken again.
void raise_amax(ConstMatrixView<float> x, float* amax) {
  const F32 d;
  const std::int64_t whole = x.cols - x.cols % static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t i = 0; i < x.rows; i += 4) {
    const float* rows[4];
    for (std::int64_t r = 0; r < 4; ++r) rows[r] = x.row(std::min(i + r, x.rows - 1));
    transform(d, d, amax, amax, static_cast<std::size_t>(whole), [&](FloatVector before, std::size_t j) HWY_ATTR {
      auto most = hn::BitCast(U32(), before);
      for (const float* row : rows) most = hn::Max(most, magnitude_bits(hn::LoadU(d, row + j)));
      return hn::BitCast(d, most);
    });
    for (std::int64_t j = whole; j < x.cols; ++j) {
      for (const float* row : rows) amax[j] = larger_magnitude(amax[j], row[j]);
    }
  }
}

/// Adds to sums[j] the error of column j in a row.
void add_errors(const BlockPlan& plan, const Scales<kBandColumns>& scales, const float* x, float* sums,
                std::int64_t count) {
  const F32 d;
  transform(d, d, x, sums, static_cast<std::size_t>(count), [&](FloatVector v, std::size_t j) HWY_ATTR {
    const auto error = search_error(plan, v, hn::LoadU(d, &scales.encode[j]), hn::LoadU(d, &scales.scale[j]));
    return hn::Add(hn::LoadU(d, sums + j), error);
  });
}

/// Takes X4 for the columns of a band that it suits better.
void search_band(const Job& job, std::int64_t row, std::int64_t rows, std::int64_t col, std::int64_t cols,
                 Scales<kBandColumns>& six) {
  Scales<kBandColumns> four;
  compute_fours(job.plan, six, four, cols);
  std::array<float, kBandColumns + kReadableBeyond> of_six{}, of_four{};
  for (std::int64_t i = row; i < row + rows; ++i) {
    add_errors(job.plan, six, job.x.row(i) + col, of_six.data(), cols);
    add_errors(job.plan, four, job.x.row(i) + col, of_four.data(), cols);
  }
  for (std::size_t j = 0; j < static_cast<std::size_t>(cols); ++j) {
    if (!(of_four[j] < of_six[j])) continue;
    six.encode[j] = four.encode[j];
    six.decode[j] = four.decode[j];
  }
}

/// Blocks are pieces of columns: each lane of a vector has its own block.
template <RoundingKernel kKernel>
void quantize_band(const Job& job, std::int64_t row, std::int64_t rows, std::int64_t col, std::int64_t cols,
                   Scales<kBandColumns>& scales, RandomFields& fields, Doubts<float>& doubts) {
  const RoundingPlan<float> plan = job.plan.element;
  std::fill_n(scales.amax.begin(), cols, 0.0F);
  raise_amax(job.x.middle_rows(row, rows).columns(col, cols), scales.amax.data());
  compute_scales(job.plan, scales, cols);
  if (job.plan.spec.search != ScaleSearch::None) search_band(job, row, rows, col, cols, scales);
  const F32 d;
  const auto nan = hn::Set(d, std::numeric_limits<float>::quiet_NaN());
  for (std::int64_t i = row; i < row + rows; ++i) {
    const LoopRandom random = random_of<kKernel>(fields, job, i * job.x.cols + col, cols);
    // The next band is fetched while this one is written, so that neither reading nor writing waits for the other.
    const float* next = job.x.row(std::min(i + rows, job.x.rows - 1)) + col;
    const auto quantize = [&](FloatVector v, std::size_t j) HWY_ATTR {
      hwy::Prefetch(next + j);
      const auto scaled = hn::Mul(v, hn::LoadU(d, &scales.encode[j]));
      const auto decode = hn::LoadU(d, &scales.decode[j]);
      const auto value = hn::Mul(round_value<kKernel>(plan, scaled, random, j, &doubts), decode);
      return hn::IfThenElse(hn::IsNaN(decode), nan, value);
    };
    transform(d, d, job.x.row(i) + col, job.out.row(i) + col, static_cast<std::size_t>(cols), quantize,
              arrays(job.past_caches));
    settle_blocks<kKernel>(doubts, random, 0, cols, job.out.row(i) + col,
                           [&](std::size_t j) { return scales.decode[j]; });
  }
}

template <RoundingKernel kKernel>
void quantize_along_rows(const Job& job) {
  Scales<kBandColumns> scales;
  RandomFields fields({job.plan.spec.element, job.plan.element.conversion, job.stream});
  Doubts<float> doubts;
  for (std::int64_t i = 0; i < job.x.rows; i += job.height) {
    for (std::int64_t j = 0; j < job.x.cols; j += kBandColumns) {
      quantize_band<kKernel>(job, i, std::min(job.height, job.x.rows - i), j, std::min(kBandColumns, job.x.cols - j),
                             scales, fields, doubts);
    }
  }
}

/// A strip of blocks side by side, its rows from first to last, twice.
template <RoundingKernel kKernel>
void quantize_strip(const Job& job, std::int64_t row, std::int64_t rows, std::int64_t col, std::int64_t cols,
                    Scales<kStripBlocks>& scales, RandomFields& fields, Doubts<float>& doubts) {
  const RoundingPlan<float> plan = job.plan.element;
  const std::int64_t blocks = (cols + job.width - 1) / job.width;
  const auto width_of = [&](std::int64_t b) { return std::min(job.width, cols - b * job.width); };
  std::fill_n(scales.amax.begin(), blocks, 0.0F);
  for (std::int64_t i = row; i < row + rows; ++i) {
    for (std::int64_t b = 0; b < blocks; ++b) {
      float& amax = scales.amax[static_cast<std::size_t>(b)];
      amax = larger_magnitude(amax, amax_of(job.x.row(i) + col + b * job.width, width_of(b)));
    }
  }
  compute_scales(job.plan, scales, blocks);
  for (std::int64_t i = row; i < row + rows; ++i) {
    const LoopRandom random = random_of<kKernel>(fields, job, i * job.x.cols + col, cols);
    for (std::int64_t b = 0; b < blocks; ++b) {
      const std::int64_t at = b * job.width;
      quantize_run<kKernel>(plan, scales.encode[static_cast<std::size_t>(b)],
                            scales.decode[static_cast<std::size_t>(b)], job.x.row(i) + col + at,
                            job.out.row(i) + col + at, width_of(b), random, at, doubts);
    }
  }
}

/// Blocks of several rows and columns, at most kStripElements columns.
template <RoundingKernel kKernel>
void quantize_squares(const Job& job) {
  Scales<kStripBlocks> scales;
  RandomFields fields({job.plan.spec.element, job.plan.element.conversion, job.stream});
  Doubts<float> doubts;
  const std::int64_t most = std::min(kSquareElements / (job.height * job.width), kStripElements / job.width);
  const std::int64_t strip = std::clamp<std::int64_t>(most, 1, kStripBlocks) * job.width;
  for (std::int64_t i = 0; i < job.x.rows; i += job.height) {
    for (std::int64_t j = 0; j < job.x.cols; j += strip) {
      quantize_strip<kKernel>(job, i, std::min(job.height, job.x.rows - i), j, std::min(strip, job.x.cols - j), scales,
                              fields, doubts);
    }
  }
}

/// One scale for all rows.
template <RoundingKernel kKernel>
void quantize_uniform(const Job& job, const BlockScale& scale) {
  RandomFields fields({job.plan.spec.element, job.plan.element.conversion, job.stream});
  Doubts<float> doubts;
  for (std::int64_t i = 0; i < job.x.rows; ++i) {
    quantize_piece<kKernel>(job, {i, 0, job.x.cols}, scale, fields, doubts);
  }
}

float matrix_amax_kernel(ConstMatrixView<float> x) {
  if (x.stride == x.cols) return amax_of_array(x.data, x.size());
  float amax = 0;
  for (std::int64_t i = 0; i < x.rows; ++i) amax = larger_magnitude(amax, amax_of_array(x.row(i), x.cols));
  return amax;
}

void quantize_blocks_kernel(const Job& job, const BlockScale* uniform) {
  with_kernel(job.plan.element.kernel, [&]<RoundingKernel kKernel>() {
    if (uniform != nullptr) return quantize_uniform<kKernel>(job, *uniform);
    if (job.width == 1) return quantize_along_rows<kKernel>(job);
    if (job.height > 1) return quantize_squares<kKernel>(job);
    if (job.width > kStripElements) return quantize_long_blocks<kKernel>(job);
    quantize_along_cols<kKernel>(job);
  });
  if (job.past_caches) hwy::FlushStream();
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace bitlaw
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlaw {
namespace {

HWY_EXPORT(matrix_amax_kernel);
HWY_EXPORT(quantize_blocks_kernel);

float matrix_amax(ConstMatrixView<float> x) { return HWY_DYNAMIC_DISPATCH(matrix_amax_kernel)(x); }

}  // namespace

void quantize_blocks(const BlockSpec& spec, const Rounding& rounding, KAxis k_axis, ConstMatrixView<float> x,
                     MatrixView<float> out, const RandomStream& stream, std::uint64_t first,
                     std::optional<float> held_amax) {
  BITLAW_CHECK(x.rows == out.rows && x.cols == out.cols, "x [{}, {}] into out [{}, {}]", x.rows, x.cols, out.rows,
               out.cols);
  if (x.size() == 0) return;
  const BlockGrid grid = block_grid(spec, k_axis, x.rows, x.cols);
  const bool is_uniform = spec.shape == BlockShape::Tensor;
  const bool is_line = grid.height == 1 || grid.width == 1;
  const bool is_wide = grid.width > block_detail::kStripElements;
  const bool searches = spec.search != ScaleSearch::None;
  const bool fits = searches ? is_line && !is_wide && !is_uniform : is_line || !is_wide || is_uniform;
  const bool hides_nan = is_uniform && held_amax && std::isnan(matrix_amax(x));  // vectors know it by the scale alone
  if (!BlockPlan::covers(spec, rounding) || !fits || hides_nan) {
    return quantize_block_rows(spec, rounding, k_axis, x, out, stream, first, held_amax);
  }
  float amax = 0;
  if (is_uniform || spec.tensor_target) amax = held_amax ? *held_amax : matrix_amax(x);
  const TensorScale tensor = spec.tensor_target ? tensor_scale(spec, amax) : TensorScale();
  const BlockPlan plan(spec, rounding, tensor);
  const block_detail::Job job{plan,       x,      out,   grid.height,
                              grid.width, stream, first, is_beyond_caches(out.size() * std::int64_t{sizeof(float)})};
  // A second-level scale of NaN leaves NaN to every block.
  const BlockScale uniform = block_scale(spec, tensor, held_amax ? amax : plan.clip * amax);
  const bool one_scale = is_uniform || std::isnan(tensor.encode);
  HWY_DYNAMIC_DISPATCH(quantize_blocks_kernel)(job, one_scale ? &uniform : nullptr);
}

}  // namespace bitlaw
#endif
