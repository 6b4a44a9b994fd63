#include "core/format/element.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <charconv>
#include <vector>

#include "core/base/error.h"
#include "core/format/name_parts.h"

namespace bitlaw {
namespace {

constexpr int kMostSteps = 64;

/// One of each kind, to be near a misspelt one.
constexpr std::array<std::string_view, 3> kCodebookNames{"nf4", "log4:steps=2", "codebook[-1,-0.5,0,0.5,1]"};

/// logN:steps=S; `text` follows "log".
Codebook parse_log(std::string_view name, std::string_view text) {
  const auto bits = take_integer(text, 2, 8);
  if (bits && take(text, ":steps=")) {
    const auto steps = take_integer(text, 1, kMostSteps);
    if (steps && text.empty()) return log_codebook(*bits, *steps);
  }
  throw InputError(
      fmt::format("'{}' is no logarithmic codebook, so it has no values; write logN:steps=S with N bits, 2 "
                  "to 8, and S values per factor of two, 1 to {}",
                  name, kMostSteps));
}

/// The numbers of "V,V,..." in their order.
Codebook parse_list(std::string_view text) {
  std::vector<float> values;
  while (true) {
    const std::string_view item = text.substr(0, text.find(','));
    values.push_back(parse_codebook_value(item));
    if (item.size() == text.size()) return Codebook(values);
    text.remove_prefix(item.size() + 1);
  }
}

}  // namespace

float parse_codebook_value(std::string_view text) {
  float value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return value;
  throw InputError(
      fmt::format("'{}' is no float32 number, so the codebook has no such value; write numbers such as -1, 0.25 or "
                  "1e-3, in codebook[...] without spaces",
                  text));
}

std::optional<Codebook> parse_codebook(std::string_view name) {
  std::string_view rest = name;
  if (name == "nf4") return nf4();
  if (take(rest, "log")) return parse_log(name, rest);
  if (!take(rest, "codebook[") || !rest.ends_with(']')) return std::nullopt;
  rest.remove_suffix(1);
  return parse_list(rest);
}

Element parse_element(std::string_view name) {
  if (const auto book = parse_codebook(name)) return *book;
  return parse_format(name, kCodebookNames);
}

std::string codebook_name(const Codebook& book) {
  if (book == nf4()) return "nf4";
  const int bits = book.total_bits();
  // A logarithmic codebook has one value less than codes.
  if (book.values().size() + 1 == std::size_t{1} << bits) {
    for (int steps = 1; steps <= kMostSteps && bits >= 2; ++steps) {
      if (book == log_codebook(bits, steps)) return fmt::format("log{}:steps={}", bits, steps);
    }
  }
  return fmt::format("codebook[{}]", fmt::join(book.values(), ","));
}

std::string element_name(const Element& element) {
  if (const auto* book = std::get_if<Codebook>(&element)) return codebook_name(*book);
  return format_name(std::get<FormatSpec>(element));
}

}  // namespace bitlaw
