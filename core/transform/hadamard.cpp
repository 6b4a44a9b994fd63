#include "core/transform/hadamard.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/transform/hadamard.cpp"
#include <hwy/foreach_target.h>  // compiles this file once per instruction set
#include <hwy/highway.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include "core/base/check.h"

#ifndef BITLAW_HADAMARD_JOB
#define BITLAW_HADAMARD_JOB
namespace bitlaw {
namespace hadamard_detail {

/// One rotation: x <- x D_first H D_last / sqrt(size). Signs are given as sign bits, one per element of a piece.
struct Job {
  MatrixView<float> x;
  std::int64_t size;
  float scale;                             ///< 1 / sqrt(size)
  std::vector<std::uint32_t> first, last;  ///< with room for a whole vector
};

constexpr std::int64_t kMostLanes = 16;
constexpr std::int64_t kStripColumns = 64;  ///< columns that go down together where pieces are columns

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
using U32 = hn::RebindToUnsigned<F32>;
using FloatVector = hn::Vec<F32>;
using BitVector = hn::Vec<U32>;

HWY_INLINE FloatVector flip(FloatVector v, BitVector sign_bits) {
  return hn::BitCast(F32(), hn::Xor(hn::BitCast(U32(), v), sign_bits));
}

/// Butterflies of pairs at distance h inside a vector: lane l and lane l ^ h become their sum and difference.
HWY_INLINE FloatVector butterfly_in_vector(FloatVector v, std::uint32_t h) {
  const U32 du;
  const hn::RebindToSigned<F32> di;
  const auto lane = hn::Iota(du, 0);
  const auto distance = hn::Set(du, h);
  const auto partner = hn::TableLookupLanes(v, hn::IndicesFromVec(F32(), hn::BitCast(di, hn::Xor(lane, distance))));
  // The upper lane of a pair wants partner - v.
  const auto is_upper = hn::Eq(hn::And(lane, distance), distance);
  return hn::Add(partner, flip(v, hn::IfThenElseZero(is_upper, hn::Set(du, 0x80000000U))));
}

/// One vector within pieces that begin at multiples of `size`: first signs and all distances below its width.
HWY_INLINE FloatVector rotate_vector(const Job& job, FloatVector v, std::int64_t at) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(F32()));
  v = flip(v, hn::LoadU(U32(), job.first.data() + at % job.size));
  for (std::int64_t h = 1; h < std::min(job.size, lanes); h *= 2) {
    v = butterfly_in_vector(v, static_cast<std::uint32_t>(h));
  }
  return v;
}

HWY_INLINE FloatVector finish(const Job& job, FloatVector v, BitVector sign_bits) {
  return flip(hn::Mul(v, hn::Set(F32(), job.scale)), sign_bits);
}

/// A piece or, where they are shorter than a vector, `count` elements of whole pieces.
void rotate_short(const Job& job, float* x, std::int64_t count) {
  const F32 d;
  float padded[kMostLanes] = {};
  std::copy_n(x, count, padded);
  const auto v = rotate_vector(job, hn::LoadU(d, padded), 0);
  hn::StoreU(finish(job, v, hn::LoadU(U32(), job.last.data())), d, padded);
  std::copy_n(padded, count, x);
}

void rotate_piece(const Job& job, float* x) {
  const F32 d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t i = 0; i < job.size; i += lanes) {
    hn::StoreU(rotate_vector(job, hn::LoadU(d, x + i), i), d, x + i);
  }
  for (std::int64_t h = lanes; h < job.size; h *= 2) {
    for (std::int64_t pair = 0; pair < job.size; pair += 2 * h) {
      for (std::int64_t i = pair; i < pair + h; i += lanes) {
        const auto a = hn::LoadU(d, x + i);
        const auto b = hn::LoadU(d, x + i + h);
        hn::StoreU(hn::Add(a, b), d, x + i);
        hn::StoreU(hn::Sub(a, b), d, x + i + h);
      }
    }
  }
  for (std::int64_t i = 0; i < job.size; i += lanes) {
    hn::StoreU(finish(job, hn::LoadU(d, x + i), hn::LoadU(U32(), job.last.data() + i)), d, x + i);
  }
}

void rotate_along_cols(const Job& job) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(F32()));
  const bool is_short = job.size < lanes;
  for (std::int64_t i = 0; i < job.x.rows; ++i) {
    float* row = job.x.row(i);
    for (std::int64_t j = 0; j < job.x.cols; j += is_short ? lanes : job.size) {
      if (is_short) {
        rotate_short(job, row + j, std::min(lanes, job.x.cols - j));
      } else {
        rotate_piece(job, row + j);
      }
    }
  }
}

/// Rows a and b become their sum and difference; the compiler turns this into vectors of the instruction set.
void butterfly_rows(float* HWY_RESTRICT a, float* HWY_RESTRICT b, std::int64_t count) {
  for (std::int64_t j = 0; j < count; ++j) {
    const float sum = a[j] + b[j];
    b[j] = a[j] - b[j];
    a[j] = sum;
  }
}

void multiply_row(float* x, std::int64_t count, float factor) {
  for (std::int64_t j = 0; j < count; ++j) x[j] *= factor;
}

/// The piece of rows row .. row + size in columns col .. col + cols.
void rotate_columns(const Job& job, std::int64_t row, std::int64_t col, std::int64_t cols) {
  const auto at = [&](std::int64_t i) { return job.x.row(row + i) + col; };
  for (std::int64_t i = 0; i < job.size; ++i) {
    if (job.first[static_cast<std::size_t>(i)] != 0) multiply_row(at(i), cols, -1);
  }
  for (std::int64_t h = 1; h < job.size; h *= 2) {
    for (std::int64_t i = 0; i < job.size; ++i) {
      if ((i & h) == 0) butterfly_rows(at(i), at(i + h), cols);
    }
  }
  for (std::int64_t i = 0; i < job.size; ++i) {
    multiply_row(at(i), cols, job.last[static_cast<std::size_t>(i)] != 0 ? -job.scale : job.scale);
  }
}

void rotate_along_rows(const Job& job) {
  for (std::int64_t i = 0; i < job.x.rows; i += job.size) {
    for (std::int64_t j = 0; j < job.x.cols; j += kStripColumns) {
      rotate_columns(job, i, j, std::min(kStripColumns, job.x.cols - j));
    }
  }
}

void rotate_kernel(const Job& job, KAxis k_axis) {
  if (k_axis == KAxis::Cols) return rotate_along_cols(job);
  rotate_along_rows(job);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace bitlaw
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlaw {
namespace {

HWY_EXPORT(rotate_kernel);

/// Sign bits of a piece's elements, repeated to fill a vector where pieces are shorter.
std::vector<std::uint32_t> random_signs(std::int64_t size, const RandomStream& stream) {
  std::vector<std::uint32_t> signs(static_cast<std::size_t>(std::max(size, hadamard_detail::kMostLanes)));
  const auto period = static_cast<std::size_t>(size);
  random_bits(stream, 0, std::span(signs).first(period));
  for (std::size_t e = 0; e < signs.size(); ++e) signs[e] = signs[e % period] & 0x80000000U;
  return signs;
}

void rotate(MatrixView<float> x, KAxis k_axis, int size, std::vector<std::uint32_t> first,
            std::vector<std::uint32_t> last) {
  const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(size)));
  const hadamard_detail::Job job{x, size, scale, std::move(first), std::move(last)};
  HWY_DYNAMIC_DISPATCH(rotate_kernel)(job, k_axis);
}

void check_size(MatrixView<float> x, KAxis k_axis, int size) {
  const std::int64_t extent = k_axis == KAxis::Cols ? x.cols : x.rows;
  BITLAW_CHECK(size > 0 && std::has_single_bit(static_cast<unsigned>(size)) && extent % size == 0,
               "rotation of size {} along {} elements", size, extent);
}

}  // namespace

void hadamard_rotate(MatrixView<float> x, KAxis k_axis, int size, const RandomStream& stream) {
  check_size(x, k_axis, size);
  const std::vector<std::uint32_t> signs = random_signs(size, stream);
  rotate(x, k_axis, size, signs, std::vector<std::uint32_t>(signs.size()));
}

void hadamard_unrotate(MatrixView<float> x, KAxis k_axis, int size, const RandomStream& stream) {
  check_size(x, k_axis, size);
  const std::vector<std::uint32_t> signs = random_signs(size, stream);
  rotate(x, k_axis, size, std::vector<std::uint32_t>(signs.size()), signs);
}

}  // namespace bitlaw
#endif
