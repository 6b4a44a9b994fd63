#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

namespace bitlaw {

// Names of formats are read from front to back.

/// Takes `prefix` off the front of `text`, when it is there.
inline bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

/// Takes an integer in [least, most] off the front of `text`. It has one spelling: no leading zeros, no -0.
inline std::optional<int> take_integer(std::string_view& text, int least, int most) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value < least || value > most) return std::nullopt;
  return take(text, std::to_string(value)) ? std::optional(value) : std::nullopt;
}

}  // namespace bitlaw
