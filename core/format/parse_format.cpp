#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/closest.h"
#include "core/base/error.h"
#include "core/format/catalog.h"
#include "core/format/name_parts.h"

namespace bitlaw {
namespace {

struct TopName {
  std::string_view name;
  TopCodes top;
};
constexpr std::array kTopNames{TopName{"ieee", TopCodes::Ieee}, TopName{"nan_only", TopCodes::NanOnly},
                               TopName{"finite", TopCodes::Finite}, TopName{"fnuz", TopCodes::Fnuz},
                               TopName{"p3109", TopCodes::P3109}};

constexpr std::string_view kFormatExamples = "'ue5m3:bias=9,ieee', 'int8:frac=6' or 'binary8p3se'";

constexpr int kMostIntegerBits = 32;
constexpr int kMostBias = 1 << 16;  // either sign; far beyond double

constexpr int default_bias(int exponent_bits) { return exponent_bits == 0 ? 0 : (1 << (exponent_bits - 1)) - 1; }

/// What the options of a floating-point name have set so far.
struct OptionsSeen {
  bool top = false, below_normal = false;
};

/// False where the option is unknown or of a kind that was there before.
bool apply_option(FormatSpec& spec, OptionsSeen& seen, std::string_view option) {
  if (option == "no_subnormals" || option == "no_zero") {
    spec.has_subnormals = false;
    spec.has_zero = option != "no_zero";
    return !std::exchange(seen.below_normal, true);
  }
  const auto found =
      std::find_if(kTopNames.begin(), kTopNames.end(), [&](const TopName& t) { return t.name == option; });
  if (found == kTopNames.end()) return false;
  spec.top = found->top;
  return !std::exchange(seen.top, true);
}

/// [u]eXmY...: a floating-point format, or nothing when `text` does not follow the pattern.
std::optional<FormatSpec> parse_float(std::string_view text) {
  FormatSpec spec{.top = TopCodes::Finite};
  spec.is_signed = !take(text, "u");
  if (!take(text, "e")) return std::nullopt;
  const auto exponent_bits = take_integer(text, 0, 11);
  if (!exponent_bits || !take(text, "m")) return std::nullopt;
  const auto mantissa_bits = take_integer(text, 0, 99);
  if (!mantissa_bits) return std::nullopt;
  spec.exponent_bits = *exponent_bits;
  spec.mantissa_bits = *mantissa_bits;
  spec.bias = default_bias(*exponent_bits);
  if (take(text, ":bias=")) {
    const auto bias = take_integer(text, -kMostBias, kMostBias);
    if (!bias) return std::nullopt;
    spec.bias = *bias;
  }
  OptionsSeen seen;
  while (take(text, ",")) {
    const std::string_view option = text.substr(0, text.find(','));
    if (!apply_option(spec, seen, option)) return std::nullopt;
    text.remove_prefix(option.size());
  }
  return text.empty() ? std::optional(spec) : std::nullopt;
}

/// [u]intN[:frac=F][,symmetric]
std::optional<FormatSpec> parse_integer_format(std::string_view text) {
  const bool is_signed = !take(text, "u");
  if (!take(text, "int")) return std::nullopt;
  const auto bits = take_integer(text, is_signed ? 2 : 1, kMostIntegerBits);
  if (!bits) return std::nullopt;
  int fraction_bits = 0;
  if (take(text, ":frac=")) {
    const auto given = take_integer(text, -kMostBias, kMostBias);
    if (!given) return std::nullopt;
    fraction_bits = *given;
  }
  const bool symmetric = is_signed && take(text, ",symmetric");
  if (!text.empty()) return std::nullopt;
  if (!is_signed) return unsigned_integer_format(*bits, fraction_bits);
  return integer_format(*bits, fraction_bits,
                        symmetric ? SignCoding::TwosComplementSymmetric : SignCoding::TwosComplement);
}

/// binaryKpP{s|u}{e|f}
std::optional<FormatSpec> parse_p3109(std::string_view text) {
  if (!take(text, "binary") && !take(text, "Binary")) return std::nullopt;
  const auto bits = take_integer(text, 3, 16);
  if (!bits || !take(text, "p")) return std::nullopt;
  const auto precision = take_integer(text, 1, *bits);
  if (!precision || text.size() != 2) return std::nullopt;
  const bool is_signed = text[0] == 's';
  const bool extended = text[1] == 'e';
  if ((!is_signed && text[0] != 'u') || (!extended && text[1] != 'f')) return std::nullopt;
  if (is_signed && *precision == *bits) return std::nullopt;
  return p3109_format(*bits, *precision, is_signed, extended);
}

[[noreturn]] void unknown_format(std::string_view name, std::span<const std::string_view> others) {
  std::vector<std::string_view> names(others.begin(), others.end());
  for (const CatalogEntry& entry : format_catalog()) names.push_back(entry.name);
  const std::string nearest = closest_match(name, std::span<const std::string_view>(names));
  throw InputError(
      fmt::format("unknown number format '{}', neither a name of the catalog nor like {}, so nothing can be rounded to "
                  "it; {}",
                  name, kFormatExamples,
                  nearest.empty() ? "use e4m3, e2m1, bfloat16, int8 or another name that 'bitlaw formats' lists"
                                  : fmt::format("did you mean '{}'?", nearest)));
}

}  // namespace

FormatSpec parse_format(std::string_view name, std::span<const std::string_view> others) {
  for (const CatalogEntry& entry : format_catalog()) {
    if (entry.name == name) return entry.spec;
  }
  if (const auto p3109 = parse_p3109(name)) return *p3109;
  const auto integer = parse_integer_format(name);
  const auto spec = integer ? integer : parse_float(name);
  if (!spec) unknown_format(name, others);
  if (spec->is_valid() && spec->is_exact_in_double()) return *spec;
  throw InputError(
      integer
          ? fmt::format("number format '{}' is impossible: its values do not fit a double; use an F nearer to 0", name)
          : fmt::format("number format '{}' is impossible: its values do not fit a double or too few codes "
                        "are left for numbers; use X <= 11, Y <= 52, a smaller bias or ',finite'",
                        name));
}

namespace {

/// The name of an integer or fixed-point format in two's complement.
std::string integer_name(const FormatSpec& spec) {
  std::string name = fmt::format("int{}", spec.total_bits());
  const int fraction_bits = spec.bias - integer_format(spec.total_bits()).bias;
  if (fraction_bits != 0) name += fmt::format(":frac={}", fraction_bits);
  return spec.sign_coding == SignCoding::TwosComplementSymmetric ? name + ",symmetric" : name;
}

/// The P3109 name of a format that has one.
std::optional<std::string> p3109_name(const FormatSpec& spec) {
  const int bits = spec.total_bits();
  const int precision = spec.mantissa_bits + 1;
  if (bits < 3 || bits > 16 || spec.exponent_bits == 0) return std::nullopt;
  const bool extended = spec.has_infinity();
  if (spec != p3109_format(bits, precision, spec.is_signed, extended)) return std::nullopt;
  return fmt::format("binary{}p{}{}{}", bits, precision, spec.is_signed ? 's' : 'u', extended ? 'e' : 'f');
}

}  // namespace

std::string format_name(const FormatSpec& spec) {
  for (const CatalogEntry& entry : format_catalog()) {
    if (entry.spec == spec) return std::string(entry.name);
  }
  if (spec.is_twos_complement()) return integer_name(spec);
  if (const auto name = p3109_name(spec)) return *name;
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
