#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace mu {
class Parser;
}

namespace bitlaw {

/// muParser with `and`, `or`, `not` beside && and ||: the language of formulas and conditions.
std::unique_ptr<mu::Parser> condition_parser();

/// muParser's message without its full stop.
std::string trimmed_message(std::string message);

/// Whether an equals sign of the text is no part of ==, !=, <= or >=: muParser takes it as an assignment, and --where
/// as key=value. "===" is none; muParser refuses it.
bool assigns(std::string_view text);

/// name == 'word' or name != 'word'.
struct WordComparison {
  std::string name, word;
  bool equal = true;

  bool holds_for(const std::string& text) const { return (text == word) == equal; }
};

/// `text` with every comparison of a name with a word in single quotes replaced by what `term_for` makes of it, e.g.
/// the name of a variable. Calls refuse(reason, remedy), which must throw, where a quote is open, a word stands alone
/// or a single '=' would assign.
std::string replace_word_comparisons(
    const std::string& text, const std::function<std::string(const WordComparison&)>& term_for,
    const std::function<void(const std::string& reason, const std::string& remedy)>& refuse);

}  // namespace bitlaw
