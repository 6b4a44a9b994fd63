#include "experiments/fits/sum_convention.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/base/enum_name.h"
#include "core/base/error.h"
#include "experiments/sweep/yaml_node.h"

namespace bitlaw {
namespace {

constexpr std::array<EnumName<Warmup>, 3> kWarmups{
    {{"as_peak", Warmup::AsPeak}, {"real_ramp", Warmup::RealRamp}, {"area_only", Warmup::AreaOnly}}};
constexpr std::string_view kLambda = "S2 formed with lambda = ", kWarmup = ", warmup = ";

}  // namespace

void refuse_setting(const std::string& key, const std::string& text, const std::string& reason) {
  throw InputError(fmt::format("--set {}={}: {}", key, text, reason));
}

std::vector<double> lambdas_in(const std::string& text) {
  std::vector<double> lambdas;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), item.size() + 1));
    double lambda = 0;
    if (!parses_as_number(item, lambda) || !(lambda >= 0 && lambda < 1)) {
      refuse_setting("lambda", text,
                     "is no number from 0 to below 1, so decay has no memory of that length; write "
                     "0.999 or several with commas between");
    }
    lambdas.push_back(lambda);
  }
  return lambdas;
}

Warmup warmup_in(const std::string& text) {
  const auto warmup = value_of(text, kWarmups);
  if (!warmup) refuse_setting("warmup", text, "is no way to count the warm-up; write as_peak, real_ramp or area_only");
  return *warmup;
}

std::string text_of(const SumConvention& sums) {
  return fmt::format("{}{}{}{}", kLambda, sums.lambda, kWarmup, name_of(sums.warmup, kWarmups));
}

SumConvention sum_convention_of(std::string_view equation) {
  SumConvention sums;
  const auto begin = equation.find(kLambda);
  if (begin == std::string_view::npos) return sums;
  const std::string_view text = equation.substr(begin + kLambda.size());
  const auto comma = text.find(kWarmup);
  if (comma == std::string_view::npos) return sums;
  sums.lambda = lambdas_in(std::string(text.substr(0, comma))).front();
  sums.warmup = warmup_in(std::string(text.substr(comma + kWarmup.size())));
  return sums;
}

}  // namespace bitlaw
