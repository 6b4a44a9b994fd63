#include "experiments/sweep/condition.h"

#include <fmt/format.h>
#include <muParser.h>

namespace bitlaw {
namespace {

constexpr std::string_view kNameCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

}  // namespace

bool assigns(std::string_view text) {
  for (auto at = text.find('='); at != std::string_view::npos; at = text.find('=', at + 1)) {
    const bool before = at > 0 && std::string_view("=!<>").find(text[at - 1]) != std::string_view::npos;
    const bool behind = at + 1 < text.size() && text[at + 1] == '=';
    if (!before && !behind) return true;
  }
  return false;
}

std::unique_ptr<mu::Parser> condition_parser() {
  auto parser = std::make_unique<mu::Parser>();
  parser->DefineInfixOprtChars("+-!not");
  parser->DefineOprt(
      "and", [](double a, double b) { return a != 0 && b != 0 ? 1.0 : 0.0; }, mu::prLAND);
  parser->DefineOprt(
      "or", [](double a, double b) { return a != 0 || b != 0 ? 1.0 : 0.0; }, mu::prLOR);
  parser->DefineInfixOprt("not", [](double a) { return a == 0 ? 1.0 : 0.0; });
  return parser;
}

std::string trimmed_message(std::string message) {
  while (!message.empty() && (message.back() == '.' || message.back() == ' ')) message.pop_back();
  return message;
}

std::string replace_word_comparisons(
    const std::string& text, const std::function<std::string(const WordComparison&)>& term_for,
    const std::function<void(const std::string& reason, const std::string& remedy)>& refuse) {
  std::string result;
  std::size_t done = 0;
  for (auto open = text.find('\''); open != std::string::npos; open = text.find('\'', done)) {
    const auto close = text.find('\'', open + 1);
    if (close == std::string::npos) refuse("a quote is not closed", "write the word between two '");
    const std::string word = text.substr(open + 1, close - open - 1);
    const std::string before = text.substr(done, open - done);
    const auto sign = before.find_last_not_of(' ');
    const bool equal = sign != std::string::npos && sign > 0 && before.compare(sign - 1, 2, "==") == 0;
    const bool unequal = sign != std::string::npos && sign > 0 && before.compare(sign - 1, 2, "!=") == 0;
    const auto last = equal || unequal ? before.find_last_not_of(' ', sign - 2) : std::string::npos;
    if (last == std::string::npos) refuse(fmt::format("'{}' stands alone", word), "compare a key with it by == or !=");
    const auto first = before.find_last_not_of(kNameCharacters, last);
    const std::size_t start = first == std::string::npos ? 0 : first + 1;
    result += before.substr(0, start) + term_for({before.substr(start, last + 1 - start), word, equal});
    done = close + 1;
  }
  result += text.substr(done);
  if (assigns(result)) refuse("a single '=' assigns and does not compare", "use == for equality");
  return result;
}

}  // namespace bitlaw
