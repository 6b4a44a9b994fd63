#include "experiments/cli/format_facts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace bitlaw {
namespace {

constexpr std::size_t kShort = 9;  ///< characters of a number that is shown exactly, whatever the digits

/// Whether there are normal and subnormal numbers: integers and fixed point have one step everywhere.
bool floats(const FormatSpec& spec) { return spec.exponent_bits > 0; }
bool has_subnormals(const FormatSpec& spec) {
  return floats(spec) && spec.has_zero && spec.has_subnormals && spec.mantissa_bits > 0;
}

std::string number_text(double number, int digits) {
  const std::string exact = fmt::format("{}", number);
  return exact.size() <= kShort && exact.find('e') == std::string::npos ? exact
                                                                        : fmt::format("{:.{}g}", number, digits);
}

/// In decimal, outside double as a power of two.
std::string magnitude_text(const Dyadic& value, int digits) {
  const double number = std::ldexp(static_cast<double>(value.significand), value.exponent);
  if (number > 0 && std::isfinite(number)) return number_text(number, digits);
  return fmt::format("2^{:.{}g}", std::log2(static_cast<double>(value.significand)) + value.exponent, digits);
}

/// FormatSpec::lowest(), also outside double.
std::string lowest_text(const FormatSpec& spec, int digits) {
  if (!spec.is_signed) return spec.has_zero ? "0" : magnitude_text({1, spec.least_exponent()}, digits);
  const bool has_one_more = spec.sign_coding == SignCoding::TwosComplement;
  return "-" +
         magnitude_text(has_one_more ? Dyadic{1, spec.emin()} : spec.magnitude(spec.max_magnitude_code()), digits);
}

}  // namespace

NamedFormat named_format(const std::string& name) {
  for (NamedFormat& format : catalog_formats()) {
    if (format.name == name) return format;
  }
  return {name, parse_element(name), "by the pattern of its name"};
}

std::vector<NamedFormat> catalog_formats() {
  std::vector<NamedFormat> formats;
  for (const CatalogEntry& entry : format_catalog()) {
    formats.push_back({std::string(entry.name), entry.spec, std::string(entry.document)});
  }
  formats.push_back({"nf4", nf4(), "Dettmers et al. 2023, arXiv:2305.14314, appendix E: a list of 16 values"});
  return formats;
}

std::vector<std::string> specials_of(const Element& element) {
  if (!std::holds_alternative<FormatSpec>(element)) return {};
  const auto& spec = std::get<FormatSpec>(element);
  std::vector<std::string> specials;
  if (spec.has_infinity()) specials.emplace_back("inf");
  if (spec.has_nan()) specials.emplace_back("nan");
  if (spec.has_minus_zero()) specials.emplace_back("-0");
  if (!spec.has_zero) specials.emplace_back("no zero");
  if (spec.has_zero && !spec.has_subnormals) specials.emplace_back("no subnormals");
  return specials;
}

std::string sign_coding_of(const Element& element) {
  const auto* spec = std::get_if<FormatSpec>(&element);
  if (spec == nullptr || !spec->is_signed) return "-";
  switch (spec->sign_coding) {
    case SignCoding::TwosComplement:
      return "two's complement";
    case SignCoding::TwosComplementSymmetric:
      return "two's complement, symmetric";
    case SignCoding::SignMagnitude:
      break;
  }
  return "sign bit";
}

FormatTexts format_texts(const Element& element, int digits) {
  if (const auto* book = std::get_if<Codebook>(&element)) {
    return {.bits = std::to_string(book->total_bits()),
            .sign_bits = "-",
            .exponent_bits = "-",
            .mantissa_bits = "-",
            .bias = "-",
            .max = number_text(static_cast<double>(book->max()), digits),
            .min_normal = "-",
            .min_subnormal = "-",
            .least = number_text(static_cast<double>(book->lowest()), digits),
            .step = "-",
            .epsilon = "-"};
  }
  const auto& spec = std::get<FormatSpec>(element);
  const std::string least = magnitude_text({1, spec.least_exponent()}, digits);
  return {.bits = std::to_string(spec.total_bits()),
          .sign_bits = spec.is_signed ? "1" : "0",
          .exponent_bits = std::to_string(spec.exponent_bits),
          .mantissa_bits = std::to_string(spec.mantissa_bits),
          .bias = floats(spec) ? std::to_string(spec.bias) : "-",
          .max = magnitude_text(spec.magnitude(spec.max_magnitude_code()), digits),
          .min_normal = floats(spec) ? magnitude_text({1, spec.emin()}, digits) : "-",
          .min_subnormal = has_subnormals(spec) ? least : "-",
          .least = lowest_text(spec, digits),
          .step = floats(spec) ? "-" : least,
          .epsilon = floats(spec) ? magnitude_text({1, -spec.mantissa_bits}, digits) : "-"};
}

std::vector<std::pair<std::string, std::string>> facts_of(const NamedFormat& format) {
  const FormatTexts texts = format_texts(format.element, kFactDigits);
  const std::vector<std::string> specials = specials_of(format.element);
  return {{"source", format.source},
          {"bits", texts.bits},
          {"sign bits", texts.sign_bits},
          {"exponent bits", texts.exponent_bits},
          {"fraction bits", texts.mantissa_bits},
          {"bias", texts.bias},
          {"sign coding", sign_coding_of(format.element)},
          {"least", texts.least},
          {"max", texts.max},
          {"min normal", texts.min_normal},
          {"min subnormal", texts.min_subnormal},
          {"step", texts.step},
          {"epsilon", texts.epsilon},
          {"specials", specials.empty() ? "-" : fmt::format("{}", fmt::join(specials, ", "))}};
}

nlohmann::json facts_json(const NamedFormat& format) {
  using nlohmann::json;
  if (const auto* book = std::get_if<Codebook>(&format.element)) {
    return {{"name", format.name},
            {"bits", book->total_bits()},
            {"values", std::vector<float>(book->values().begin(), book->values().end())},
            {"least_finite", book->lowest()},
            {"max_finite", book->max()},
            {"source", format.source}};
  }
  const auto& spec = std::get<FormatSpec>(format.element);
  const bool is_double = spec.is_exact_in_double();
  return {{"name", format.name},
          {"bits", spec.total_bits()},
          {"signed", spec.is_signed},
          {"exponent_bits", spec.exponent_bits},
          {"mantissa_bits", spec.mantissa_bits},
          {"bias", spec.bias},
          {"sign_coding", sign_coding_of(format.element)},
          {"least_finite", is_double ? json(spec.lowest()) : json()},
          {"max_finite", is_double ? json(spec.max_finite()) : json()},
          {"min_normal", is_double && floats(spec) ? json(spec.min_normal()) : json()},
          {"min_positive", is_double ? json(spec.min_positive()) : json()},
          {"step", is_double && !floats(spec) ? json(spec.min_positive()) : json()},
          {"epsilon", floats(spec) ? json(pow2(-spec.mantissa_bits)) : json()},
          {"infinity", spec.has_infinity()},
          {"nan", spec.has_nan()},
          {"minus_zero", spec.has_minus_zero()},
          {"zero", spec.has_zero},
          {"subnormals", spec.has_subnormals},
          {"source", format.source}};
}

}  // namespace bitlaw
