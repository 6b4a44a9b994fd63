#include "experiments/sweep/block_yaml.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/block/block_statistic.h"
#include "core/format/catalog.h"
#include "core/format/element.h"

namespace bitlaw {
namespace {

constexpr std::array<std::string_view, 15> kKeys{
    "rule",  "tensor_target", "statistic", "parameter",     "scale_round", "scale_ties", "least_scale",        "order",
    "store", "scaling",       "search",    "search_window", "zero_scale",  "non_finite", "double_quantization"};

/// What the parameter of `rms` is before the element format is known.
constexpr double kGaussian = 0;

/// The roundings that are not stochastic: scales take no random bits.
constexpr auto kScaleRoundings = [] {
  std::array<EnumName<RoundingMode>, 7> names{};
  std::copy_n(kRoundingModeNames.begin(), names.size(), names.begin());
  return names;
}();
static_assert(!is_stochastic(kScaleRoundings.back().value) && is_stochastic(kRoundingModeNames[7].value));

/// "int8" or "int8/256": the format and the number of scales per step.
DoubleQuantization double_quantization_in(const YamlNode& field) {
  const std::string text = text_in(field, field.key);
  const std::size_t slash = text.find('/');
  DoubleQuantization result;
  result.format = at_place(field.place, [&] { return parse_format(text.substr(0, slash)); });
  if (!result.format.is_signed || !result.format.has_zero) {
    throw InputError(field.place, fmt::format("double_quantization '{}' has no {}, so it cannot hold distances from a "
                                              "mean; use a signed format, e.g. int8",
                                              text, result.format.is_signed ? "zero" : "sign"));
  }
  if (slash != std::string::npos) {
    YamlNode size = field;
    size.text = text.substr(slash + 1);
    result.size = static_cast<int>(integer_in(size, field.key, 1, 1 << 20));
  }
  return result;
}

[[noreturn]] void refuse(const SourceLocation& place, std::string_view subject, std::string_view message) {
  throw InputError(place, fmt::format("{} {}", subject, message));
}

}  // namespace

std::span<const std::string_view> block_keys() { return kKeys; }

void apply_block_shape(BlockSpec& block, const YamlNode& field) {
  const std::string text = text_in(field, field.key);
  const std::size_t times = text.find('x');
  double number = 0;
  if (times != std::string::npos && text.substr(0, times) == text.substr(times + 1)) {
    YamlNode side = field;
    side.text = text.substr(0, times);
    block.size = static_cast<int>(integer_in(side, field.key, 1, 1 << 20));
    block.shape = BlockShape::Square;
  } else if (parses_as_number(text, number)) {
    block.size = static_cast<int>(integer_in(field, field.key, 1, 1 << 20));
    block.shape = BlockShape::AlongK;
  } else {
    constexpr std::array kShapes{EnumName<BlockShape>{"channel", BlockShape::Channel},
                                 EnumName<BlockShape>{"across", BlockShape::AcrossK},
                                 EnumName<BlockShape>{"tensor", BlockShape::Tensor}};
    block.shape = choice_in(field, field.key, kShapes);
  }
}

void apply_block_field(BlockSpec& block, const YamlNode& field) {
  if (field.key == "rule") block.rule = choice_in(field, field.key, kScaleRuleNames);
  if (field.key == "tensor_target") block.tensor_target = number_in(field, field.key, 1e-30, 1e30);
  if (field.key == "statistic") {
    block.statistic = choice_in(field, field.key, kBlockStatisticNames);
    block.parameter = block.statistic == BlockStatistic::Rms ? kGaussian : 1;
  }
  if (field.key == "parameter") block.parameter = number_in(field, field.key, 1e-30, 1e30);
  if (field.key == "scale_round") block.scale_rounding.mode = choice_in(field, field.key, kScaleRoundings);
  if (field.key == "scale_ties") block.scale_rounding.power_ties = choice_in(field, field.key, kPowerTiesNames);
  if (field.key == "least_scale") block.least_scale = number_in(field, field.key, 0, 1e30);
  if (field.key == "order") block.order = choice_in(field, field.key, kTensorOrderNames);
  if (field.key == "store") block.store = choice_in(field, field.key, kTensorStoreNames);
  if (field.key == "scaling") block.scaling = choice_in(field, field.key, kElementScalingNames);
  if (field.key == "search") block.search = choice_in(field, field.key, kScaleSearchNames);
  if (field.key == "search_window") block.search_window = static_cast<int>(integer_in(field, field.key, 1, 1 << 15));
  if (field.key == "zero_scale") block.zero_scale = choice_in(field, field.key, kZeroScaleNames);
  if (field.key == "non_finite") block.non_finite = choice_in(field, field.key, kNonFiniteNames);
  if (field.key == "double_quantization") block.double_quantization = double_quantization_in(field);
}

void complete_block(BlockSpec& block, const SourceLocation& place, std::string_view subject) {
  const bool is_sized = block.shape == BlockShape::AlongK || block.shape == BlockShape::Square;
  if (!is_sized) block.size = BlockSpec{}.size;  // one spelling for an unused number
  if (block.search != ScaleSearch::Mse) block.search_window = BlockSpec{}.search_window;
  if (block.search == ScaleSearch::Mse && !block.scale) {
    refuse(place, subject,
           "searches scales of float32, of which there are too many; name a scale format, or delete search");
  }
  if (block.double_quantization && block.scale) {
    refuse(place, subject, "has double_quantization of scales that have a format already; write scale: float32");
  }
  if (block.rule == ScaleRule::Even && block.codebook) {
    refuse(place, subject, "has the rule even, but values of a list have no significand; use another rule");
  }
  if (block.statistic == BlockStatistic::Percentile && block.parameter > 100) {
    refuse(place, subject, "has a percentile above 100; write a parameter of 0 to 100");
  }
  if (block.statistic == BlockStatistic::Amax) block.parameter = 1;
  if (block.parameter != kGaussian) return;
  if (block.element_bits() > 16) {
    refuse(place, subject,
           "clips at a multiple of the root mean square, which is computed for formats of at most 16 bits; "
           "write it as parameter");
  }
  block.parameter = gaussian_clip(block);
}

std::string block_shape_text(const BlockSpec& block) {
  if (block.shape == BlockShape::AlongK) return std::to_string(block.size);
  if (block.shape == BlockShape::Square) return fmt::format("{}x{}", block.size, block.size);
  return std::string(name_of(block.shape, kBlockShapeNames));
}

std::string block_choices_text(const BlockSpec& block) {
  const BlockSpec defaults;
  std::string text = fmt::format(" rule={}", name_of(block.rule, kScaleRuleNames));
  if (block.tensor_target) text += fmt::format(" tensor_target={}", *block.tensor_target);
  const auto add = [&](std::string_view key, auto value, auto usual, auto word) {
    if (value != usual) text += fmt::format(" {}={}", key, word);
  };
  const auto add_word = [&](std::string_view key, auto value, auto usual, const auto& names) {
    add(key, value, usual, name_of(value, names));
  };
  add_word("statistic", block.statistic, defaults.statistic, kBlockStatisticNames);
  add("parameter", block.parameter, defaults.parameter, block.parameter);
  add_word("scale_round", block.scale_rounding.mode, defaults.scale_rounding.mode, kRoundingModeNames);
  add_word("scale_ties", block.scale_rounding.power_ties, defaults.scale_rounding.power_ties, kPowerTiesNames);
  add("least_scale", block.least_scale, defaults.least_scale, block.least_scale);
  add_word("order", block.order, defaults.order, kTensorOrderNames);
  add_word("store", block.store, defaults.store, kTensorStoreNames);
  add_word("scaling", block.scaling, defaults.scaling, kElementScalingNames);
  add_word("search", block.search, defaults.search, kScaleSearchNames);
  add("search_window", block.search_window, defaults.search_window, block.search_window);
  add_word("zero_scale", block.zero_scale, defaults.zero_scale, kZeroScaleNames);
  add_word("non_finite", block.non_finite, defaults.non_finite, kNonFiniteNames);
  if (block.double_quantization) {
    text += fmt::format(" double_quantization={}/{}", format_name(block.double_quantization->format),
                        block.double_quantization->size);
  }
  return text;
}

std::string block_text(const BlockSpec& block) {
  return fmt::format(
      "{} block={} scale={}{}", block.codebook ? codebook_name(*block.codebook) : format_name(block.element),
      block_shape_text(block), block.scale ? format_name(*block.scale) : "float32", block_choices_text(block));
}

}  // namespace bitlaw
