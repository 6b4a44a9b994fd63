#include "experiments/cli/format_codes.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/format/codes.h"
#include "experiments/cli/format_facts.h"
#include "experiments/cli/format_values.h"
#include "experiments/report/table.h"

namespace bitlaw {
namespace {

constexpr int kMostListedBits = 16;
constexpr int kMostShownBits = 8;

std::string hex_code(const FormatSpec& spec, std::uint64_t code) {
  return fmt::format("0x{:0{}x}", code, spec.total_bits() <= 8 ? 2 : 4);
}

/// "1 0110 011": the fields that the format has.
std::string binary_code(const FormatSpec& spec, std::uint64_t code) {
  std::string text = fmt::format("{:0{}b}", code, spec.total_bits());
  if (spec.mantissa_bits > 0) text.insert(text.size() - static_cast<std::size_t>(spec.mantissa_bits), " ");
  if (spec.is_signed && spec.exponent_bits > 0) text.insert(1, " ");
  return text;
}

/// What a code is.
std::string kind_of(const FormatSpec& spec, std::uint64_t code, const std::string& hex) {
  if (hex == "nan") return "nan";
  if (hex.ends_with("inf")) return "inf";
  if (spec.sign_coding == SignCoding::TwosComplementSymmetric && code == spec.magnitude_codes()) return "unused";
  const ExactValue value = exact_value(hex);
  if (value.is_zero()) return "zero";
  if (spec.exponent_bits == 0) return "number";
  return value.exponent < spec.emin() ? "subnormal" : "normal";
}

std::string shown_value(const std::string& hex) {
  return hex == "nan" || hex.ends_with("inf") ? hex : (hex == "-0x0p+0" ? "-0" : value_text(exact_value(hex)));
}

nlohmann::json value_json(const std::string& hex) {
  if (hex == "nan" || hex.ends_with("inf")) return {};
  if (hex == "-0x0p+0") return -0.0;
  const auto number = exact_value(hex).as_double();
  return number ? nlohmann::json(*number) : nlohmann::json();
}

}  // namespace

std::string format_codes_text(const std::string& name) {
  const NamedFormat format = named_format(name);
  const FormatSpec& spec = format.spec;
  std::string text = format.name + "\n";
  for (const auto& [label, value] : facts_of(format)) text += fmt::format("  {:<13}  {}\n", label, value);
  if (spec.total_bits() > kMostShownBits) {
    return text + (spec.total_bits() <= kMostListedBits
                       ? fmt::format("\nAll {} codes: bitlaw formats show '{}' --csv\n", spec.code_count(), name)
                       : "");
  }
  Table table{.title = fmt::format("\nAll {} codes", spec.code_count()),
              .header = {"code", "binary", "is", "value"},
              .rows = {},
              .notes = {}};
  for (std::uint64_t code = 0; code < spec.code_count(); ++code) {
    const std::string hex = hex_value(spec, code);
    table.rows.push_back({hex_code(spec, code), binary_code(spec, code), kind_of(spec, code, hex), shown_value(hex)});
  }
  return text + text_of(table, 3);
}

std::string format_codes_csv(const std::string& name) {
  const FormatSpec spec = named_format(name).spec;
  if (spec.total_bits() > kMostListedBits) {
    throw InputError(
        fmt::format("bitlaw formats show {}: has {} bits, so a list of its codes would have 2^{} lines; "
                    "--csv lists formats of at most {} bits",
                    name, spec.total_bits(), spec.total_bits(), kMostListedBits));
  }
  std::string text = "code,value\n";
  for (std::uint64_t code = 0; code < spec.code_count(); ++code) {
    text += fmt::format("{},{}\n", hex_code(spec, code), hex_value(spec, code));
  }
  return text;
}

std::string format_codes_json(const std::string& name) {
  const NamedFormat format = named_format(name);
  nlohmann::json document = facts_json(format);
  if (format.spec.total_bits() > kMostListedBits) return document.dump();
  auto& codes = document["codes"] = nlohmann::json::array();
  for (std::uint64_t code = 0; code < format.spec.code_count(); ++code) {
    const std::string hex = hex_value(format.spec, code);
    codes.push_back(
        {{"code", code}, {"hex", hex}, {"value", value_json(hex)}, {"is", kind_of(format.spec, code, hex)}});
  }
  return document.dump();
}

}  // namespace bitlaw
