#include "experiments/cli/number_checks.h"

#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <string>

#include "core/base/error.h"

namespace bitlaw {
namespace {

bool is_positive(double value) { return value > 0 && std::isfinite(value); }

CLI::Validator number_that(const std::function<bool(double)>& holds, const std::string& which) {
  const auto check = [holds, which](const std::string& text) {
    double value = 0;
    const bool good = CLI::detail::lexical_cast(text, value) && std::isfinite(value) && holds(value);
    return good ? std::string() : fmt::format("'{}' is no number {}", text, which);
  };
  return CLI::Validator(check, which);
}

}  // namespace

CLI::Validator positive_number() { return number_that(is_positive, "above 0"); }

CLI::Validator number_from_zero() {
  return number_that([](double value) { return value >= 0; }, "from 0 on");
}

CLI::Validator number_between(double low, double high) {
  return number_that([=](double value) { return low <= value && value <= high; },
                     fmt::format("from {} to {}", low, high));
}

void check_positive(std::string_view flag, double value) {
  if (is_positive(value)) return;
  throw InputError(fmt::format("{} {}: is no number above 0, so there is no answer; give one", flag, value));
}

}  // namespace bitlaw
