#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <vector>

#include "core/base/closest.h"
#include "core/base/error.h"
#include "core/format/catalog.h"

namespace bitlaw {
namespace {

struct TopName {
  std::string_view name;
  TopCodes top;
};
constexpr std::array kTopNames{TopName{"ieee", TopCodes::Ieee}, TopName{"nan_only", TopCodes::NanOnly},
                               TopName{"finite", TopCodes::Finite}, TopName{"fnuz", TopCodes::Fnuz},
                               TopName{"p3109", TopCodes::P3109}};

constexpr int default_bias(int exponent_bits) { return exponent_bits == 0 ? 0 : (1 << (exponent_bits - 1)) - 1; }

/// Takes `prefix` off the front of `text`, when it is there.
bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::optional<int> take_integer(std::string_view& text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

bool apply_option(FormatSpec& spec, std::string_view option) {
  if (option == "no_subnormals") {
    spec.has_subnormals = false;
    return true;
  }
  if (option == "no_zero") {
    spec.has_zero = spec.has_subnormals = false;
    return true;
  }
  const auto found =
      std::find_if(kTopNames.begin(), kTopNames.end(), [&](const TopName& t) { return t.name == option; });
  if (found == kTopNames.end()) return false;
  spec.top = found->top;
  return true;
}

/// The format of kFormatPattern, or nothing when `text` does not follow the pattern.
std::optional<FormatSpec> parse_pattern(std::string_view text) {
  FormatSpec spec{.top = TopCodes::Finite};
  spec.is_signed = !take(text, "u");
  if (!take(text, "e")) return std::nullopt;
  const auto exponent_bits = take_integer(text);
  if (!exponent_bits || !take(text, "m")) return std::nullopt;
  const auto mantissa_bits = take_integer(text);
  if (!mantissa_bits || *exponent_bits < 0 || *exponent_bits > 11) return std::nullopt;
  spec.exponent_bits = *exponent_bits;
  spec.mantissa_bits = *mantissa_bits;
  spec.bias = default_bias(*exponent_bits);
  if (take(text, ":bias=")) {
    const auto bias = take_integer(text);
    if (!bias) return std::nullopt;
    spec.bias = *bias;
  }
  while (take(text, ",")) {
    const std::string_view option = text.substr(0, text.find(','));
    if (!apply_option(spec, option)) return std::nullopt;
    text.remove_prefix(option.size());
  }
  return text.empty() ? std::optional(spec) : std::nullopt;
}

[[noreturn]] void unknown_format(std::string_view name) {
  std::vector<std::string_view> names;
  for (const CatalogEntry& entry : format_catalog()) names.push_back(entry.name);
  throw InputError(
      fmt::format("unknown number format '{}', neither a name of the catalog nor of the pattern {}, so nothing can be "
                  "rounded to it; {}",
                  name, kFormatPattern, remedy(name, std::span<const std::string_view>(names))));
}

}  // namespace

FormatSpec parse_format(std::string_view name) {
  for (const CatalogEntry& entry : format_catalog()) {
    if (entry.name == name) return entry.spec;
  }
  const auto spec = parse_pattern(name);
  if (!spec) unknown_format(name);
  if (!spec->is_valid()) {
    throw InputError(
        fmt::format("number format '{}' is impossible: its values do not fit a double or too few codes "
                    "are left for numbers; use X <= 11, Y <= 52, a smaller bias or ',finite'",
                    name));
  }
  return *spec;
}

std::string format_name(const FormatSpec& spec) {
  for (const CatalogEntry& entry : format_catalog()) {
    if (entry.spec == spec) return std::string(entry.name);
  }
  std::string name = fmt::format("{}e{}m{}", spec.is_signed ? "" : "u", spec.exponent_bits, spec.mantissa_bits);
  // A bare name of the catalog would mean the catalog's format: say the bias.
  const bool taken = std::any_of(format_catalog().begin(), format_catalog().end(),
                                 [&](const CatalogEntry& entry) { return entry.name == name; });
  if (spec.bias != default_bias(spec.exponent_bits) || taken) name += fmt::format(":bias={}", spec.bias);
  for (const TopName& top : kTopNames) {
    if (top.top == spec.top && spec.top != TopCodes::Finite) name += fmt::format(",{}", top.name);
  }
  if (!spec.has_zero) return name + ",no_zero";
  return spec.has_subnormals ? name : name + ",no_subnormals";
}

}  // namespace bitlaw
