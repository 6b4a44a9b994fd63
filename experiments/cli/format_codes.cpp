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

std::string hex_code(const Element& element, std::uint64_t code) {
  return fmt::format("0x{:0{}x}", code, total_bits(element) <= 8 ? 2 : 4);
}

/// "1 0110 011": the fields that the format has.
std::string binary_code(const Element& element, std::uint64_t code) {
  std::string text = fmt::format("{:0{}b}", code, total_bits(element));
  if (!std::holds_alternative<FormatSpec>(element)) return text;
  const auto& spec = std::get<FormatSpec>(element);
  if (spec.mantissa_bits > 0) text.insert(text.size() - static_cast<std::size_t>(spec.mantissa_bits), " ");
  if (spec.is_signed && spec.exponent_bits > 0) text.insert(1, " ");
  return text;
}

/// What a code is.
std::string kind_of(const Element& element, std::uint64_t code, const std::string& hex) {
  if (hex == "nan") return "nan";
  if (hex.ends_with("inf")) return "inf";
  const ExactValue value = exact_value(hex);
  if (value.is_zero()) return "zero";
  if (!std::holds_alternative<FormatSpec>(element)) return "number";
  const auto& spec = std::get<FormatSpec>(element);
  if (!is_value_code(spec, code)) return "unused";
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
  const Element& element = format.element;
  std::string text = format.name + "\n";
  for (const auto& [label, value] : facts_of(format)) text += fmt::format("  {:<13}  {}\n", label, value);
  if (total_bits(element) > kMostShownBits) {
    return text + (total_bits(element) <= kMostListedBits
                       ? fmt::format("\nAll {} codes: bitlaw formats show '{}' --csv\n", code_count(element), name)
                       : "");
  }
  Table table{.title = fmt::format("\nAll {} codes", code_count(element)),
              .header = {"code", "binary", "is", "value"},
              .rows = {},
              .notes = {}};
  for (std::uint64_t code = 0; code < code_count(element); ++code) {
    const std::string hex = hex_value(element, code);
    table.rows.push_back(
        {hex_code(element, code), binary_code(element, code), kind_of(element, code, hex), shown_value(hex)});
  }
  return text + text_of(table, 3);
}

std::string format_codes_csv(const std::string& name) {
  const Element element = named_format(name).element;
  if (total_bits(element) > kMostListedBits) {
    throw InputError(
        fmt::format("bitlaw formats show {}: has {} bits, so a list of its codes would have 2^{} lines; "
                    "--csv lists formats of at most {} bits",
                    name, total_bits(element), total_bits(element), kMostListedBits));
  }
  std::string text = "code,value\n";
  for (std::uint64_t code = 0; code < code_count(element); ++code) {
    text += fmt::format("{},{}\n", hex_code(element, code), hex_value(element, code));
  }
  return text;
}

std::string format_codes_json(const std::string& name) {
  const NamedFormat format = named_format(name);
  nlohmann::json document = facts_json(format);
  if (total_bits(format.element) > kMostListedBits) return document.dump();
  auto& codes = document["codes"] = nlohmann::json::array();
  for (std::uint64_t code = 0; code < code_count(format.element); ++code) {
    const std::string hex = hex_value(format.element, code);
    codes.push_back(
        {{"code", code}, {"value_hex", hex}, {"value", value_json(hex)}, {"is", kind_of(format.element, code, hex)}});
  }
  return document.dump();
}

}  // namespace bitlaw
