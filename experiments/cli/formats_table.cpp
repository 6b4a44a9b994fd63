#include "experiments/cli/formats_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/format/catalog.h"
#include "experiments/report/table.h"

namespace bitlaw {
namespace {

struct NamedFormat {
  std::string name;
  FormatSpec spec;
  std::string document;
};

std::vector<NamedFormat> formats_of(const std::vector<std::string>& names) {
  std::vector<NamedFormat> formats;
  if (names.empty()) {
    for (const CatalogEntry& entry : format_catalog()) {
      formats.push_back({std::string(entry.name), entry.spec, std::string(entry.document)});
    }
  }
  for (const std::string& name : names) {
    NamedFormat format{name, parse_format(name), "pattern"};
    for (const CatalogEntry& entry : format_catalog()) {
      if (entry.name == name) format.document = entry.document;
    }
    formats.push_back(std::move(format));
  }
  return formats;
}

std::vector<std::string> specials_of(const FormatSpec& spec) {
  std::vector<std::string> specials;
  if (spec.has_infinity()) specials.emplace_back("inf");
  if (spec.has_nan()) specials.emplace_back("nan");
  if (spec.has_minus_zero()) specials.emplace_back("-0");
  if (!spec.has_zero) specials.emplace_back("no zero");
  if (spec.has_zero && !spec.has_subnormals) specials.emplace_back("no subnormals");
  return specials;
}

/// A decimal number, or for values outside double a power of two.
std::string magnitude_text(const FormatSpec& spec, const Dyadic& value) {
  if (spec.is_exact_in_double())
    return fmt::format("{:.6g}", std::ldexp(static_cast<double>(value.significand), value.exponent));
  return fmt::format("2^{:.6g}", std::log2(static_cast<double>(value.significand)) + value.exponent);
}

}  // namespace

std::string formats_table(const std::vector<std::string>& names) {
  Table table{.title = "Number formats",
              .header = {"name", "specials", "source", "bits", "E", "M", "bias", "max", "min normal", "min positive"},
              .rows = {},
              .notes = {}};
  for (const auto& [name, spec, document] : formats_of(names)) {
    const std::vector<std::string> specials = specials_of(spec);
    table.rows.push_back({name, specials.empty() ? "-" : fmt::format("{}", fmt::join(specials, ", ")), document,
                          std::to_string(spec.total_bits()), std::to_string(spec.exponent_bits),
                          std::to_string(spec.mantissa_bits), std::to_string(spec.bias),
                          magnitude_text(spec, spec.magnitude(spec.max_magnitude_code())),
                          magnitude_text(spec, {1, spec.emin()}), magnitude_text(spec, {1, spec.least_exponent()})});
  }
  return text_of(table, 3);
}

std::string formats_json(const std::vector<std::string>& names) {
  using nlohmann::json;
  json formats = json::array();
  for (const auto& [name, spec, document] : formats_of(names)) {
    const bool is_double = spec.is_exact_in_double();  // JSON has no numbers for the others
    formats.push_back({{"name", name},
                       {"bits", spec.total_bits()},
                       {"signed", spec.is_signed},
                       {"exponent_bits", spec.exponent_bits},
                       {"mantissa_bits", spec.mantissa_bits},
                       {"bias", spec.bias},
                       {"max_finite", is_double ? json(spec.max_finite()) : json()},
                       {"min_normal", is_double ? json(spec.min_normal()) : json()},
                       {"min_positive", is_double ? json(spec.min_positive()) : json()},
                       {"infinity", spec.has_infinity()},
                       {"nan", spec.has_nan()},
                       {"minus_zero", spec.has_minus_zero()},
                       {"zero", spec.has_zero},
                       {"subnormals", spec.has_subnormals},
                       {"source", document}});
  }
  return json({{"formats", formats}}).dump();
}

}  // namespace bitlaw
