#include "fitting/laws/expression.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <numbers>

#include "core/base/check.h"
#include "core/base/error.h"

namespace bitlaw {

/// Recursive descent: sum -> product -> sign -> power -> atom, each writing its steps after those of its operands.
class Expression::Parser {
 public:
  Parser(std::string_view text, Expression& out) : text_(text), out_(out) {}

  void parse() {
    sum();
    if (skip_spaces(); at_ < text_.size()) refuse("an operator or the end");
  }

 private:
  static constexpr int kMaxNesting = 200;

  struct Function {
    std::string_view name;
    Operation operation;
  };
  static constexpr std::array kFunctions{Function{"exp", Operation::Exp},   Function{"log", Operation::Log},
                                         Function{"log2", Operation::Log2}, Function{"log10", Operation::Log10},
                                         Function{"sqrt", Operation::Sqrt}, Function{"abs", Operation::Abs},
                                         Function{"sin", Operation::Sin},   Function{"cos", Operation::Cos},
                                         Function{"atan", Operation::Atan}, Function{"erf", Operation::Erf}};

  [[noreturn]] void refuse(std::string_view expected) const {
    const std::string found = at_ < text_.size() ? fmt::format("'{}'", text_[at_]) : "nothing more";
    throw InputError(
        fmt::format("formula '{}', column {}: expected {} and found {}, so it says nothing; write for "
                    "example E + A/N^a + B/D^b",
                    text_, at_ + 1, expected, found));
  }

  void skip_spaces() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }
  bool take(char wanted) {
    skip_spaces();
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  void push(Step step) {
    out_.steps_.push_back(step);
    const bool leaf = step.operation == Operation::Number || step.operation == Operation::Name;
    if (leaf) out_.depth_ = std::max(out_.depth_, ++height_);
    if (step.operation >= Operation::Add && step.operation <= Operation::Power) --height_;
  }

  void sum() {
    product();
    for (;;) {
      if (take('+')) {
        product();
        push({Operation::Add});
      } else if (take('-')) {
        product();
        push({Operation::Subtract});
      } else {
        return;
      }
    }
  }

  void product() {
    sign();
    for (;;) {
      if (take('*')) {
        sign();
        push({Operation::Multiply});
      } else if (take('/')) {
        sign();
        push({Operation::Divide});
      } else {
        return;
      }
    }
  }

  void sign() {
    if (++nesting_ > kMaxNesting) refuse("fewer than 200 nested parts");
    if (take('-')) {
      sign();
      push({Operation::Negate});
    } else if (take('+')) {
      sign();
    } else {
      power();
    }
    --nesting_;
  }

  void power() {
    atom();
    if (!take('^')) return;
    sign();  // to the right, and a sign may follow: N^-a
    push({Operation::Power});
  }

  void atom() {
    skip_spaces();
    if (at_ >= text_.size()) refuse("a number, a name or (");
    const auto first = static_cast<unsigned char>(text_[at_]);
    if (take('(')) {
      sum();
      if (!take(')')) refuse(")");
    } else if (std::isdigit(first) != 0 || first == '.') {
      number();
    } else if (std::isalpha(first) != 0 || first == '_') {
      name();
    } else {
      refuse("a number, a name or (");
    }
  }

  void number() {
    double value = 0;
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (error != std::errc()) refuse("a number");
    at_ = static_cast<std::size_t>(end - text_.data());
    push({.operation = Operation::Number, .number = value});
  }

  void name() {
    const std::size_t start = at_;
    const auto in_name = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
    while (at_ < text_.size() && in_name(text_[at_])) ++at_;
    const std::string_view word = text_.substr(start, at_ - start);
    if (take('(')) return call(word, start);
    const auto found =
        static_cast<std::size_t>(std::find(out_.names_.begin(), out_.names_.end(), word) - out_.names_.begin());
    if (found == out_.names_.size()) out_.names_.emplace_back(word);
    push({.operation = Operation::Name, .name = found});
  }

  void call(std::string_view function, std::size_t start) {
    const auto* found =
        std::find_if(kFunctions.begin(), kFunctions.end(), [&](const Function& f) { return f.name == function; });
    if (found == kFunctions.end()) {
      at_ = start;
      std::vector<std::string_view> names;
      for (const Function& known : kFunctions) names.push_back(known.name);
      refuse(fmt::format("one of the functions {}", fmt::join(names, ", ")));
    }
    sum();
    if (!take(')')) refuse(")");
    push({found->operation});
  }

  std::string_view text_;
  Expression& out_;
  std::size_t at_ = 0, height_ = 0;
  int nesting_ = 0;
};

Expression::Expression(std::string_view text) { Parser(text, *this).parse(); }

double Expression::unary(Operation operation, double x, double& slope) {
  switch (operation) {
    case Operation::Negate:
      slope = -1;
      return -x;
    case Operation::Exp:
      slope = std::exp(x);
      return slope;
    case Operation::Log:
      slope = 1 / x;
      return std::log(x);
    case Operation::Log2:
      slope = 1 / (x * std::numbers::ln2);
      return std::log2(x);
    case Operation::Log10:
      slope = 1 / (x * std::numbers::ln10);
      return std::log10(x);
    case Operation::Sqrt:
      slope = 0.5 / std::sqrt(x);
      return std::sqrt(x);
    case Operation::Sin:
      slope = std::cos(x);
      return std::sin(x);
    case Operation::Cos:
      slope = -std::sin(x);
      return std::cos(x);
    case Operation::Atan:
      slope = 1 / (1 + x * x);
      return std::atan(x);
    case Operation::Erf:
      slope = 2 * std::numbers::inv_sqrtpi * std::exp(-x * x);
      return std::erf(x);
    default:
      slope = x < 0 ? -1 : 1;
      return std::abs(x);
  }
}

double Expression::binary(Operation operation, double x, double y, double& slope_x, double& slope_y) {
  slope_x = slope_y = 1;
  switch (operation) {
    case Operation::Add:
      return x + y;
    case Operation::Subtract:
      slope_y = -1;
      return x - y;
    case Operation::Multiply:
      slope_x = y;
      slope_y = x;
      return x * y;
    case Operation::Divide:
      slope_x = 1 / y;
      slope_y = -x / (y * y);
      return x / y;
    default: {
      const double power = std::pow(x, y);
      slope_x = y == 0 ? 0 : y * std::pow(x, y - 1);
      slope_y = x > 0 ? power * std::log(x) : 0;
      return power;
    }
  }
}

double Expression::evaluate(std::span<const double> values, std::span<double> gradient) const {
  const std::size_t n = names_.size();
  BITLAW_CHECK(values.size() == n && (gradient.empty() || gradient.size() == n), "{} values, {} slopes of {} names",
               values.size(), gradient.size(), n);
  const std::size_t stride = gradient.empty() ? 0 : n;
  std::vector<double> stack(depth_), slopes(depth_ * stride);
  std::size_t top = 0;  // one past the last value
  for (const Step& step : steps_) {
    if (step.operation == Operation::Number || step.operation == Operation::Name) {
      std::fill_n(slopes.begin() + static_cast<std::ptrdiff_t>(top * stride), stride, 0.0);
      stack[top] = step.operation == Operation::Number ? step.number : values[step.name];
      if (stride > 0 && step.operation == Operation::Name) slopes[top * stride + step.name] = 1;
      ++top;
      continue;
    }
    double slope_x = 0, slope_y = 0;
    if (step.operation <= Operation::Power) {
      --top;
      stack[top - 1] = binary(step.operation, stack[top - 1], stack[top], slope_x, slope_y);
    } else {
      stack[top - 1] = unary(step.operation, stack[top - 1], slope_x);
    }
    for (std::size_t k = 0; k < stride; ++k) {
      double& slope = slopes[(top - 1) * stride + k];
      slope *= slope_x;
      if (slope_y != 0) slope += slope_y * slopes[top * stride + k];
    }
  }
  std::copy_n(slopes.begin(), stride, gradient.begin());
  return stack[0];
}

}  // namespace bitlaw
