#include "experiments/cli/conversion_words.h"

#include <fmt/format.h>

#include <vector>

#include "core/base/closest.h"
#include "core/base/error.h"
#include "experiments/sweep/slot_yaml.h"

namespace bitlaw {
namespace {

/// The value that `word` names in a table of names.
template <typename Table>
auto word_in(const Table& table, const std::string& word, std::string_view name, std::string_view separator) {
  if (const auto value = value_of(word, table)) return *value;
  std::vector<std::string_view> known;
  for (const auto& entry : table) known.push_back(entry.name);
  throw InputError(fmt::format("{}{}{}: '{}' is not known, so nothing was done; {}", name, separator, word, word,
                               remedy(word, std::span<const std::string_view>(known))));
}

Rounding rounding_of(const ConversionWords& words, const ConversionNames& names) {
  const std::string_view is = names.separator;
  const RoundingMode mode = word_in(kRoundingWords, words.round, names.round, is);
  const bool takes_bits = is_stochastic(mode) && mode != RoundingMode::StochasticExact;
  if (takes_bits && !words.bits) {
    throw InputError(
        fmt::format("{}{}{}: {} is missing, so the number of random bits is unknown; add for "
                    "example {}{}8, or use stochastic_exact, which takes as many as it needs",
                    names.round, is, words.round, names.bits, names.bits, is));
  }
  if (!takes_bits && words.bits) {
    throw InputError(
        fmt::format("{}{}{}: {}{}{} does not take a number of random bits, so it would be ignored; "
                    "drop it or use stochastic_a, stochastic_b or stochastic_c",
                    names.bits, is, *words.bits, names.round, is, words.round));
  }
  if (takes_bits && (*words.bits < 1 || *words.bits > 32)) {
    throw InputError(fmt::format("{}{}{}: is no number of random bits; use 1 to 32", names.bits, is, *words.bits));
  }
  const PowerTies ties = word_in(kPowerTiesNames, words.power_ties.value_or("even_code"), names.power_ties, is);
  if (words.power_ties && mode != RoundingMode::TiesToEven) {
    throw InputError(
        fmt::format("{}{}{}: is about {}{}ties_to_even alone, so with {} it would be ignored; "
                    "drop one of the two",
                    names.power_ties, is, *words.power_ties, names.round, is, words.round));
  }
  return {mode, words.bits.value_or(0), ties};
}

}  // namespace

Conversion conversion_of(const ConversionWords& words, const ConversionNames& names) {
  Conversion conversion(rounding_of(words, names));
  if (words.overflow) {
    conversion.overflow = word_in(kOverflowNames, *words.overflow, names.overflow, names.separator);
  }
  if (words.nan) conversion.nan = word_in(kNanPolicyNames, *words.nan, names.nan, names.separator);
  return conversion;
}

}  // namespace bitlaw
