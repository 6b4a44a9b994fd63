#include "experiments/report/numbers.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace bitlaw {
namespace {

/// The text of a value that is no finite number, or "" for one that is.
std::string special(double value) {
  if (std::isnan(value)) return "–";
  if (std::isinf(value)) return value > 0 ? "∞" : "-∞";
  return "";
}

}  // namespace

std::string format_count(double value) {
  struct Prefix {
    double size;
    const char* letter;
  };
  constexpr std::array kPrefixes{Prefix{1e12, "T"}, Prefix{1e9, "G"}, Prefix{1e6, "M"}, Prefix{1e3, "k"}};
  if (!std::isfinite(value)) return special(value);
  for (const Prefix& prefix : kPrefixes) {
    // From 999.95 of the smaller unit on, four digits would round to 1000 of it.
    if (std::abs(value) >= 0.99995 * prefix.size) return fmt::format("{:.4g}{}", value / prefix.size, prefix.letter);
  }
  return fmt::format("{:.4g}", value);
}

std::string format_value(double value, int digits) {
  return std::isfinite(value) ? fmt::format("{:.{}g}", value, digits) : special(value);
}

std::string format_loss(double value) { return std::isfinite(value) ? fmt::format("{:.4f}", value) : special(value); }

std::string format_difference(double value) {
  return std::isfinite(value) ? fmt::format("{:+.4f}", value) : special(value);
}

std::string format_interval(double low, double high) {
  if (std::isnan(low) || std::isnan(high)) return "–";
  return fmt::format("{} to {}", format_value(low), format_value(high));
}

}  // namespace bitlaw
