#include "experiments/sweep/slot_yaml.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>

#include "core/base/closest.h"
#include "core/block/block_presets.h"
#include "core/format/catalog.h"
#include "core/format/element.h"
#include "experiments/sweep/block_yaml.h"

namespace bitlaw {
namespace {

constexpr std::array kYesNo{EnumName<bool>{"true", true}, EnumName<bool>{"false", false}};
constexpr std::array kGuideNames{EnumName<bool>{"none", false}, EnumName<bool>{"mean", true}};

/// bfloat16 has float32's exponent range, so a power of two per tensor changes no rounding.
BlockSpec bf16_block() {
  return {.element = kBfloat16,
          .shape = BlockShape::Tensor,
          .scale = kE8M0,
          .rule = ScaleRule::RoundUp,
          .tensor_target = {}};
}

/// A number format that float32 holds, by name. Messages about "format" offer codebooks too.
FormatSpec format_in(const YamlNode& node) {
  const std::string text = text_in(node, node.key);
  const FormatSpec format = at_place(node.place, [&] {
    return node.key == "format" ? std::get<FormatSpec>(parse_element(text)) : parse_format(text);
  });
  if (format.exponent_bits > 8 || format.mantissa_bits > 23) {
    throw InputError(node.place, fmt::format("{} '{}' is wider than float32, in which training computes; use at most 8 "
                                             "exponent and 23 mantissa bits, or float32",
                                             node.key, text));
  }
  return format;
}

/// One that holds operands.
FormatSpec operand_format_in(const YamlNode& node) {
  const FormatSpec format = format_in(node);
  if (!format.is_signed || !format.has_zero) {
    throw InputError(node.place, fmt::format("{} '{}' has no {}, so it cannot hold weights, activations or "
                                             "gradients; use a signed format with a zero",
                                             node.key, node.text, format.is_signed ? "zero" : "sign"));
  }
  return format;
}

/// "float32" stands for no rounding.
std::optional<FormatSpec> unless_float32(const YamlNode& node, FormatSpec (&in)(const YamlNode&)) {
  if (node.text == "float32") return std::nullopt;
  return in(node);
}

/// The codebook that "format" gives by name or as a list of its values, or nothing where it is another format's name.
std::optional<Codebook> codebook_in(const YamlNode& node) {
  std::vector<float> values;
  for (const YamlNode& value : node.children) {
    const std::string text = text_in(value, "a value of format");
    values.push_back(at_place(value.place, [&] { return parse_codebook_value(text); }));
  }
  const auto book = at_place(node.place, [&] {
    return node.kind == YamlNode::Kind::List ? std::optional(Codebook(values)) : parse_codebook(node.text);
  });
  if (book && (book->lowest() >= 0 || book->max() <= 0)) {
    throw InputError(node.place, fmt::format("format '{}' has values of one sign only, so it cannot hold weights, "
                                             "activations or gradients; use a codebook with both signs",
                                             codebook_name(*book)));
  }
  return book;
}

int rotation_in(const YamlNode& node) {
  const std::int64_t size = integer_in(node, "rotate", 0, 1 << 16);
  if (size != 0 && (size < 2 || !std::has_single_bit(static_cast<std::uint64_t>(size)))) {
    throw InputError(node.place, fmt::format("rotate is {}, not a power of two, so there is no Hadamard matrix of that "
                                             "size; write 16, 32, 64, ... or 0 for none",
                                             size));
  }
  return static_cast<int>(size);
}

}  // namespace

std::optional<SlotSpec> slot_preset(std::string_view name) {
  if (name == "float32") return SlotSpec{};
  if (name == "bf16") return SlotSpec{.block = bf16_block()};
  const auto block = block_preset(name == "fp8" ? "fp8_tensor" : name);
  if (!block) return std::nullopt;
  return SlotSpec{.block = block};
}

std::vector<std::string> slot_preset_names() {
  std::vector<std::string> names{"float32", "bf16", "fp8"};
  for (const auto& name : block_preset_names()) names.emplace_back(name);
  return names;
}

void SlotDraft::apply_preset(const YamlNode& name) {
  const std::string text = text_in(name, "preset");
  const auto preset = slot_preset(text);
  if (!preset) {
    throw InputError(name.place, fmt::format("unknown preset '{}', so nothing says how to round; {}", shortened(text),
                                             remedy(text, slot_preset_names())));
  }
  quantized_ = preset->block.has_value();
  float32_ = !quantized_;
  block_ = preset->block.value_or(BlockSpec{});
  has_block_ = quantized_;
  format_place_ = name.place;
}

bool SlotDraft::apply_rotation(const YamlNode& field) {
  if (field.key == "rotate") {
    rotate_ = rotation_in(field);
    return true;
  }
  const bool is_signs = field.key == "rotate_signs";
  if (!is_signs && field.key != "rotate_result") return false;
  rotation_detail_ = field.key;
  rotation_place_ = field.place;
  if (is_signs) rotate_signs_ = choice_in(field, field.key, kHadamardSignsNames);
  if (!is_signs) rotate_result_ = unless_float32(field, operand_format_in);
  return true;
}

bool SlotDraft::apply_learned(const YamlNode& field) {
  if (field.key != "learned") return false;
  learned_ = choice_in(field, field.key, kLearnedNames);
  learned_place_ = field.place;
  return true;
}

bool SlotDraft::apply_guide(const YamlNode& field) {
  if (field.key != "guide") return false;
  guided_ = choice_in(field, field.key, kGuideNames);
  guide_place_ = field.place;
  return true;
}

bool SlotDraft::apply_gradient(const YamlNode& field) {
  if (field.key == "gradient") {
    gradient_.estimator = choice_in(field, field.key, kEstimatorNames);
  } else if (field.key == "gradient_parameter") {
    gradient_.parameter = number_in(field, field.key, 1e-3, 1e4);
  } else if (field.key == "scale_gradient") {
    gradient_.scale = choice_in(field, field.key, kScaleGradientNames);
  } else if (field.key == "gradient_sharpness") {
    gradient_.sharpness = number_in(field, field.key, 0, 1e4);
  } else {
    return false;
  }
  gradient_place_ = field.place;
  return true;
}

bool SlotDraft::apply_delayed(const YamlNode& field) {
  if (field.key != "delayed") return false;
  delayed_place_ = field.place;
  delayed_ = std::nullopt;
  if (field.kind == YamlNode::Kind::Scalar && field.text == "none") return true;
  delayed_ = DelayedScaling{.interval = 1, .history = 1024, .margin = 1, .uses_current = false};
  for (const YamlNode& part : map_in(field, "delayed")) {
    if (part.key == "history") {
      delayed_->history = static_cast<int>(integer_in(part, "history", 1, 1 << 20));
    } else if (part.key == "every") {
      delayed_->interval = integer_in(part, "every", 1, 1 << 30);
    } else if (part.key == "margin") {
      delayed_->margin = static_cast<float>(number_in(part, "margin", 1e-3, 1e6));
    } else if (part.key == "current") {
      delayed_->uses_current = choice_in(part, "current", kYesNo);
    } else {
      refuse_key(part, "delayed", {"history", "every", "margin", "current"});
    }
  }
  return true;
}

void SlotDraft::apply_field(const YamlNode& field) {
  if (apply_rotation(field) || apply_guide(field) || apply_learned(field) || apply_gradient(field)) return;
  if (apply_delayed(field)) return;
  if (field.key == "format") {
    format_place_ = field.place;
    float32_ = field.text == "float32";
    quantized_ = !float32_;
    if (!quantized_) return;
    block_.codebook = codebook_in(field);
    block_.element = block_.codebook ? FormatSpec() : operand_format_in(field);
    return;
  }
  if (detail_.empty()) {
    detail_ = field.key;
    detail_place_ = field.place;
  }
  if (field.key == "round") {
    rounding_.mode = choice_in(field, "round", kRoundingWords);
    rounding_place_ = field.place;
  } else if (field.key == "bits") {
    rounding_.bits = static_cast<int>(integer_in(field, "bits", 1, 32));
    bits_place_ = field.place;
  } else if (field.key == "scale") {
    block_.scale = unless_float32(field, format_in);
  } else if (field.key == "block") {
    has_block_ = true;
    apply_block_shape(block_, field);
  } else if (std::count(block_keys().begin(), block_keys().end(), field.key) > 0) {
    apply_block_field(block_, field);
  } else {
    std::vector<std::string> known{"preset",         "format",
                                   "block",          "scale",
                                   "round",          "bits",
                                   "rotate",         "rotate_signs",
                                   "rotate_result",  "guide",
                                   "delayed",        "learned",
                                   "gradient",       "gradient_parameter",
                                   "scale_gradient", "gradient_sharpness"};
    known.insert(known.end(), block_keys().begin(), block_keys().end());
    refuse_key(field, "a slot", known);
  }
}

void SlotDraft::apply(const YamlNode& entry) {
  if (entry.kind == YamlNode::Kind::Scalar) {
    apply_preset(entry);
    return;
  }
  if (const YamlNode* preset = entry.find("preset")) apply_preset(*preset);
  if (entry.find("round") != nullptr) rounding_ = {};  // another rounding has bits of its own
  if (const YamlNode* statistic = entry.find("statistic")) apply_field(*statistic);  // it sets the usual parameter
  for (const YamlNode& field : map_in(entry, entry.key)) {
    if (field.key != "preset" && field.key != "statistic") apply_field(field);
  }
}

void SlotDraft::check_rounding(std::string_view subject) const {
  if (rounding_.is_valid()) return;
  const std::string_view name = name_of(rounding_.mode, kRoundingWords);
  if (rounding_.bits == 0) {
    throw InputError(rounding_place_,
                     fmt::format("{} has round '{}' but no bits, so the number of random bits is unknown; add for "
                                 "example bits: 8, or write stochastic, which takes as many as it needs",
                                 subject, name));
  }
  throw InputError(bits_place_, fmt::format("{} has bits but its round '{}' takes no number of random bits, so they "
                                            "would be ignored; delete bits or write stochastic_a, stochastic_b or "
                                            "stochastic_c",
                                            subject, name));
}

void SlotDraft::check_rotation(std::string_view subject) const {
  if (!rotate_ && !rotation_detail_.empty()) {
    throw InputError(rotation_place_, fmt::format("{} has {} but no rotation, so it would be ignored; add for "
                                                  "example rotate: 16, or delete it",
                                                  subject, rotation_detail_));
  }
  constexpr int kListed = static_cast<int>(kTransformerEngineSigns.size());
  if (rotate_signs_ == HadamardSigns::Fixed && rotate_.value_or(0) != 0 && *rotate_ != kListed) {
    throw InputError(rotation_place_, fmt::format("{} rotates by {} with fixed signs, TransformerEngine's list of "
                                                  "{}; write rotate: {}, or rotate_signs: random or none",
                                                  subject, *rotate_, kListed, kListed));
  }
}

void SlotDraft::check_gradient(std::string_view slot) const {
  if (slot != kSlotNames[0] && slot != kSlotNames[1]) {
    throw InputError(gradient_place_,
                     fmt::format("slot {} has an estimator of gradients, but only what the forward "
                                 "product rounds has a derivative to estimate; write it under forward, "
                                 "fwd.x or fwd.w",
                                 slot));
  }
  if (!quantized_) {
    throw InputError(gradient_place_, fmt::format("slot {} has an estimator of gradients but no format, so it rounds "
                                                  "nothing; add a format or delete it",
                                                  slot));
  }
  if (block_.element_bits() > 16) {
    throw InputError(gradient_place_, fmt::format("slot {} has an estimator of gradients for elements of {} bits, and "
                                                  "estimators know at most 16; delete it",
                                                  slot, block_.element_bits()));
  }
}

void SlotDraft::check_learned(std::string_view slot) const {
  const auto refuse = [&](std::string_view why) {
    throw InputError(learned_place_, fmt::format("slot {} learns the parameter of its scales, {}", slot, why));
  };
  if (slot != kSlotNames[0] && slot != kSlotNames[1]) {
    refuse(
        "but only what the forward product rounds has a gradient to learn from; write it under forward, fwd.x or "
        "fwd.w");
  }
  if (!quantized_ || (block_.statistic != BlockStatistic::Step && block_.statistic != BlockStatistic::ClipRatio)) {
    refuse("but has none; write statistic: step or clip_ratio, with the parameter that training starts from");
  }
  if (gradient_.estimator == Estimator::StraightThrough) {
    refuse(
        "but gradients pass straight through what is clipped, which would teach it wrongly; add for example gradient: "
        "clipped");
  }
  if (learned_ == Learned::Groups && (guided_ || block_.codebook)) {
    refuse(
        "one for each group, which neither guide: mean nor a codebook knows; write learned: true, one for the layer");
  }
}

void SlotDraft::check_guide(std::string_view slot) const {
  const auto refuse = [&](std::string_view why) {
    throw InputError(guide_place_, fmt::format("slot {} is guided by the mean of the weights, {}", slot, why));
  };
  if (slot != kSlotNames[1] && slot != kSlotNames[3]) {
    refuse("but only fwd.w and dgrad.w round weights; write it under weights, fwd.w or dgrad.w");
  }
  if (!quantized_) refuse("but has no format, so it rounds nothing; add a format or delete guide");
  if (rotate_.value_or(0) != 0) refuse("which is not that of rotated weights; delete guide or rotate");
  if (rounding_ != Rounding()) refuse("which decides every rounding, so its round would be ignored; delete round");
}

void SlotDraft::check_delayed(std::string_view slot) const {
  const auto refuse = [&](std::string_view why) {
    throw InputError(delayed_place_,
                     fmt::format("slot {} is scaled by its largest magnitude of earlier steps, {}", slot, why));
  };
  if (!quantized_) refuse("but has no format, so it rounds nothing; add a format or delete delayed");
  if (block_.shape != BlockShape::Tensor && !block_.tensor_target) {
    refuse("but has no scale for the whole tensor; write block: tensor, or a tensor_target");
  }
  if (block_.shape == BlockShape::Tensor && block_.statistic != BlockStatistic::Amax) {
    refuse("but its scale follows from another statistic; delete statistic or delayed");
  }
}

SlotSpec SlotDraft::finish(std::string_view slot) const {
  SlotSpec result = finish_as(fmt::format("slot {}", slot));
  if (gradient_ != GradientSpec()) check_gradient(slot);
  result.gradient = gradient_;
  if (learned_ != Learned::None) check_learned(slot);
  result.learned = learned_;
  if (guided_) check_guide(slot);
  result.guided = guided_;
  if (delayed_) check_delayed(slot);
  result.delayed = delayed_;
  return result;
}

SlotSpec SlotDraft::finish_as(std::string_view subject) const {
  check_rotation(subject);
  SlotSpec result;
  if (rotate_.value_or(0) != 0) {
    result.rotate = *rotate_;
    result.rotate_signs = rotate_signs_;
    result.rotate_result = rotate_result_;
  }
  if (!quantized_) {
    if (!float32_ && !detail_.empty()) {
      throw InputError(detail_place_, fmt::format("{} has '{}' but no format, so it would silently stay in "
                                                  "float32; add a format, or format: float32",
                                                  subject, detail_));
    }
    return result;
  }
  if (!has_block_) {
    throw InputError(format_place_, fmt::format("{} has a format but no block, so nothing says which elements "
                                                "share a scale; add block: 32, channel or tensor",
                                                subject));
  }
  check_rounding(subject);
  result.block = block_;
  result.rounding = rounding_;
  complete_block(*result.block, format_place_, subject);
  return result;
}

std::string rotation_text(const SlotSpec& slot) {
  if (slot.rotate == 0) return "";
  std::string text = fmt::format(" rotate={}", slot.rotate);
  if (slot.rotate_signs != HadamardSigns::Random)
    text += fmt::format(" rotate_signs={}", name_of(slot.rotate_signs, kHadamardSignsNames));
  if (slot.rotate_result) text += fmt::format(" rotate_result={}", format_name(*slot.rotate_result));
  return text;
}

std::string gradient_text(const GradientSpec& gradient) {
  const GradientSpec usual;
  std::string text;
  if (gradient.estimator != usual.estimator)
    text += fmt::format(" gradient={}", name_of(gradient.estimator, kEstimatorNames));
  if (gradient.parameter != usual.parameter) text += fmt::format(" gradient_parameter={}", gradient.parameter);
  if (gradient.scale != usual.scale)
    text += fmt::format(" scale_gradient={}", name_of(gradient.scale, kScaleGradientNames));
  if (gradient.sharpness != usual.sharpness) text += fmt::format(" gradient_sharpness={}", gradient.sharpness);
  return text;
}

std::string delayed_text(const std::optional<DelayedScaling>& delayed) {
  if (!delayed) return "";
  return fmt::format(" delayed=history:{},every:{},margin:{},current:{}", delayed->history, delayed->interval,
                     delayed->margin, delayed->uses_current);
}

std::string to_text(const SlotSpec& slot) {
  std::string text = "float32";
  if (slot.block) {
    text = fmt::format("{} round={}", block_text(*slot.block), name_of(slot.rounding.mode, kRoundingWords));
    if (slot.rounding.bits != 0) text += fmt::format(" bits={}", slot.rounding.bits);
  }
  if (slot.guided) text += " guide=mean";
  if (slot.learned != Learned::None) text += fmt::format(" learned={}", name_of(slot.learned, kLearnedNames));
  return text + rotation_text(slot) + gradient_text(slot.gradient) + delayed_text(slot.delayed);
}

}  // namespace bitlaw
