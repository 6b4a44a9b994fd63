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

/// The short words of training first: canonical texts have them where there are two.
constexpr auto kRoundings = [] {
  std::array<EnumName<RoundingMode>, kRoundingModeNames.size() + 2> names{
      {{"nearest", RoundingMode::TiesToEven}, {"stochastic", RoundingMode::StochasticExact}}};
  std::copy(kRoundingModeNames.begin(), kRoundingModeNames.end(), names.begin() + 2);
  return names;
}();

/// bfloat16 has float32's exponent range, so a power of two per tensor changes no rounding.
BlockSpec bf16_block() {
  return {.element = kBfloat16,
          .shape = BlockShape::Tensor,
          .scale = kE8M0,
          .rule = ScaleRule::RoundUp,
          .tensor_target = {}};
}

/// What `parse` returns; its InputErrors get a place.
template <typename Parse>
auto at_place(const SourceLocation& place, Parse parse) {
  try {
    return parse();
  } catch (const InputError& error) {
    throw InputError(place, error.what());
  }
}

void refuse_wide(const YamlNode& node, std::string_view name, const FormatSpec& format) {
  if (format.exponent_bits > 8 || format.mantissa_bits > 23) {
    throw InputError(node.place, fmt::format("{} '{}' is wider than float32, in which training computes; use at most 8 "
                                             "exponent and 23 mantissa bits, or float32",
                                             name, node.text));
  }
}

FormatSpec scale_in(const YamlNode& node) {
  const std::string text = text_in(node, "scale");
  const FormatSpec format = at_place(node.place, [&] { return parse_format(text); });
  refuse_wide(node, "scale", format);
  return format;
}

/// The number format that "format" names, which is no codebook.
FormatSpec element_in(const YamlNode& node) {
  const std::string text = text_in(node, "format");
  const auto format = std::get<FormatSpec>(at_place(node.place, [&] { return parse_element(text); }));
  refuse_wide(node, "format", format);
  if (!format.is_signed || !format.has_zero) {
    throw InputError(node.place, fmt::format("format '{}' has no {}, so it cannot hold weights, activations or "
                                             "gradients; use a signed format with a zero",
                                             node.text, format.is_signed ? "zero" : "sign"));
  }
  return format;
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
    throw InputError(name.place, fmt::format("unknown preset '{}', so nothing says how to round; {}", text,
                                             remedy(text, slot_preset_names())));
  }
  quantized_ = preset->block.has_value();
  float32_ = !quantized_;
  block_ = preset->block.value_or(BlockSpec{});
  has_block_ = quantized_;
  format_place_ = name.place;
}

void SlotDraft::apply_field(const YamlNode& field) {
  if (field.key == "rotate") {
    rotate_ = rotation_in(field);
    return;
  }
  if (field.key == "format") {
    format_place_ = field.place;
    float32_ = field.text == "float32";
    quantized_ = !float32_;
    if (!quantized_) return;
    block_.codebook = codebook_in(field);
    block_.element = block_.codebook ? FormatSpec() : element_in(field);
    return;
  }
  if (detail_.empty()) {
    detail_ = field.key;
    detail_place_ = field.place;
  }
  if (field.key == "round") {
    rounding_.mode = choice_in(field, "round", kRoundings);
    rounding_place_ = field.place;
  } else if (field.key == "bits") {
    rounding_.bits = static_cast<int>(integer_in(field, "bits", 1, 32));
    bits_place_ = field.place;
  } else if (field.key == "scale") {
    block_.scale.reset();
    if (field.text != "float32") block_.scale = scale_in(field);
  } else if (field.key == "block") {
    has_block_ = true;
    apply_block_shape(block_, field);
  } else if (std::count(block_keys().begin(), block_keys().end(), field.key) > 0) {
    apply_block_field(block_, field);
  } else {
    std::vector<std::string> known{"preset", "format", "block", "scale", "round", "bits", "rotate"};
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

void SlotDraft::check_rounding(std::string_view slot) const {
  if (rounding_.is_valid()) return;
  const std::string_view name = name_of(rounding_.mode, kRoundings);
  if (rounding_.bits == 0) {
    throw InputError(rounding_place_,
                     fmt::format("slot {} has round '{}' but no bits, so the number of random bits is unknown; add for "
                                 "example bits: 8, or write stochastic, which takes as many as it needs",
                                 slot, name));
  }
  throw InputError(bits_place_,
                   fmt::format("slot {} has bits but its round '{}' takes no number of random bits, so they "
                               "would be ignored; delete bits or write stochastic_a, stochastic_b or "
                               "stochastic_c",
                               slot, name));
}

SlotSpec SlotDraft::finish(std::string_view slot) const {
  if (!quantized_) {
    if (!float32_ && !detail_.empty()) {
      throw InputError(detail_place_, fmt::format("slot {} has '{}' but no format, so it would silently stay in "
                                                  "float32; add a format, or format: float32",
                                                  slot, detail_));
    }
    return {.block = {}, .rounding = {}, .rotate = rotate_};
  }
  if (!has_block_) {
    throw InputError(format_place_, fmt::format("slot {} has a format but no block, so nothing says which elements "
                                                "share a scale; add block: 32, channel or tensor",
                                                slot));
  }
  check_rounding(slot);
  SlotSpec result{.block = block_, .rounding = rounding_, .rotate = rotate_};
  complete_block(*result.block, format_place_, slot);
  return result;
}

std::string to_text(const SlotSpec& slot) {
  std::string text = "float32";
  if (slot.block) {
    const BlockSpec& block = *slot.block;
    text = fmt::format(
        "{} block={} scale={}{}", block.codebook ? codebook_name(*block.codebook) : format_name(block.element),
        block_shape_text(block), block.scale ? format_name(*block.scale) : "float32", block_choices_text(block));
    text += fmt::format(" round={}", name_of(slot.rounding.mode, kRoundings));
    if (slot.rounding.bits != 0) text += fmt::format(" bits={}", slot.rounding.bits);
  }
  if (slot.rotate != 0) {
    text += fmt::format(" rotate={}", slot.rotate);
    if (slot.rotate_signs != HadamardSigns::Random)
      text += fmt::format(" rotate_signs={}", name_of(slot.rotate_signs, kHadamardSignsNames));
    if (slot.rotate_result) text += fmt::format(" rotate_result={}", format_name(*slot.rotate_result));
  }
  return text;
}

}  // namespace bitlaw
