#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <optional>

#include "core/format/codebook.h"
#include "core/format/format_spec.h"
#include "core/format/rounding.h"

namespace bitlaw {

/// Which elements of an operand share one scale. K is the axis that the matrix product sums over. Blocks at the ends of
/// rows and columns may be shorter.
enum class BlockShape : std::uint8_t {
  AlongK,   ///< 1 x k consecutive elements along K
  Square,   ///< k x k: the transposed operand has the same scales
  Channel,  ///< the whole extent of K: one scale per row of x, per output row of W
  AcrossK,  ///< the whole extent of the other axis: one scale per index of K
  Tensor,   ///< one scale for the operand
};

/// The number a that stands for the size of a block. p is BlockSpec::parameter.
enum class BlockStatistic : std::uint8_t {
  Amax,        ///< the largest magnitude
  Rms,         ///< p sqrt(mean v^2); p = gaussian_clip() for normal elements (QuEST, arXiv:2502.05003; Quartet §4)
  Percentile,  ///< the magnitude of rank ceil(p n / 100) among the n of the block, 0 < p <= 100
  ClipRatio,   ///< p times the largest magnitude: a learned clip (LWC of OmniQuant, arXiv:2308.13137)
  Step,        ///< p max: the scale is p itself, a learned step (LSQ, arXiv:1902.08153)
};

/// How the scale X follows from a. max and emax are the element format's largest value and its exponent; exponents come
/// from the bits of float32, never from a logarithm. block_scale.h says the order of operations.
enum class ScaleRule : std::uint8_t {
  OcpFloor,    ///< X = 2^(floor(log2 a) - emax) (OCP MX v1.0 §6.3; torchao FLOOR); clips when a > X max
  Ceil,        ///< X = 2^(ceil(log2 a) - emax) (torchao CEIL)
  Even,        ///< OcpFloor of a with half a unit of the element's significand added to its bits (torchao EVEN)
  RoundUp,     ///< the least power of two X with a <= X max, exactly; never clips
  Divide,      ///< X = a / max in float32, then `scale_rounding` to the scale format
  Reciprocal,  ///< X = a (1 / max) in float32, then `scale_rounding` to the scale format
  Projection,  ///< X = a rounded to the scale format, elements lie in [-1, 1] (IEEE P3109 v4.0 §5.2.3)
};

/// How the second-level scale enters: T = tensor_target, g = the operand's largest magnitude, a / max or a (1 / max) as
/// ScaleRule says. All steps in float32.
enum class TensorOrder : std::uint8_t {
  ScaleLast,   ///< S = T / g;  X = (a / max) S  (NVIDIA, arXiv:2509.25149)
  Folded,      ///< S = T / g;  X = a (S / max)  (TransformerEngine)
  Divisor,     ///< t = g / T, S = 1 / t;  X = (a / max) / t  (torchao)
  TargetFirst  ///< S = T / g;  X = (a (T / max)) / g  (arXiv:2609.02846, G = S)
};

/// Which form of the second-level scale is stored, and so how a block decodes.
enum class TensorStore : std::uint8_t {
  Multiplier,  ///< D = 1 / S (Divisor order: t);  decode = X D
  Divisor,     ///< S;  decode = X / S
  Amax         ///< g;  decode = (X g) (1 / T) (TransformerEngine)
};

/// What is rounded to the element format. decode is the block's, of TensorStore.
enum class ElementScaling : std::uint8_t {
  Ratio,       ///< x min(S / X, largest float32)
  Reciprocal,  ///< x min(1 / (X D), largest float32)
  Divide,      ///< x / decode in float32
  DivideExact  ///< x / decode, not rounded before (IEEE P3109 v4.0 §5.2.2)
};

/// Scales that compete. Candidates are judged with elements rounded to nearest, ties to even.
enum class ScaleSearch : std::uint8_t {
  None,
  Mse,  ///< up to `search_window` values of the scale format to each side of the rule's; least sum of squares
  FourOverSixMae,  ///< the rule's X and that of 1.5 X before rounding: the block's a becomes max or max / 1.5; least
                   ///< sum of magnitudes (arXiv:2512.02010; TransformerEngine)
  FourOverSixMse   ///< the same; least sum of squares
};

/// The scale of a block of zeros, and where X rounds to zero. Its values are zeros or round to zero whichever it is.
enum class ZeroScale : std::uint8_t {
  Keep,   ///< what the rule gives: 2^-127 for powers of two, else zero where the scale format has one
  Least,  ///< the least positive scale
  One     ///< 1 (arXiv:2609.02846)
};

/// A NaN or an infinity in a block.
enum class NonFinite : std::uint8_t {
  BlockNan,  ///< the scale is NaN, and so are all elements (OCP MX v1.0 §5.1); with a second level the whole operand
  Ignore     ///< scales follow from the finite elements; NaN stays, infinity becomes the block's largest value (P3109)
};

/// Scales, themselves rounded in groups around their mean (QLoRA, arXiv:2305.14314 §3). Elements are scaled by the
/// unrounded scale and decode with the rounded one.
struct DoubleQuantization {
  FormatSpec format;  ///< of (X - mean) / step, step = max |X - mean| / format.max_finite()
  int size = 256;     ///< scales per step, in the order of blocks

  friend bool operator==(const DoubleQuantization&, const DoubleQuantization&) = default;
};

/// How an operand of a matrix product is stored in few bits. Every field is a choice of its own.
struct BlockSpec {
  FormatSpec element;
  BlockShape shape = BlockShape::AlongK;
  int size = 32;                                   ///< k of AlongK and Square
  std::optional<FormatSpec> scale = std::nullopt;  ///< format of the scales; unset: float32
  ScaleRule rule = ScaleRule::Divide;
  /// Second-level float32 scale for the whole operand: T, what its largest magnitude becomes before block scales are
  /// rounded. NVFP4: 448 * 6 = 2688. Unset: none.
  std::optional<double> tensor_target = std::nullopt;
  /// Elements that are values of a list, in place of `element`, which then means nothing. Its largest magnitude is the
  /// max, and the exponent of that is the emax of ScaleRule.
  std::optional<Codebook> codebook = std::nullopt;
  BlockStatistic statistic = BlockStatistic::Amax;
  double parameter = 1;  ///< p of BlockStatistic
  /// How X becomes a value of the scale format; not stochastic. It saturates. With E8M0, Divide and toward_positive are
  /// NVIDIA's RCEIL, Reciprocal and toward_positive torchao's, toward_zero Quartet's.
  Rounding scale_rounding = {};
  double least_scale = 0;  ///< X is raised to this before it is rounded; the scale's least normal: no subnormal scales
  TensorOrder order = TensorOrder::ScaleLast;
  TensorStore store = TensorStore::Multiplier;
  ElementScaling scaling = ElementScaling::Ratio;
  ScaleSearch search = ScaleSearch::None;
  int search_window = 4;
  ZeroScale zero_scale = ZeroScale::Keep;
  NonFinite non_finite = NonFinite::BlockNan;
  std::optional<DoubleQuantization> double_quantization = std::nullopt;  ///< only with float32 scales

  /// max and emax of ScaleRule.
  double element_max() const {
    return codebook ? static_cast<double>(codebook->max_magnitude()) : element.max_finite();
  }
  int element_emax() const { return codebook ? std::ilogb(codebook->max_magnitude()) : element.emax(); }
  int element_bits() const { return codebook ? codebook->total_bits() : element.total_bits(); }
  bool is_power_of_two_rule() const { return rule <= ScaleRule::RoundUp; }

  friend bool operator==(const BlockSpec&, const BlockSpec&) = default;
};

// How people write the choices, on the command line and in YAML.
inline constexpr std::array<EnumName<BlockShape>, 4> kBlockShapeNames{{{"square", BlockShape::Square},
                                                                       {"channel", BlockShape::Channel},
                                                                       {"across", BlockShape::AcrossK},
                                                                       {"tensor", BlockShape::Tensor}}};
inline constexpr std::array<EnumName<BlockStatistic>, 5> kBlockStatisticNames{
    {{"amax", BlockStatistic::Amax},
     {"rms", BlockStatistic::Rms},
     {"percentile", BlockStatistic::Percentile},
     {"clip_ratio", BlockStatistic::ClipRatio},
     {"step", BlockStatistic::Step}}};
/// "nearest" is Divide too: the usual rounding of scales gave it that name.
inline constexpr std::array<EnumName<ScaleRule>, 8> kScaleRuleNames{{{"nearest", ScaleRule::Divide},
                                                                     {"divide", ScaleRule::Divide},
                                                                     {"reciprocal", ScaleRule::Reciprocal},
                                                                     {"ocp_floor", ScaleRule::OcpFloor},
                                                                     {"ceil", ScaleRule::Ceil},
                                                                     {"even", ScaleRule::Even},
                                                                     {"round_up", ScaleRule::RoundUp},
                                                                     {"projection", ScaleRule::Projection}}};
inline constexpr std::array<EnumName<TensorOrder>, 4> kTensorOrderNames{{{"scale_last", TensorOrder::ScaleLast},
                                                                         {"folded", TensorOrder::Folded},
                                                                         {"divisor", TensorOrder::Divisor},
                                                                         {"target_first", TensorOrder::TargetFirst}}};
inline constexpr std::array<EnumName<TensorStore>, 3> kTensorStoreNames{
    {{"multiplier", TensorStore::Multiplier}, {"divisor", TensorStore::Divisor}, {"amax", TensorStore::Amax}}};
inline constexpr std::array<EnumName<ElementScaling>, 4> kElementScalingNames{
    {{"ratio", ElementScaling::Ratio},
     {"reciprocal", ElementScaling::Reciprocal},
     {"divide", ElementScaling::Divide},
     {"divide_exact", ElementScaling::DivideExact}}};
inline constexpr std::array<EnumName<ScaleSearch>, 4> kScaleSearchNames{
    {{"none", ScaleSearch::None},
     {"mse", ScaleSearch::Mse},
     {"four_over_six_mae", ScaleSearch::FourOverSixMae},
     {"four_over_six_mse", ScaleSearch::FourOverSixMse}}};
inline constexpr std::array<EnumName<ZeroScale>, 3> kZeroScaleNames{
    {{"keep", ZeroScale::Keep}, {"least", ZeroScale::Least}, {"one", ZeroScale::One}}};
inline constexpr std::array<EnumName<NonFinite>, 2> kNonFiniteNames{
    {{"block_nan", NonFinite::BlockNan}, {"ignore", NonFinite::Ignore}}};

}  // namespace bitlaw
