#include "core/format/element.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <vector>

#include "core/base/error.h"

namespace bitlaw {
namespace {

constexpr int kMostSteps = 64;

/// Takes an integer in [least, most] off the front of `text`.
std::optional<int> take_integer(std::string_view& text, int least, int most) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value < least || value > most) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

/// logN:steps=S; `text` follows "log".
Codebook parse_log(std::string_view name, std::string_view text) {
  constexpr std::string_view kSteps = ":steps=";
  const auto bits = take_integer(text, 2, 8);
  if (bits && text.starts_with(kSteps)) {
    text.remove_prefix(kSteps.size());
    const auto steps = take_integer(text, 1, kMostSteps);
    if (steps && text.empty()) return log_codebook(*bits, *steps);
  }
  throw InputError(
      fmt::format("'{}' is no logarithmic codebook, so it has no values; write logN:steps=S with N bits, 2 "
                  "to 8, and S values per factor of two, 1 to {}",
                  name, kMostSteps));
}

/// The numbers of "V,V,..." in their order.
Codebook parse_list(std::string_view name, std::string_view text) {
  std::vector<float> values;
  while (true) {
    const std::string_view item = text.substr(0, text.find(','));
    float value = 0;
    const auto [end, error] = std::from_chars(item.data(), item.data() + item.size(), value);
    if (error != std::errc() || end != item.data() + item.size()) {
      throw InputError(
          fmt::format("'{}' in '{}' is not a number, so the codebook has no such value; write "
                      "codebook[-1,-0.5,0,0.5,1], without spaces",
                      item, name));
    }
    values.push_back(value);
    if (item.size() == text.size()) return Codebook(values);
    text.remove_prefix(item.size() + 1);
  }
}

}  // namespace

std::optional<Codebook> parse_codebook(std::string_view name) {
  constexpr std::string_view kLog = "log";
  constexpr std::string_view kList = "codebook[";
  if (name == "nf4") return nf4();
  if (name.starts_with(kLog)) return parse_log(name, name.substr(kLog.size()));
  if (!name.starts_with(kList) || !name.ends_with(']')) return std::nullopt;
  return parse_list(name, name.substr(kList.size(), name.size() - kList.size() - 1));
}

Element parse_element(std::string_view name) {
  if (const auto book = parse_codebook(name)) return *book;
  return parse_format(name);
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
