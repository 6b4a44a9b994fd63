#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bitlaw {

/// An arithmetic formula as text, e.g. "E + A/N^a + B/D^b", with exact derivatives.
///
/// Numbers (1e-3), names (letters, digits, _), + - * / ^ ( ), and exp log log2 log10 sqrt abs sin cos atan erf; angles
/// are in radians. ^ binds tightest and to the right: -x^2 is -(x^2), 2^3^2 is 2^9, a/N^-b is a/(N^-b).
class Expression {
 public:
  /// InputError with the column at the first character that fits no formula.
  explicit Expression(std::string_view text);

  /// Every name once, in order of appearance.
  const std::vector<std::string>& names() const { return names_; }

  /// The value for values [names]; gradient [names] unless it is empty: d value / d values. A base of zero or below has
  /// no derivative for its exponent; it counts as zero there.
  double evaluate(std::span<const double> values, std::span<double> gradient) const;

 private:
  class Parser;
  enum class Operation {
    Number,
    Name,
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Negate,
    Exp,
    Log,
    Log2,
    Log10,
    Sqrt,
    Abs,
    Sin,
    Cos,
    Atan,
    Erf
  };
  /// One step of a stack machine.
  struct Step {
    Operation operation;
    double number = 0;     ///< of Number
    std::size_t name = 0;  ///< of Name
  };
  static double unary(Operation operation, double x, double& slope);
  static double binary(Operation operation, double x, double y, double& slope_x, double& slope_y);

  std::vector<Step> steps_;
  std::vector<std::string> names_;
  std::size_t depth_ = 0;  ///< of the stack
};

}  // namespace bitlaw
