#include "core/block/quantize_blocks.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/block/quantize_blocks.cpp"
#include <hwy/foreach_target.h>  // compiles this file once per instruction set
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <span>

#include "core/base/check.h"
#include "core/block/block_grid.h"
#include "core/block/block_plan.h"
#include "core/block/block_rows.h"
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
constexpr std::int64_t kReadableBeyond = 16;     ///< a vector may be read past the end of our own arrays

/// One call of quantize_blocks with blocks of height x width.
struct Job {
  const BlockPlan& plan;
  ConstMatrixView<float> x;
  MatrixView<float> out;
  std::int64_t height, width;
  RandomStream stream;
  std::uint64_t first;  ///< the index of x(0, 0) in the stream
};

/// The multipliers of the blocks that are in work, and before that their largest magnitudes.
template <std::int64_t kCount>
struct Scales {
  alignas(64) std::array<float, kCount + kReadableBeyond> amax{}, encode{}, decode{};
};

}  // namespace block_detail
}  // namespace bitlaw
#endif

HWY_BEFORE_NAMESPACE();
namespace bitlaw {
namespace HWY_NAMESPACE {
namespace {

using namespace block_detail;

using F32 = Tag<float>;
using U32 = BitTag<float>;
using FloatVector = Vector<float>;

constexpr std::uint32_t kInfinityBits = 0x7F800000;

/// The bits of |v|: as integers they order magnitudes, with NaN above infinity.
HWY_INLINE BitVector<float> magnitude_bits(FloatVector v) { return hn::BitCast(U32(), hn::Abs(v)); }

HWY_INLINE float amax_of(const float* x, std::int64_t count) {
  const F32 d;
  const U32 du;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto amax = hn::Zero(du);
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) amax = hn::Max(amax, magnitude_bits(hn::LoadU(d, x + i)));
  if (i < count) {
    float rest[kMostLanes<float>] = {};
    std::copy(x + i, x + count, rest);
    amax = hn::Max(amax, magnitude_bits(hn::LoadU(d, rest)));
  }
  return std::bit_cast<float>(hn::GetLane(hn::MaxOfLanes(du, amax)));
}

/// 2^(field - 127) for fields of E8M0: 2^-127 has no exponent field in float32, it is the subnormal 0x00400000.
template <class V>
HWY_INLINE FloatVector power_of_field(V field) {
  const F32 d;
  const hn::RebindToSigned<F32> di;
  field = hn::Min(hn::Max(field, hn::Zero(di)), hn::Set(di, 254));
  return hn::BitCast(d, hn::Max(hn::ShiftLeft<23>(field), hn::Set(di, 0x00400000)));
}

/// X = 2^e of OcpFloor, Ceil, Even and RoundUp; exponent fields and significands are compared as integers.
HWY_INLINE FloatVector power_of_two_scale(const BlockPlan& plan, FloatVector a) {
  const hn::RebindToSigned<F32> di;
  auto bits = hn::BitCast(di, a);
  if (plan.spec.rule == ScaleRule::Even) bits = hn::Add(bits, hn::Set(di, plan.half_place));
  auto field = hn::Sub(hn::ShiftRight<23>(bits), hn::Set(di, plan.emax));  // e + 127
  if (plan.spec.rule == ScaleRule::RoundUp || plan.spec.rule == ScaleRule::Ceil) {
    const auto significand = hn::And(bits, hn::Set(di, 0x007FFFFF));
    field = hn::Sub(field, hn::VecFromMask(di, hn::Gt(significand, hn::Set(di, plan.exact_significand))));
  }
  return power_of_field(field);
}

/// The least E8M0 value that is not below v.
HWY_INLINE FloatVector rounded_up_power(FloatVector v) {
  const hn::RebindToSigned<F32> di;
  const auto bits = hn::BitCast(di, v);
  const auto field = hn::ShiftRight<23>(bits);
  const auto significand = hn::And(bits, hn::Set(di, 0x007FFFFF));
  const auto exact = hn::IfThenElse(hn::Eq(field, hn::Zero(di)), hn::Set(di, 0x00400000), hn::Zero(di));
  return power_of_field(hn::Sub(field, hn::VecFromMask(di, hn::Gt(significand, exact))));
}

/// X of Divide and Reciprocal before it is rounded: the orders of block_scale.cpp.
HWY_INLINE FloatVector scaled_quotient(const BlockPlan& plan, FloatVector a) {
  const F32 d;
  const auto over_max = [&](FloatVector v) HWY_ATTR {
    return plan.spec.rule == ScaleRule::Divide ? hn::Div(v, hn::Set(d, plan.max))
                                               : hn::Mul(v, hn::Set(d, 1 / plan.max));
  };
  switch (plan.order) {
    case TensorOrder::Folded:
      return hn::Mul(a, hn::Set(d, plan.factor));
    case TensorOrder::Divisor:
      return hn::Div(over_max(a), hn::Set(d, plan.tensor.decode));
    case TensorOrder::TargetFirst:
      return hn::Div(hn::Mul(a, hn::Set(d, plan.factor)), hn::Set(d, plan.tensor.amax));
    case TensorOrder::ScaleLast:
      break;
  }
  return hn::Mul(over_max(a), hn::Set(d, plan.tensor.encode));
}

HWY_INLINE FloatVector rounded_scale(const BlockPlan& plan, FloatVector scale) {
  const F32 d;
  scale = hn::Max(scale, hn::Set(d, static_cast<float>(plan.spec.least_scale)));
  if (plan.is_rounded_up_power) return rounded_up_power(scale);
  if (!plan.scale) return scale;
  if (!plan.adds_to_round) return round_value<RoundingKernel::General>(*plan.scale, scale, {}, 0);
  return round_by_addition<RoundingKernel::Nearest>(*plan.scale, hn::Min(scale, hn::Set(d, plan.scale->max)));
}

/// X of a block whose statistic is a.
HWY_INLINE FloatVector scale_of(const BlockPlan& plan, FloatVector a) {
  const F32 d;
  const bool is_power = plan.spec.is_power_of_two_rule();
  if (!is_power && plan.spec.rule != ScaleRule::Projection) return rounded_scale(plan, scaled_quotient(plan, a));
  const auto scaled = plan.order == TensorOrder::Divisor ? hn::Div(a, hn::Set(d, plan.tensor.decode))
                                                         : hn::Mul(a, hn::Set(d, plan.tensor.encode));
  if (!is_power) return rounded_scale(plan, scaled);
  return power_of_two_scale(plan, hn::Min(scaled, hn::Set(d, std::numeric_limits<float>::max())));
}

HWY_INLINE FloatVector encode_of(const BlockPlan& plan, FloatVector scale) {
  const F32 d;
  if (plan.spec.scaling == ElementScaling::Ratio) return hn::Div(hn::Set(d, plan.tensor.encode), scale);
  return hn::Div(hn::Set(d, 1.0F), hn::Mul(scale, hn::Set(d, plan.tensor.decode)));
}

HWY_INLINE FloatVector decode_of(const BlockPlan& plan, FloatVector scale) {
  const F32 d;
  if (plan.store == TensorStore::Divisor) return hn::Div(scale, hn::Set(d, plan.tensor.encode));
  if (plan.store == TensorStore::Multiplier) return hn::Mul(scale, hn::Set(d, plan.tensor.decode));
  return hn::Mul(hn::Mul(scale, hn::Set(d, plan.tensor.amax)), hn::Set(d, 1 / plan.target));
}

/// block_scale() for the first `count` blocks of `scales`.
template <std::int64_t kCount>
void compute_scales(const BlockPlan& plan, Scales<kCount>& scales, std::int64_t count) {
  if (!plan.vectorised_scales) {
    for (std::size_t b = 0; b < static_cast<std::size_t>(count); ++b) {
      const BlockScale scale = block_scale(plan.spec, plan.tensor, plan.clip * scales.amax[b]);
      scales.encode[b] = scale.encode;
      scales.decode[b] = scale.decode;
    }
    return;
  }
  const F32 d;
  const U32 du;
  const auto largest = hn::Set(d, std::numeric_limits<float>::max());
  const auto nan = hn::Set(d, std::numeric_limits<float>::quiet_NaN());
  for (std::size_t b = 0; b < static_cast<std::size_t>(count); b += hn::Lanes(d)) {
    const auto a = hn::Mul(hn::LoadU(d, &scales.amax[b]), hn::Set(d, plan.clip));
    const auto finite = hn::RebindMask(d, hn::Lt(hn::BitCast(du, a), hn::Set(du, kInfinityBits)));
    auto scale = scale_of(plan, a);
    if (plan.spec.zero_scale != ZeroScale::Keep) {
      const auto is_zero = hn::Or(hn::Eq(a, hn::Zero(d)), hn::Eq(scale, hn::Zero(d)));
      scale = hn::IfThenElse(is_zero, hn::Set(d, plan.of_zeros), scale);
    }
    const auto encode = hn::Min(encode_of(plan, scale), largest);
    hn::StoreU(hn::IfThenElse(finite, encode, hn::Set(d, 1.0F)), d, &scales.encode[b]);
    hn::StoreU(hn::IfThenElse(finite, decode_of(plan, scale), nan), d, &scales.decode[b]);
  }
}

/// The random bits of elements in a row; without a call, which would cost registers, where the kernel needs none.
template <RoundingKernel kKernel>
HWY_INLINE LoopRandom random_of(RandomFields& fields, const Job& job, std::int64_t first, std::int64_t count) {
  if constexpr (is_stochastic(kKernel)) {
    return fields.of(job.first + static_cast<std::uint64_t>(first), static_cast<std::size_t>(count));
  } else {
    return {};
  }
}

/// out = q(x encode) decode for elements of one block; the first has index `offset` in `random`.
template <RoundingKernel kKernel>
HWY_INLINE void quantize_run(const RoundingPlan<float>& plan, float encode, float decode, const float* x, float* out,
                             std::int64_t count, const LoopRandom& random, std::int64_t offset) {
  const F32 d;
  const auto at = static_cast<std::size_t>(offset);
  if (HWY_UNLIKELY(std::isnan(decode))) {
    std::fill_n(out, count, std::numeric_limits<float>::quiet_NaN());
    return;
  }
  const auto encodes = hn::Set(d, encode);
  const auto decodes = hn::Set(d, decode);
  transform_vectors(d, x, out, static_cast<std::size_t>(count), [&](FloatVector v, std::size_t i) HWY_ATTR {
    return hn::Mul(round_value<kKernel>(plan, hn::Mul(v, encodes), random, at + i), decodes);
  });
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
  Piece next() {
    const Piece piece{row_, col_, std::min(job_.width, job_.x.cols - col_)};
    col_ += piece.length;
    if (col_ == job_.x.cols) {
      ++row_;
      col_ = 0;
    }
    return piece;
  }

 private:
  const Job& job_;
  std::int64_t row_ = 0;
  std::int64_t col_ = 0;
};

/// One scale for a piece of a row of any length.
template <RoundingKernel kKernel>
void quantize_piece(const Job& job, const Piece& piece, const BlockScale& scale, RandomFields& fields) {
  const RoundingPlan<float> plan = job.plan.element;
  for (std::int64_t done = 0; done < piece.length; done += kStripElements) {
    const std::int64_t count = std::min(kStripElements, piece.length - done);
    const std::int64_t first = piece.row * job.x.cols + piece.col + done;
    const LoopRandom random = random_of<kKernel>(fields, job, first, count);
    quantize_run<kKernel>(plan, scale.encode, scale.decode, job.x.row(piece.row) + piece.col + done,
                          job.out.row(piece.row) + piece.col + done, count, random, 0);
  }
}

/// Blocks are pieces of rows. A strip of blocks goes through three passes while it is in the first-level cache; its
/// elements are consecutive, across the ends of rows too.
template <RoundingKernel kKernel>
void quantize_along_cols(const Job& job) {
  const RoundingPlan<float> plan = job.plan.element;  // a copy: see quantize_span in quantize.cpp
  Scales<kStripBlocks> scales;
  RandomFields fields({job.plan.spec.element, job.plan.element.conversion, job.stream});
  const std::int64_t strip_blocks = std::min(kStripElements / job.width, kStripBlocks);
  for (PieceCursor cursor(job); !cursor.done();) {
    PieceCursor again = cursor;
    std::int64_t blocks = 0;
    std::int64_t elements = 0;
    const std::int64_t first = cursor.element();
    for (; blocks < strip_blocks && !cursor.done(); ++blocks) {
      const Piece piece = cursor.next();
      scales.amax[static_cast<std::size_t>(blocks)] = amax_of(job.x.row(piece.row) + piece.col, piece.length);
      elements += piece.length;
    }
    compute_scales(job.plan, scales, blocks);
    const LoopRandom random = random_of<kKernel>(fields, job, first, elements);
    std::int64_t offset = 0;
    for (std::size_t b = 0; b < static_cast<std::size_t>(blocks); ++b) {
      const Piece piece = again.next();
      quantize_run<kKernel>(plan, scales.encode[b], scales.decode[b], job.x.row(piece.row) + piece.col,
                            job.out.row(piece.row) + piece.col, piece.length, random, offset);
      offset += piece.length;
    }
  }
}

/// The same for blocks longer than a strip.
template <RoundingKernel kKernel>
void quantize_long_blocks(const Job& job) {
  RandomFields fields({job.plan.spec.element, job.plan.element.conversion, job.stream});
  for (PieceCursor cursor(job); !cursor.done();) {
    const Piece piece = cursor.next();
    const float amax = amax_of(job.x.row(piece.row) + piece.col, piece.length);
    quantize_piece<kKernel>(job, piece, block_scale(job.plan.spec, job.plan.tensor, job.plan.clip * amax), fields);
  }
}

/// Raises amax[j] to |x[j]|.
void raise_amax(const float* x, float* amax, std::int64_t count) {
  transform_vectors(F32(), x, amax, static_cast<std::size_t>(count), [&](FloatVector v, std::size_t j) HWY_ATTR {
    const auto before = hn::BitCast(U32(), hn::LoadU(F32(), amax + j));
    return hn::BitCast(F32(), hn::Max(before, magnitude_bits(v)));
  });
}

/// Blocks are pieces of columns: each lane of a vector has its own block.
template <RoundingKernel kKernel>
void quantize_band(const Job& job, std::int64_t row, std::int64_t rows, std::int64_t col, std::int64_t cols,
                   Scales<kBandColumns>& scales, RandomFields& fields) {
  const RoundingPlan<float> plan = job.plan.element;
  std::fill_n(scales.amax.begin(), cols, 0.0F);
  for (std::int64_t i = row; i < row + rows; ++i) raise_amax(job.x.row(i) + col, scales.amax.data(), cols);
  compute_scales(job.plan, scales, cols);
  const F32 d;
  const auto nan = hn::Set(d, std::numeric_limits<float>::quiet_NaN());
  for (std::int64_t i = row; i < row + rows; ++i) {
    const LoopRandom random = random_of<kKernel>(fields, job, i * job.x.cols + col, cols);
    transform_vectors(d, job.x.row(i) + col, job.out.row(i) + col, static_cast<std::size_t>(cols),
                      [&](FloatVector v, std::size_t j) HWY_ATTR {
                        const auto scaled = hn::Mul(v, hn::LoadU(d, &scales.encode[j]));
                        const auto decode = hn::LoadU(d, &scales.decode[j]);
                        const auto value = hn::Mul(round_value<kKernel>(plan, scaled, random, j), decode);
                        return hn::IfThenElse(hn::IsNaN(decode), nan, value);
                      });
  }
}

template <RoundingKernel kKernel>
void quantize_along_rows(const Job& job) {
  Scales<kBandColumns> scales;
  RandomFields fields({job.plan.spec.element, job.plan.element.conversion, job.stream});
  for (std::int64_t i = 0; i < job.x.rows; i += job.height) {
    for (std::int64_t j = 0; j < job.x.cols; j += kBandColumns) {
      quantize_band<kKernel>(job, i, std::min(job.height, job.x.rows - i), j, std::min(kBandColumns, job.x.cols - j),
                             scales, fields);
    }
  }
}

/// A strip of blocks side by side, its rows from first to last, twice.
template <RoundingKernel kKernel>
void quantize_strip(const Job& job, std::int64_t row, std::int64_t rows, std::int64_t col, std::int64_t cols,
                    Scales<kStripBlocks>& scales, RandomFields& fields) {
  const RoundingPlan<float> plan = job.plan.element;
  const std::int64_t blocks = (cols + job.width - 1) / job.width;
  const auto width_of = [&](std::int64_t b) { return std::min(job.width, cols - b * job.width); };
  std::fill_n(scales.amax.begin(), blocks, 0.0F);
  for (std::int64_t i = row; i < row + rows; ++i) {
    for (std::int64_t b = 0; b < blocks; ++b) {
      float& amax = scales.amax[static_cast<std::size_t>(b)];
      const float of_row = amax_of(job.x.row(i) + col + b * job.width, width_of(b));
      if (std::bit_cast<std::uint32_t>(of_row) > std::bit_cast<std::uint32_t>(amax)) amax = of_row;
    }
  }
  compute_scales(job.plan, scales, blocks);
  for (std::int64_t i = row; i < row + rows; ++i) {
    const LoopRandom random = random_of<kKernel>(fields, job, i * job.x.cols + col, cols);
    for (std::int64_t b = 0; b < blocks; ++b) {
      const std::int64_t at = b * job.width;
      quantize_run<kKernel>(plan, scales.encode[static_cast<std::size_t>(b)],
                            scales.decode[static_cast<std::size_t>(b)], job.x.row(i) + col + at,
                            job.out.row(i) + col + at, width_of(b), random, at);
    }
  }
}

/// Blocks of several rows and columns, at most kStripElements columns.
template <RoundingKernel kKernel>
void quantize_squares(const Job& job) {
  Scales<kStripBlocks> scales;
  RandomFields fields({job.plan.spec.element, job.plan.element.conversion, job.stream});
  const std::int64_t most = std::min(kSquareElements / (job.height * job.width), kStripElements / job.width);
  const std::int64_t strip = std::clamp<std::int64_t>(most, 1, kStripBlocks) * job.width;
  for (std::int64_t i = 0; i < job.x.rows; i += job.height) {
    for (std::int64_t j = 0; j < job.x.cols; j += strip) {
      quantize_strip<kKernel>(job, i, std::min(job.height, job.x.rows - i), j, std::min(strip, job.x.cols - j), scales,
                              fields);
    }
  }
}

/// One scale for all rows.
template <RoundingKernel kKernel>
void quantize_uniform(const Job& job, const BlockScale& scale) {
  RandomFields fields({job.plan.spec.element, job.plan.element.conversion, job.stream});
  for (std::int64_t i = 0; i < job.x.rows; ++i) {
    quantize_piece<kKernel>(job, {i, 0, job.x.cols}, scale, fields);
  }
}

float matrix_amax_kernel(ConstMatrixView<float> x) {
  std::uint32_t amax = 0;
  for (std::int64_t i = 0; i < x.rows; ++i) {
    amax = std::max(amax, std::bit_cast<std::uint32_t>(amax_of(x.row(i), x.cols)));
  }
  return std::bit_cast<float>(amax);
}

void quantize_blocks_kernel(const Job& job, const BlockScale* uniform) {
  with_kernel(job.plan.element.kernel, [&]<RoundingKernel kKernel>() {
    if (uniform != nullptr) return quantize_uniform<kKernel>(job, *uniform);
    if (job.width == 1) return quantize_along_rows<kKernel>(job);
    if (job.height > 1) return quantize_squares<kKernel>(job);
    if (job.width > kStripElements) return quantize_long_blocks<kKernel>(job);
    quantize_along_cols<kKernel>(job);
  });
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
  const bool is_wide_square = !is_uniform && grid.height > 1 && grid.width > block_detail::kStripElements;
  if (!BlockPlan::covers(spec, rounding) || is_wide_square) {
    return quantize_block_rows(spec, rounding, k_axis, x, out, stream, first, held_amax);
  }
  float amax = 0;
  if (is_uniform || spec.tensor_target) amax = held_amax ? *held_amax : matrix_amax(x);
  const TensorScale tensor = spec.tensor_target ? tensor_scale(spec, amax) : TensorScale();
  const BlockPlan plan(spec, rounding, tensor);
  const block_detail::Job job{plan, x, out, grid.height, grid.width, stream, first};
  // A second-level scale of NaN leaves NaN to every block.
  const BlockScale uniform = block_scale(spec, tensor, held_amax ? amax : plan.clip * amax);
  const bool one_scale = is_uniform || std::isnan(tensor.encode);
  HWY_DYNAMIC_DISPATCH(quantize_blocks_kernel)(job, one_scale ? &uniform : nullptr);
}

}  // namespace bitlaw
#endif
