#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fitting/laws/law.h"

namespace bitlaw {

/// What is known of a parameter of a formula; what is not given follows from its name, see text_law().
struct ParameterText {
  std::optional<Transform> transform{};
  std::optional<double> lower{}, upper{};
  std::vector<double> starts{};
  bool linear = false;  ///< the user's word that the formula is affine in all parameters so marked, together
};

/// A law written by a user.
struct LawText {
  std::string name = "formula";
  std::string formula;                                ///< an Expression: "E + A/N^a + B/D^b"
  std::vector<std::string> inputs{};                  ///< which of its names are columns; the others are parameters
  std::map<std::string, ParameterText> parameters{};  ///< by name
};

/// The law that a text describes. As in most papers, a parameter whose name begins with a capital is a positive
/// coefficient, fitted as its logarithm from 1e-12 to 1e30 with the starts 1, 10^2, 10^4 and 10^6; any other is an
/// exponent or a constant, fitted as itself from -1000 to 1000 with the starts 0.1, 0.3 and 1.
///
/// InputError for a text that is no formula, a formula without parameters, an input that it does not contain, a
/// parameter described that it does not contain, a range without inside, a start outside it.
std::unique_ptr<Law> text_law(const LawText& text);

}  // namespace bitlaw
