#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/record/fit_record.h"
#include "experiments/fits/given_law.h"
#include "fitting/predict/schedule_law.h"

namespace bitlaw {

/// A law of the learning rate with its coefficients.
struct GivenScheduleLaw {
  std::string name;  ///< "annealing"
  std::string sums;  ///< how S1 and S2 are formed, in words; empty for multi_power
  ScheduleLaw law;
  FitRecord fit;  ///< without uncertainty for coefficients that are given
};

/// The law of `what`, a fit's file or a law's name with `coefficients`. set: "lambda=0.99", "warmup=real_ramp", which a
/// fit says itself, and the law's other inputs, "N=1e9". InputError for what is unknown or missing.
GivenScheduleLaw given_schedule_law(const std::string& what, const GivenCoefficients& coefficients,
                                    const std::vector<std::string>& set);

/// The law of a fit, which says itself how its sums are formed. given: the law's inputs beside them, by name, such as
/// N. InputError for a law of something else, and for an input that is missing or unknown.
GivenScheduleLaw schedule_law_of_fit(FitRecord fit, const std::map<std::string, double>& given);

/// InputError, which begins with `place`, for rates of which the law has no value: 0 from step 1 on, for multi_power,
/// and nothing but 0.
void check_rates(const GivenScheduleLaw& given, const Schedule& schedule, const std::string& place);

/// eta_0 .. eta_T of a word of --schedule: a text (see schedule_text.h), a table with every step and its lr, or a file
/// as training.schedule.file takes it, lines of a step and a factor on `peak`, the last of which is the last step.
Schedule given_schedule(const std::string& word, std::optional<double> peak);

/// The text of a file for training.schedule.file, T steps with factors on the largest rate: its steps 0 .. T - 1 are
/// eta_1 .. eta_T, since eta_0 is the rate that a warm-up rises from.
std::string schedule_file_text(const Schedule& schedule);

}  // namespace bitlaw
