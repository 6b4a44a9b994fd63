#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/format/catalog.h"
#include "core/format/rounding.h"

namespace bitlaw {

// Accumulator models: how a matrix unit adds the K products of one element of C = A B^T. The order of the additions is
// part of a model; it always follows K upwards.
//
// K is cut into chunks of `chunk` elements, the last one may be shorter. The products of one chunk are summed from +0
// by one of two rules, Sequential or TensorCore; the sums of the chunks are then added to each other. Wherever a format
// is named, the exact value is rounded to it once; overflow follows IEEE 754-2019 §7.4 (Overflow::ByDirection).

/// How the products of one chunk are summed.
enum class ChunkSum : std::uint8_t {
  Sequential,  ///< s <- round(s + a_k b_k) for every k
  TensorCore,  ///< groups of products as fixed-point numbers, see AccumulatorSpec
};

/// What enters an addition of ChunkSum::Sequential.
enum class ProductRounding : std::uint8_t {
  Fused,    ///< the exact product: one rounding per step, as a fused multiply-add
  Rounded,  ///< the product rounded to the sum's format, to nearest even: two roundings per step
};

/// Where the running sum of ChunkSum::TensorCore meets a group.
enum class RunningSum : std::uint8_t {
  Aligned,  ///< it is one more term of the group: aligned, shifted and summed with the products
  After,    ///< the sum of the products is rounded to group_sum, then added to it
};

/// How the sums of chunks are added; every sum of a chunk is first rounded to chunk_format.
enum class ChunkOrder : std::uint8_t {
  Ascending,  ///< o <- round(o + s_j), from o = +0
  Pairwise,   ///< n sums: the first 2^d < n of them, d the largest, plus the others, each part summed the same way
};

/// AccumulatorSpec::alignment_bits where nothing is shifted out.
inline constexpr int kExactAlignment = -1;
/// AccumulatorSpec::emin_a and emin_b where every operand has its own exponent.
inline constexpr int kNoMinimumExponent = -149;

/// An accumulator model: everything that decides the bits of a dot product.
///
/// ChunkSum::TensorCore takes `group` consecutive elements at a time, with c the running sum, +0 at first:
///   e_k = max(floor(log2 |a_k|), emin_a) + max(floor(log2 |b_k|), emin_b), the exponents of the operands added. The
///         product a_k b_k has its leading bit at e_k or e_k + 1: it is not normalised before it is shifted.
///   E   = the largest e_k of a product that is not zero and, where c is Aligned and not zero, of
///         max(floor(log2 |c|), emin of `between`).
///   t_k = a_k b_k rounded by `alignment` to a multiple of 2^(E - alignment_bits); c likewise where it is Aligned.
///   c  <- Aligned: the exact sum of c and all t_k, rounded to `between`.
///         After: the exact sum of all t_k, rounded to nearest even to group_sum, plus c, rounded to `between`.
/// A group's result depends on no order within the group. Missing elements of the last group count as zeros.
///
/// Zeros: an exact zero is +0; a negative sum that rounds to zero gives -0. NaN or infinity among products or c: IEEE
/// addition, so NaN where NaN or both infinities are present. Every NaN of C is the same quiet NaN. K = 0 gives +0.
struct AccumulatorSpec {
  ChunkSum chunk_sum = ChunkSum::Sequential;

  // Sequential
  FormatSpec sum = kBinary32;  ///< of s; to nearest even
  ProductRounding product = ProductRounding::Rounded;

  // TensorCore
  int group = 16;           ///< products that are summed at once, 1-1024
  int alignment_bits = 25;  ///< bits kept below 2^E, 0-36, or kExactAlignment
  RoundingMode alignment = RoundingMode::TowardZero;
  RunningSum running = RunningSum::Aligned;
  FormatSpec group_sum = kBinary32;  ///< of the sum of a group under RunningSum::After; to nearest even
  FormatSpec between = kBinary32;    ///< of c
  RoundingMode between_rounding = RoundingMode::TowardZero;
  int emin_a = kNoMinimumExponent;  ///< least exponent of the format of A's elements: subnormal numbers have it too
  int emin_b = kNoMinimumExponent;  ///< the same of B

  // All
  int chunk = 0;  ///< elements of K per chunk; 0: all, and nothing is added afterwards
  ChunkOrder chunk_order = ChunkOrder::Ascending;
  FormatSpec chunk_format = kBinary32;  ///< of the sums of chunks; to nearest even
  FormatSpec result = kBinary32;        ///< of C; to nearest even
  std::optional<int> grid_bits;         ///< at last, C is rounded to nearest even to a multiple of 2^-grid_bits

  /// Whether every number is in its range and every format has a sign, a zero and only values of binary32.
  bool is_valid() const;
  friend bool operator==(const AccumulatorSpec&, const AccumulatorSpec&) = default;
};

/// A row of the table of models.
struct AccumulatorEntry {
  std::string_view name;
  AccumulatorSpec spec;
  std::string_view source;  ///< where the model is stated or was measured
};

/// All named models.
std::span<const AccumulatorEntry> accumulator_catalog();

/// How models without a row are written, for people to read.
inline constexpr std::string_view kAccumulatorPattern =
    "BASE[:OPTION=VALUE,...], BASE a name of the table, 'sequential' or 'tensor_core'";

/// The model that `name` means: a name of the table, or kAccumulatorPattern. 'sequential' and 'tensor_core' have the
/// defaults of AccumulatorSpec. Options, each the field of AccumulatorSpec of that name unless said:
///   chunk, chunk_order=ascending|pairwise, chunk_format, result, grid (grid_bits; 'none')
///   of sequential: sum, product=fused|rounded
///   of tensor_core: group, bits (alignment_bits; 'exact'), align (alignment, a rounding), running=aligned|after,
///   group_sum, between, between_round (between_rounding), emin_a, emin_b ('none')
/// Formats are spelled as parse_format has them; a word without '=' belongs to the value before it
/// ("sum=e6m9,ieee,chunk=64"). Roundings: kRoundingModeNames, none that is stochastic.
/// InputError without a place when there is no such model.
AccumulatorSpec parse_accumulator(std::string_view name);

/// The name that parse_accumulator turns into `spec`: the table's, else the base and the options that differ from it.
std::string accumulator_name(const AccumulatorSpec& spec);

}  // namespace bitlaw
