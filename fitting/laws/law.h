#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bitlaw {

/// The coordinate in which a parameter is fitted.
enum class Transform {
  Identity,  ///< the value itself: exponents
  Log,       ///< its natural logarithm: coefficients, which stay positive this way
};

/// One parameter of a law. Bounds and starts are natural values (A, not log A).
struct LawParameter {
  std::string_view name;   ///< as in the equation: "A", "alpha"
  std::string_view units;  ///< "nat", "1"; coefficients carry whatever makes their term nats
  Transform transform = Transform::Identity;
  double lower = 0, upper = 0;   ///< wide: a fit that ends on one says that the data do not decide the parameter
  std::vector<double> starts{};  ///< the multi-start grid is the product over parameters
  bool linear = false;           ///< L is affine in all parameters so marked, together: they can be solved for
};

/// What a design must vary before some parameters can be told apart.
struct DesignNeed {
  std::string_view input;        ///< name of the input that must vary
  int distinct = 0;              ///< values that it must take at least
  bool quantized_only = false;   ///< counted over observations with a quantization penalty (G or B > 1) only
  std::string_view parameters;   ///< which are otherwise undecided, e.g. "A, alpha"
  std::string_view consequence;  ///< what the fit then cannot tell apart
  std::string_view cure;         ///< the cheapest run that decides it
};

/// Coefficients printed in a paper, natural values in the order of parameters().
struct PublishedFit {
  std::string_view name;      ///< e.g. "W4A4"
  std::string_view citation;  ///< paper and table
  std::vector<double> values;
};

/// The facts of a law.
struct LawInfo {
  std::string_view name;      ///< in YAML and files: "chinchilla"
  std::string_view equation;  ///< plain text: "L = E + A/N^alpha + B/D^beta"
  std::string_view source;    ///< authors, year, arXiv number, equation
  std::vector<LawParameter> parameters;
  std::vector<std::string_view> inputs;  ///< names that least_value() knows
  std::vector<DesignNeed> needs{};
  std::vector<PublishedFit> published{};
  int keep = 24;  ///< starting points that a fit minimizes from; few where one evaluation takes a millisecond
  /// Of shares of a few answers: equal rows are then no copies, and residuals are skewed and of unequal size without a
  /// fault of the law, so neither is tested.
  bool of_shares = false;
  /// Derivatives cost little beside the loss: a minimizer asks for both where it would ask for both later.
  bool cheap_derivatives = false;
};

/// A formula for the loss [nat/token] as a function of what a run was given; some laws predict another positive number
/// instead (a penalty, an error, a number of steps), and "loss" means that number then.
///
/// A law is one file with a formula (see formula_law.h) and one line in the registry of law.cpp.
class Law {
 public:
  explicit Law(LawInfo info) : info_(std::move(info)) {}
  virtual ~Law() = default;
  Law(const Law&) = delete;
  Law& operator=(const Law&) = delete;

  std::string_view name() const { return info_.name; }
  std::string_view equation() const { return info_.equation; }
  std::string_view source() const { return info_.source; }
  const std::vector<LawParameter>& parameters() const { return info_.parameters; }
  const std::vector<std::string_view>& inputs() const { return info_.inputs; }
  const std::vector<DesignNeed>& needs() const { return info_.needs; }
  const std::vector<PublishedFit>& published() const { return info_.published; }
  int keep() const { return info_.keep; }
  bool is_of_shares() const { return info_.of_shares; }
  bool has_cheap_derivatives() const { return info_.cheap_derivatives; }

  /// Loss [nat/token] for natural parameters and inputs, both in the law's own order.
  virtual double predict(std::span<const double> natural, std::span<const double> inputs) const = 0;

  /// What the formula needs of one observation's inputs, computed once per fit (logarithms, mostly).
  virtual std::vector<double> features(std::span<const double> inputs) const = 0;

  /// L and its gradient for n observations.
  ///
  /// fitted [p]: parameters in fitted coordinates. features [n, features]: rows from features(). loss [n] is written;
  /// jacobian [n, p], row-major, too unless it is empty: d L / d fitted, exact (automatic differentiation).
  virtual void predictions(std::span<const double> fitted, std::span<const double> features, std::span<double> loss,
                           std::span<double> jacobian) const = 0;

  /// The same for log L and d log L / d fitted; NaN where L is negative.
  void log_predictions(std::span<const double> fitted, std::span<const double> features, std::span<double> log_loss,
                       std::span<double> jacobian) const;

  std::vector<double> to_fitted(std::span<const double> natural) const;
  std::vector<double> to_natural(std::span<const double> fitted) const;

 private:
  LawInfo info_;
};

double to_fitted(const LawParameter& parameter, double natural);
double to_natural(const LawParameter& parameter, double fitted);

/// The least value of an input with which laws have a meaning: 1 for "N" [parameters], "D" [tokens], "G" and "B"
/// [elements per scale]; 0 for "E" and "M" [exponent and mantissa bits] and most others; -infinity for names that no
/// law of the registry uses.
double least_value(std::string_view input);

/// The law called `name`; InputError with the nearest name when there is none.
const Law& find_law(std::string_view name);

/// Every registered name, in a fixed order.
std::vector<std::string_view> law_names();

}  // namespace bitlaw
