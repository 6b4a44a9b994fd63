#include "experiments/cli/block_facts.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "core/block/block_storage.h"
#include "core/format/catalog.h"
#include "experiments/cli/format_facts.h"
#include "experiments/report/table.h"
#include "experiments/sweep/block_yaml.h"

namespace bitlaw {
namespace {

/// What an enumerator means, in a line. a: what stands for the size of a block; X: its scale; max and emax: the largest
/// element and its exponent; the rest as in block_spec.h.
template <typename Enum>
struct Meaning {
  Enum value;
  std::string_view text;
};

constexpr std::array kShapeMeanings{
    Meaning<BlockShape>{BlockShape::AlongK, "elements in a row along the axis that products sum over"},
    Meaning<BlockShape>{BlockShape::Square, "squares: the transposed array has the same scales"},
    Meaning<BlockShape>{BlockShape::Channel, "one scale for the whole axis that products sum over"},
    Meaning<BlockShape>{BlockShape::AcrossK, "one scale for each index of the axis that products sum over"},
    Meaning<BlockShape>{BlockShape::Tensor, "one scale for the whole array"}};
constexpr std::array kStatisticMeanings{
    Meaning<BlockStatistic>{BlockStatistic::Amax, "a is the largest magnitude of the block"},
    Meaning<BlockStatistic>{BlockStatistic::Rms, "a is the parameter times the root mean square of the block"},
    Meaning<BlockStatistic>{BlockStatistic::Percentile, "a is a percentile of the magnitudes of the block"},
    Meaning<BlockStatistic>{BlockStatistic::ClipRatio, "a is the parameter times the largest magnitude of the block"},
    Meaning<BlockStatistic>{BlockStatistic::Step, "the scale is the parameter itself"}};
constexpr std::array kRuleMeanings{
    Meaning<ScaleRule>{ScaleRule::OcpFloor, "X = 2^(floor(log2 a) - emax); the largest element may be clipped"},
    Meaning<ScaleRule>{ScaleRule::Ceil, "X = 2^(ceil(log2 a) - emax)"},
    Meaning<ScaleRule>{ScaleRule::Even, "X = 2^(floor(log2 a) - emax) with a rounded to the element's digits"},
    Meaning<ScaleRule>{ScaleRule::RoundUp, "X is the least power of two that clips nothing"},
    Meaning<ScaleRule>{ScaleRule::Divide, "X = a / max: the largest magnitude becomes the largest element"},
    Meaning<ScaleRule>{ScaleRule::Reciprocal, "X = a (1 / max): as a / max, rounded twice"},
    Meaning<ScaleRule>{ScaleRule::Projection, "X is a itself, so elements lie in [-1, 1]"}};
constexpr std::array kOrderMeanings{
    Meaning<TensorOrder>{TensorOrder::ScaleLast, "S = T / g, then X = (a / max) S; g: the largest magnitude of all"},
    Meaning<TensorOrder>{TensorOrder::Folded, "S = T / g, then X = a (S / max); g: the largest magnitude of all"},
    Meaning<TensorOrder>{TensorOrder::Divisor, "t = g / T, then X = (a / max) / t; g: the largest magnitude of all"},
    Meaning<TensorOrder>{TensorOrder::TargetFirst, "X = (a (T / max)) / g; g: the largest magnitude of all"}};
constexpr std::array kStoreMeanings{
    Meaning<TensorStore>{TensorStore::Multiplier, "D = 1 / S is stored; a value is its element times (X D)"},
    Meaning<TensorStore>{TensorStore::Divisor, "S is stored; a value is its element times (X / S)"},
    Meaning<TensorStore>{TensorStore::Amax, "g is stored; a value is its element times ((X g) (1 / T))"}};
constexpr std::array kScalingMeanings{
    Meaning<ElementScaling>{ElementScaling::Ratio, "elements are rounded from x times (S / X)"},
    Meaning<ElementScaling>{ElementScaling::Reciprocal, "elements are rounded from x times (1 / (X D))"},
    Meaning<ElementScaling>{ElementScaling::Divide, "elements are rounded from x / (X D), itself rounded to float32"},
    Meaning<ElementScaling>{ElementScaling::DivideExact, "elements are rounded from x / (X D), rounded once"}};
constexpr std::array kSearchMeanings{
    Meaning<ScaleSearch>{ScaleSearch::None, "the scale of the rule is taken"},
    Meaning<ScaleSearch>{ScaleSearch::Mse, "of scales around that of the rule, the one with the least square error"},
    Meaning<ScaleSearch>{ScaleSearch::FourOverSixMae, "of X and 1.5 X, the one with the least absolute error"},
    Meaning<ScaleSearch>{ScaleSearch::FourOverSixMse, "of X and 1.5 X, the one with the least square error"}};
constexpr std::array kZeroMeanings{
    Meaning<ZeroScale>{ZeroScale::Keep, "blocks of zeros have the scale that the rule gives"},
    Meaning<ZeroScale>{ZeroScale::Least, "blocks of zeros have the least positive scale"},
    Meaning<ZeroScale>{ZeroScale::One, "blocks of zeros have the scale 1"}};
constexpr std::array kNonFiniteMeanings{
    Meaning<NonFinite>{NonFinite::BlockNan, "a NaN or an infinity makes all of its block NaN"},
    Meaning<NonFinite>{NonFinite::Ignore,
                       "scales leave NaN and infinities aside; infinities become the largest value"}};

template <typename Meanings, typename Enum>
std::string meaning_of(const Meanings& meanings, Enum value) {
  for (const auto& row : meanings) {
    if (row.value == value) return std::string(row.text);
  }
  return "";
}

struct Choice {
  std::string key, word, meaning;
};

/// The choices that decide the preset's bits, in the order of the canonical text.
std::vector<Choice> choices_of(const BlockSpec& spec) {
  std::vector<Choice> choices;
  const auto add = [&](std::string key, auto value, const auto& names, const auto& meanings) {
    choices.push_back({std::move(key), std::string(name_of(value, names)), meaning_of(meanings, value)});
  };
  choices.push_back({"block", block_shape_text(spec), meaning_of(kShapeMeanings, spec.shape)});
  add("statistic", spec.statistic, kBlockStatisticNames, kStatisticMeanings);
  add("rule", spec.rule, kScaleRuleNames, kRuleMeanings);
  if (spec.scale && !spec.is_power_of_two_rule()) {
    choices.push_back({"scale_round", std::string(name_of(spec.scale_rounding.mode, kRoundingModeNames)),
                       "how X becomes a value of " + format_name(*spec.scale) + "; it saturates there"});
  }
  if (spec.least_scale > 0) {
    choices.push_back({"least_scale", fmt::format("{}", spec.least_scale), "smaller X are raised to this"});
  }
  if (spec.tensor_target) {
    choices.push_back({"tensor_target", fmt::format("{}", *spec.tensor_target),
                       "T, what the largest magnitude of all becomes before blocks are scaled"});
    add("order", spec.order, kTensorOrderNames, kOrderMeanings);
    add("store", spec.store, kTensorStoreNames, kStoreMeanings);
  }
  add("scaling", spec.scaling, kElementScalingNames, kScalingMeanings);
  add("search", spec.search, kScaleSearchNames, kSearchMeanings);
  add("zero_scale", spec.zero_scale, kZeroScaleNames, kZeroMeanings);
  add("non_finite", spec.non_finite, kNonFiniteNames, kNonFiniteMeanings);
  return choices;
}

Element element_of(const BlockSpec& spec) { return spec.codebook ? Element(*spec.codebook) : Element(spec.element); }
FormatSpec scale_of(const BlockSpec& spec) { return spec.scale.value_or(kBinary32); }

/// Elements that share a scale; nothing where the shape of the array decides.
std::optional<int> block_elements(const BlockSpec& spec) {
  if (spec.shape == BlockShape::AlongK) return spec.size;
  if (spec.shape == BlockShape::Square) return spec.size * spec.size;
  return std::nullopt;
}

std::string bits_text(const BlockSpec& spec) {
  const int scale_bits = 8 * scale_bytes(spec);
  std::string text;
  if (const auto elements = block_elements(spec)) {
    const double all = spec.element_bits() + static_cast<double>(scale_bits) / *elements;
    text = fmt::format("{:.6g} = {} + {} / {}", all, spec.element_bits(), scale_bits, *elements);
  } else {
    text = fmt::format("{}, and {} for each scale", spec.element_bits(), scale_bits);
  }
  return spec.tensor_target ? text + ", and 32 for the tensor scale" : text;
}

std::string element_text(const Element& element) {
  const FormatTexts texts = format_texts(element, kFactDigits);
  return fmt::format("{}, {} bits, {} to {} ('bitlaw formats show {}')", element_name(element), texts.bits, texts.least,
                     texts.max, element_name(element));
}

std::string scale_text(const BlockSpec& spec) {
  const FormatTexts texts = format_texts(scale_of(spec), kFactDigits);
  const std::string name = spec.scale ? format_name(*spec.scale) : "float32";
  const std::string& least = texts.min_subnormal == "-" ? texts.min_normal : texts.min_subnormal;
  return fmt::format("{}, {} bits, {} to {}", name, texts.bits, least, texts.max);
}

/// The largest element times the largest scale.
double largest_value(const BlockSpec& spec) { return spec.element_max() * scale_of(spec).max_finite(); }

std::string largest_text(const BlockSpec& spec) {
  const double largest = largest_value(spec);
  return fmt::format("{:.6g} = {:.6g} x {:.6g}{}{}", largest, spec.element_max(), scale_of(spec).max_finite(),
                     largest > kBinary32.max_finite() ? ", beyond float32, in which values are computed" : "",
                     spec.tensor_target ? ", times the tensor scale" : "");
}

}  // namespace

std::string block_facts_text(const BlockPreset& preset) {
  const BlockSpec& spec = preset.spec;
  const std::vector<std::pair<std::string, std::string>> facts{
      {"source", std::string(preset.document)},
      {"elements", element_text(element_of(spec))},
      {"scales", scale_text(spec)},
      {"tensor scale", spec.tensor_target ? "float32, one for the array" : "none"},
      {"bits each", bits_text(spec)},
      {"largest value", largest_text(spec)}};
  std::string text = fmt::format("{}\n", preset.name);
  for (const auto& [label, value] : facts) text += fmt::format("  {:<13}  {}\n", label, value);
  text += "\nChoices, by their keys in YAML; a: the size of a block, X: its scale, S: 1 without a tensor scale\n";
  for (const Choice& choice : choices_of(spec)) {
    text += fmt::format("  {:<13}  {:<14}  {}\n", choice.key, choice.word, choice.meaning);
  }
  return text;
}

std::string block_facts_json(const BlockPreset& preset) {
  using nlohmann::json;
  const BlockSpec& spec = preset.spec;
  const auto elements = block_elements(spec);
  json choices = json::object();
  for (const Choice& choice : choices_of(spec)) choices[choice.key] = choice.word;
  const auto facts = [](const Element& element) { return facts_json(named_format(element_name(element))); };
  return json({{"name", preset.name},
               {"source", preset.document},
               {"element", facts(element_of(spec))},
               {"scale", spec.scale ? facts(*spec.scale) : facts(kBinary32)},
               {"tensor_scale", spec.tensor_target.has_value()},
               {"block_elements", elements ? json(*elements) : json()},
               {"element_bits", spec.element_bits()},
               {"scale_bits", 8 * scale_bytes(spec)},
               {"largest_value", largest_value(spec)},
               {"canonical", block_text(spec)},
               {"choices", choices}})
      .dump();
}

}  // namespace bitlaw
