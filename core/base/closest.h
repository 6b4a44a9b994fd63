#pragma once

#include <span>
#include <string>
#include <string_view>

namespace bitlaw {

/// The candidate that a misspelt `word` most likely means, "" when none is near: the least number of letters inserted,
/// deleted, replaced or swapped with their neighbour (Damerau 1964), at most one per three letters of the longer word
/// but always one. The first of equals; upper and lower case count as the same.
std::string closest_match(std::string_view word, std::span<const std::string_view> candidates);
std::string closest_match(std::string_view word, std::span<const std::string> candidates);

/// The end of a message about a misspelt `word`: "did you mean 'seed'?" for the closest match, else all that are
/// `known` after the words of `offer`, "use one of: seed, tokens".
std::string remedy(std::string_view word, std::span<const std::string_view> known,
                   std::string_view offer = "use one of");
std::string remedy(std::string_view word, std::span<const std::string> known, std::string_view offer = "use one of");

}  // namespace bitlaw
