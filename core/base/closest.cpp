#include "core/base/closest.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <vector>

namespace bitlaw {
namespace {

bool same_letter(char a, char b) {
  return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
}

/// Optimal string alignment distance, row by row: row[j] is the distance of a's first i letters and b's first j.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before_last.swap(last);
    last.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (same_letter(a[i - 1], b[j - 1]) ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) && same_letter(a[i - 2], b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row[b.size()];
}

template <typename Text>
std::string closest(std::string_view word, std::span<const Text> candidates) {
  std::string best;
  std::size_t least = word.size() + 1;
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    const std::size_t allowed = std::max<std::size_t>(1, std::max(word.size(), candidate.size()) / 3);
    if (distance <= allowed && distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

template <typename Text>
std::string remedy_of(std::string_view word, std::span<const Text> known, std::string_view offer) {
  const std::string nearest = closest(word, known);
  return nearest.empty() ? fmt::format("{}: {}", offer, fmt::join(known, ", "))
                         : fmt::format("did you mean '{}'?", nearest);
}

}  // namespace

std::string closest_match(std::string_view word, std::span<const std::string_view> candidates) {
  return closest(word, candidates);
}
std::string closest_match(std::string_view word, std::span<const std::string> candidates) {
  return closest(word, candidates);
}

std::string remedy(std::string_view word, std::span<const std::string_view> known, std::string_view offer) {
  return remedy_of(word, known, offer);
}
std::string remedy(std::string_view word, std::span<const std::string> known, std::string_view offer) {
  return remedy_of(word, known, offer);
}

}  // namespace bitlaw
