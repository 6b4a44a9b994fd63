#include "experiments/cli/formats_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "experiments/cli/format_facts.h"
#include "experiments/report/table.h"

namespace bitlaw {
namespace {

constexpr int kTableDigits = 4;

std::vector<NamedFormat> formats_of(const std::vector<std::string>& names) {
  if (names.empty()) return catalog_formats();
  std::vector<NamedFormat> formats;
  for (const std::string& name : names) formats.push_back(named_format(name));
  return formats;
}

/// The number of `source` among `sources`, from 1 on; appends it when it is new.
std::size_t number_of(const std::string& source, std::vector<std::string>& sources) {
  const auto found = std::find(sources.begin(), sources.end(), source);
  const auto number = static_cast<std::size_t>(found - sources.begin()) + 1;
  if (found == sources.end()) sources.push_back(source);
  return number;
}

}  // namespace

std::string formats_table(const std::vector<std::string>& names) {
  Table table{
      .title = "Number formats: E exponent bits, M fraction bits, epsilon = 2^-M",
      .header = {"name", "specials", "bits", "E", "M", "bias", "max", "min normal", "subnormal", "epsilon", "ref"},
      .rows = {},
      .notes = {}};
  std::vector<std::string> sources;
  for (const NamedFormat& format : formats_of(names)) {
    const FormatTexts texts = format_texts(format.element, kTableDigits);
    const std::vector<std::string> specials = specials_of(format.element);
    table.rows.push_back({format.name, specials.empty() ? "-" : fmt::format("{}", fmt::join(specials, " ")), texts.bits,
                          texts.exponent_bits, texts.mantissa_bits, texts.bias, texts.max, texts.min_normal,
                          texts.min_subnormal, texts.epsilon, fmt::format("[{}]", number_of(format.source, sources))});
  }
  for (std::size_t i = 0; i < sources.size(); ++i) table.notes.push_back(fmt::format("[{}] {}", i + 1, sources[i]));
  return text_of(table, 2);
}

std::string formats_json(const std::vector<std::string>& names) {
  nlohmann::json formats = nlohmann::json::array();
  for (const NamedFormat& format : formats_of(names)) formats.push_back(facts_json(format));
  return nlohmann::json({{"formats", formats}}).dump();
}

}  // namespace bitlaw
