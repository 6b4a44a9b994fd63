#include "experiments/cli/block_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "core/base/closest.h"
#include "core/base/error.h"
#include "core/block/block_presets.h"
#include "experiments/sweep/block_yaml.h"
#include "experiments/sweep/slot_yaml.h"

namespace bitlaw {
namespace {

struct BlockFlag {
  std::string_view flag, key;  ///< of the command line, of YAML
  std::optional<std::string> QuantizeRequest::*word;
};

constexpr std::array kBlockFlags{
    BlockFlag{"--scale", "scale", &QuantizeRequest::scale},
    BlockFlag{"--scale-rule", "rule", &QuantizeRequest::scale_rule},
    BlockFlag{"--tensor-target", "tensor_target", &QuantizeRequest::tensor_target},
    BlockFlag{"--rotate", "rotate", &QuantizeRequest::rotate},
    BlockFlag{"--rotate-signs", "rotate_signs", &QuantizeRequest::rotate_signs},
};

bool is_preset(const std::string& word) { return block_preset(word).has_value(); }

/// A field of a slot, as if its YAML stood on the command line.
YamlNode field_of(std::string_view flag, std::string_view key, const std::string& word) {
  YamlNode field;
  field.kind = YamlNode::Kind::Scalar;
  field.text = word;
  field.key = std::string(key);
  field.place.file = field.key_place.file = fmt::format("{} {}", flag, word);
  return field;
}

/// Refuses a word of --block that is neither a preset nor a shape.
void check_block_word(const std::string& word) {
  const bool is_sized = !word.empty() && std::isdigit(static_cast<unsigned char>(word.front())) != 0;
  std::vector<std::string_view> known{"channel", "across", "tensor"};
  if (is_sized || is_preset(word) || std::count(known.begin(), known.end(), word) > 0) return;
  const auto presets = block_preset_names();
  known.insert(known.end(), presets.begin(), presets.end());
  throw InputError(fmt::format("--block {}: '{}' is not known, so nothing was done; {}", word, word,
                               remedy(word, std::span<const std::string_view>(known),
                                      "use a number of elements, a square such as 16x16, or one of")));
}

/// What blocks cannot do, and flags that contradict each other.
void check_flags(const QuantizeRequest& request) {
  const std::string place = "--block " + *request.block;
  if (request.codes) {
    throw InputError(place +
                     ": --codes has no place for the scales of blocks, so the codes could not be read back; write both "
                     "with --codes-out and --scales-out");
  }
  if (request.codes_out && !request.scales_out) {
    throw InputError(fmt::format("--codes-out {}: --scales-out is missing, so the codes could not be read back; add it",
                                 *request.codes_out));
  }
  if (request.overflow || request.nan) {
    throw InputError(
        fmt::format("{}: blocks saturate, and one with a NaN becomes NaN throughout, so {} would be "
                    "ignored; drop it",
                    place, request.overflow ? "--overflow" : "--nan"));
  }
  const auto preset = block_preset(*request.block);
  if (!preset && !request.to) {
    throw InputError(
        place +
        ": says which elements share a scale, but not their format, so nothing can be rounded; add for example "
        "--to e2m1, or name a preset");
  }
  if (preset && request.to && parse_element(*request.to) != Element(preset->element)) {
    throw InputError(fmt::format("--to {}: {} has elements of {}, so one of the two would be ignored; drop --to",
                                 *request.to, place, format_name(preset->element)));
  }
  if (request.rotate_signs && !request.rotate) {
    throw InputError(
        fmt::format("--rotate-signs {}: there is no --rotate, so it would be ignored; drop it", *request.rotate_signs));
  }
}

}  // namespace

SlotSpec slot_of(const QuantizeRequest& request) {
  const std::string& block = *request.block;
  check_block_word(block);
  check_flags(request);
  YamlNode fields;
  fields.kind = YamlNode::Kind::Map;
  fields.children.push_back(field_of("--block", is_preset(block) ? "preset" : "block", block));
  if (!is_preset(block)) fields.children.push_back(field_of("--to", "format", *request.to));
  for (const BlockFlag& flag : kBlockFlags) {
    if (const auto& word = request.*flag.word) fields.children.push_back(field_of(flag.flag, flag.key, *word));
  }
  SlotDraft draft;
  draft.apply(fields);
  const SlotSpec slot = draft.finish_as("--block " + block);
  if (!slot.block) {
    throw InputError(
        fmt::format("--to {}: is what blocks are computed in, so nothing would be rounded; choose a "
                    "narrower format",
                    *request.to));
  }
  return slot;
}

std::string slot_name(const QuantizeRequest& request, const SlotSpec& slot) {
  const bool is_plain = block_preset(*request.block) == slot.block;
  return (is_plain ? *request.block : block_text(*slot.block)) + rotation_text(slot);
}

void refuse_block_flags(const QuantizeRequest& request) {
  const auto refuse = [](std::string_view flag, const std::string& word) {
    throw InputError(
        fmt::format("{} {}: is about blocks, so without --block it would be ignored; drop it, or add for "
                    "example --block nvfp4",
                    flag, word));
  };
  for (const BlockFlag& flag : kBlockFlags) {
    if (const auto& word = request.*flag.word) refuse(flag.flag, *word);
  }
  if (request.codes_out) refuse("--codes-out", *request.codes_out);
  if (request.scales_out) refuse("--scales-out", *request.scales_out);
}

}  // namespace bitlaw
