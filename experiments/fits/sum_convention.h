#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fitting/predict/schedule_law.h"

namespace bitlaw {

/// The numbers of --set lambda=..., "0.99,0.999": from 0 to below 1. InputError where one is none.
std::vector<double> lambdas_in(const std::string& text);

/// The value of --set warmup=...: as_peak, real_ramp or area_only, see Warmup. InputError for another.
Warmup warmup_in(const std::string& text);

/// What stands behind the equation of a fit, "S2 formed with lambda = 0.999, warmup = as_peak".
std::string text_of(const SumConvention& sums);

/// The sums of a fit whose equation ends in such a text; as they are by default where it does not.
SumConvention sum_convention_of(std::string_view equation);

/// The error of --set KEY=TEXT.
[[noreturn]] void refuse_setting(const std::string& key, const std::string& text, const std::string& reason);

}  // namespace bitlaw
