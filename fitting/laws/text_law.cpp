#include "fitting/laws/text_law.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

#include "core/base/check.h"
#include "core/base/closest.h"
#include "core/base/error.h"
#include "fitting/laws/expression.h"

namespace bitlaw {
namespace {

/// What a Law only has views of.
struct Storage {
  explicit Storage(const LawText& law) : text(law), expression(law.formula) {}
  LawText text;
  Expression expression;
};

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

LawParameter parameter_of(const std::string& name, const ParameterText& text) {
  const bool capital = std::isupper(static_cast<unsigned char>(name.front())) != 0;
  LawParameter parameter{
      .name = name, .units = "", .transform = text.transform.value_or(capital ? Transform::Log : Transform::Identity)};
  parameter.linear = text.linear;
  const bool log = parameter.transform == Transform::Log;
  parameter.lower = text.lower.value_or(log ? 1e-12 : -1000);
  parameter.upper = text.upper.value_or(log ? 1e30 : 1000);
  if (!(parameter.lower < parameter.upper) || (log && !(parameter.lower > 0))) {
    throw InputError(fmt::format(
        "parameter '{}': its range {} to {} {}, so it cannot be fitted; correct lower or upper", name, parameter.lower,
        parameter.upper, parameter.lower < parameter.upper ? "has no logarithms" : "is empty"));
  }
  const auto outside = [&](double start) { return !(start >= parameter.lower && start <= parameter.upper); };
  parameter.starts = text.starts;
  if (const auto bad = std::find_if(parameter.starts.begin(), parameter.starts.end(), outside);
      bad != parameter.starts.end()) {
    throw InputError(
        fmt::format("parameter '{}': start {} is outside {} to {}, so no fit can begin there; move it "
                    "inside",
                    name, *bad, parameter.lower, parameter.upper));
  }
  if (parameter.starts.empty()) {
    parameter.starts = log ? std::vector<double>{1, 1e2, 1e4, 1e6} : std::vector<double>{0.1, 0.3, 1};
    std::erase_if(parameter.starts, outside);
    if (parameter.starts.empty()) parameter.starts = {parameter.lower, parameter.upper};
  }
  return parameter;
}

/// Views of `storage`, which must live as long as the law.
LawInfo info_of(const Storage& storage) {
  const LawText& text = storage.text;
  const std::vector<std::string>& names = storage.expression.names();
  for (const std::string& input : text.inputs) {
    if (!contains(names, input)) {
      throw InputError(fmt::format("formula '{}': does not contain the input '{}', so its column would be ignored; {}",
                                   text.formula, input, remedy(input, names)));
    }
  }
  for (const auto& [name, parameter] : text.parameters) {
    if (!contains(names, name) || contains(text.inputs, name)) {
      throw InputError(fmt::format("formula '{}': has no parameter '{}', so what is said of it would be ignored; {}",
                                   text.formula, name, remedy(name, names)));
    }
  }
  LawInfo info{.name = text.name,
               .equation = text.formula,
               .source = "a formula of the user",
               .parameters = {},
               .inputs = {text.inputs.begin(), text.inputs.end()}};
  for (const std::string& name : names) {
    if (contains(text.inputs, name)) continue;
    const auto known = text.parameters.find(name);
    info.parameters.push_back(parameter_of(name, known == text.parameters.end() ? ParameterText{} : known->second));
  }
  if (info.parameters.empty()) {
    throw InputError(
        fmt::format("formula '{}': has no parameter besides its inputs {}, so there is nothing to fit; "
                    "give some of its numbers names",
                    text.formula, fmt::join(text.inputs, ", ")));
  }
  return info;
}

class TextLaw final : private Storage, public Law {
 public:
  explicit TextLaw(const LawText& law) : Storage(law), Law(info_of(*this)) {
    for (const std::string& name : expression.names()) {
      const auto input = std::find(inputs().begin(), inputs().end(), name);
      if (input != inputs().end()) {
        sources_.push_back({true, static_cast<std::size_t>(input - inputs().begin())});
      } else {
        sources_.push_back({false, parameters_++});
      }
    }
  }

  double predict(std::span<const double> natural, std::span<const double> input_values) const override {
    std::vector<double> values(sources_.size());
    for (std::size_t k = 0; k < values.size(); ++k) {
      values[k] = sources_[k].input ? input_values[sources_[k].number] : natural[sources_[k].number];
    }
    return expression.evaluate(values, {});
  }

  std::vector<double> features(std::span<const double> input_values) const override {
    return {input_values.begin(), input_values.end()};
  }

  void predictions(std::span<const double> fitted, std::span<const double> features, std::span<double> loss,
                   std::span<double> jacobian) const override {
    const std::vector<double> natural = to_natural(fitted);
    const std::size_t stride = inputs().size();
    std::vector<double> values(sources_.size()), slopes(jacobian.empty() ? 0 : sources_.size());
    for (std::size_t i = 0; i < loss.size(); ++i) {
      for (std::size_t k = 0; k < values.size(); ++k) {
        values[k] = sources_[k].input ? features[i * stride + sources_[k].number] : natural[sources_[k].number];
      }
      loss[i] = expression.evaluate(values, slopes);
      for (std::size_t k = 0; k < slopes.size(); ++k) {
        if (sources_[k].input) continue;
        const std::size_t j = sources_[k].number;
        jacobian[i * parameters_ + j] = slopes[k] * (parameters()[j].transform == Transform::Log ? natural[j] : 1);
      }
    }
  }

 private:
  /// Where the value of a name of the formula comes from.
  struct Source {
    bool input;
    std::size_t number;
  };
  std::vector<Source> sources_;
  std::size_t parameters_ = 0;
};

}  // namespace

std::unique_ptr<Law> text_law(const LawText& text) { return std::make_unique<TextLaw>(text); }

}  // namespace bitlaw
