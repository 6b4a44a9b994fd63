#include "experiments/cli/format_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/format/codes.h"
#include "experiments/cli/format_facts.h"
#include "experiments/cli/format_values.h"
#include "experiments/report/table.h"

namespace bitlaw {
namespace {

constexpr int kMostCountedBits = 16;
constexpr std::size_t kMostShownValues = 4;

using Values = std::vector<ExactValue>;

/// One of the two formats.
struct Side {
  NamedFormat format;
  std::optional<Values> values;  ///< all finite ones, ascending; unset: too many
  std::optional<Values> alone;   ///< those that the other has not; unset as values

  explicit Side(const std::string& name) : format(named_format(name)) {
    if (total_bits(format.element) <= kMostCountedBits) values = finite_values(format.element);
  }
  bool has(const ExactValue& value) const {
    if (values) return std::binary_search(values->begin(), values->end(), value);
    // A format of more than 16 bits is no codebook and is exact in double, so a value outside double is none of its.
    const auto number = value.as_double();
    return number && encode(std::get<FormatSpec>(format.element), *number).has_value();
  }
  void compare_with(const Side& other) {
    if (!values) return;
    alone.emplace();
    std::copy_if(values->begin(), values->end(), std::back_inserter(*alone),
                 [&](const ExactValue& value) { return !other.has(value); });
  }
  std::optional<std::size_t> common() const {
    return values ? std::optional(values->size() - alone->size()) : std::nullopt;
  }
};

/// Largest (next value - value) / value over positive values, from min normal on where a format has one: 2^-M. Unset:
/// not listed, or one positive value.
std::optional<double> largest_gap(const Side& side) {
  if (!side.values) return std::nullopt;
  const auto* spec = std::get_if<FormatSpec>(&side.format.element);
  const int first = spec != nullptr && spec->exponent_bits > 0 ? spec->emin() : ExactValue::kZeroExponent + 1;
  std::optional<double> gap;
  for (std::size_t i = 1; i < side.values->size(); ++i) {
    const ExactValue &low = (*side.values)[i - 1], &high = (*side.values)[i];
    if (low.negative || low.exponent < first) continue;
    const double ratio = static_cast<double>(high.significand) / static_cast<double>(low.significand);
    gap = std::max(gap.value_or(0), std::ldexp(ratio, high.exponent - low.exponent) - 1);
  }
  return gap;
}

struct Comparison {
  Side a, b;

  Comparison(const std::string& name_a, const std::string& name_b) : a(name_a), b(name_b) {
    a.compare_with(b);
    b.compare_with(a);
  }
  std::optional<std::size_t> common() const { return a.values ? a.common() : b.common(); }
};

/// Positive values in [2^exponent, 2^(exponent + 1)): of a, of b, of both.
struct BinadeCounts {
  std::size_t a = 0, b = 0, both = 0;
  friend bool operator==(const BinadeCounts&, const BinadeCounts&) = default;
};

/// By exponent, without gaps. Both formats must be listed.
std::map<int, BinadeCounts> binades_of(const Comparison& formats) {
  std::map<int, BinadeCounts> counts;
  for (const ExactValue& value : *formats.a.values) {
    if (value.negative || value.is_zero()) continue;
    ++counts[value.exponent].a;
    counts[value.exponent].both += formats.b.has(value);
  }
  for (const ExactValue& value : *formats.b.values) {
    if (!value.negative && !value.is_zero()) ++counts[value.exponent].b;
  }
  if (!counts.empty()) {
    for (int e = counts.begin()->first; e < counts.rbegin()->first; ++e) counts.try_emplace(e);
  }
  return counts;
}

std::string count_text(std::optional<std::size_t> count) { return count ? std::to_string(*count) : "-"; }

std::string side_table(const Comparison& formats) {
  const auto& [a, b] = formats;
  Table table{.title = fmt::format("{} and {}", a.format.name, b.format.name),
              .header = {"", a.format.name, b.format.name},
              .rows = {},
              .notes = {}};
  const auto facts_a = facts_of(a.format), facts_b = facts_of(b.format);
  for (std::size_t i = 0; i < facts_a.size(); ++i) {
    if (facts_a[i].first != "source") {
      table.rows.push_back({facts_a[i].first, facts_a[i].second, facts_b[i].second});
    }
  }
  const auto size = [](const std::optional<Values>& values) {
    return count_text(values ? std::optional(values->size()) : std::nullopt);
  };
  const auto gap_text = [](const Side& side) {
    const auto gap = largest_gap(side);
    return gap ? fmt::format("{:.9g}", *gap) : "-";
  };
  table.rows.push_back({"largest gap", gap_text(a), gap_text(b)});
  table.rows.push_back({"finite values", size(a.values), size(b.values)});
  table.rows.push_back({"in both", count_text(formats.common()), count_text(formats.common())});
  table.rows.push_back({"only here", size(a.alone), size(b.alone)});
  table.notes = {
      "largest gap: between neighbours, relative to the smaller one; over normal numbers where there are any",
      a.format.name + ": " + a.format.source, b.format.name + ": " + b.format.source};
  if (!a.values || !b.values) table.notes.push_back("-: values are counted up to 16 bits");
  return text_of(table);
}

/// Neighbouring binades with the same counts share a row.
std::string binade_table(const Comparison& formats) {
  Table table{.title = "Positive values from 2^e to 2^(e+1)",
              .header = {"e", formats.a.format.name, formats.b.format.name, "in both"},
              .rows = {},
              .notes = {}};
  const auto counts = binades_of(formats);
  for (auto first = counts.begin(); first != counts.end();) {
    auto end = std::find_if(first, counts.end(), [&](const auto& entry) { return !(entry.second == first->second); });
    const int last = std::prev(end)->first;
    const BinadeCounts& c = first->second;
    table.rows.push_back({last == first->first ? std::to_string(last) : fmt::format("{} to {}", first->first, last),
                          std::to_string(c.a), std::to_string(c.b), std::to_string(c.both)});
    first = end;
  }
  return text_of(table);
}

/// "Only e4m3: 0.00195 ... 448 and 64 negative ones".
std::string alone_line(const Side& side) {
  if (!side.alone || side.alone->empty()) return "";
  std::string text = fmt::format("Only {}:", side.format.name);
  const auto first = std::find_if(side.alone->begin(), side.alone->end(), [](const auto& v) { return !v.negative; });
  const auto positive = static_cast<std::size_t>(side.alone->end() - first);
  for (std::size_t i = 0; i < std::min(kMostShownValues, positive); ++i) {
    text += " " + value_text(*(first + static_cast<std::ptrdiff_t>(i)));
  }
  if (positive > kMostShownValues) text += fmt::format(" ... {}", value_text(side.alone->back()));
  const std::size_t negative = side.alone->size() - positive;
  if (negative > 0) text += fmt::format("{} and {} negative ones", positive > 0 ? "" : " ", negative);
  return text + "\n";
}

nlohmann::json alone_json(const Side& side) {
  if (!side.alone) return {};
  nlohmann::json list = nlohmann::json::array();
  for (const ExactValue& value : *side.alone) {
    const auto number = value.as_double();
    list.push_back(number ? nlohmann::json(*number) : nlohmann::json());
  }
  return list;
}

nlohmann::json size_json(const std::optional<Values>& values) {
  return values ? nlohmann::json(values->size()) : nlohmann::json();
}

}  // namespace

std::string format_comparison_text(const std::string& a, const std::string& b) {
  const Comparison formats(a, b);
  std::string text = side_table(formats);
  if (formats.a.values && formats.b.values) text += "\n" + binade_table(formats);
  const std::string alone = alone_line(formats.a) + alone_line(formats.b);
  return alone.empty() ? text : text + "\n" + alone;
}

std::string format_comparison_json(const std::string& a, const std::string& b) {
  using nlohmann::json;
  const Comparison formats(a, b);
  json binades;
  if (formats.a.values && formats.b.values) {
    binades = json::array();
    for (const auto& [exponent, count] : binades_of(formats)) {
      binades.push_back({{"exponent", exponent}, {"a", count.a}, {"b", count.b}, {"common", count.both}});
    }
  }
  const auto common = formats.common();
  const auto gap_a = largest_gap(formats.a), gap_b = largest_gap(formats.b);
  return json({{"a", facts_json(formats.a.format)},
               {"b", facts_json(formats.b.format)},
               {"largest_gap_a", gap_a ? json(*gap_a) : json()},
               {"largest_gap_b", gap_b ? json(*gap_b) : json()},
               {"values_a", size_json(formats.a.values)},
               {"values_b", size_json(formats.b.values)},
               {"common", common ? json(*common) : json()},
               {"only_a", alone_json(formats.a)},
               {"only_b", alone_json(formats.b)},
               {"binades", binades}})
      .dump();
}

}  // namespace bitlaw
