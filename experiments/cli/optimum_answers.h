#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/record/fit_record.h"
#include "fitting/predict/optimum.h"
#include "fitting/predict/quantity.h"

namespace bitlaw {

/// What is asked of a law.
struct OptimumQuestions {
  std::vector<double> compute;          ///< budgets [FLOP]
  std::vector<double> sizes;            ///< N of critical data sizes, of losses to reach, of blocks
  std::vector<std::string> formats;     ///< elements or block presets that give E and M, and B where they have blocks
  std::map<std::string, double> given;  ///< other inputs of the law
  HeldSizes held;                       ///< in budgets
  TrainingCost cost;
  std::optional<double> loss;        ///< to be reached
  std::optional<double> scale_bits;  ///< of one scale: the best block is asked for
  bool layouts = false;              ///< the best whole layouts of 1 to 16 bits are asked for
};

/// One thing that was found.
struct OptimumAnswer {
  std::string question;  ///< "1e+21 FLOP", "1e+09 parameters in e2m1"
  std::string name;      ///< "parameters", "tokens", "bits", "loss", "exponent bits", ...
  Quantity quantity;     ///< a loss, a power of two and a layout have no interval
};

/// Answers in the order of the questions. InputError for what the law cannot be asked, and where nothing is.
std::vector<OptimumAnswer> answer_questions(const Law& law, const FitRecord& fit, const OptimumQuestions& questions);

}  // namespace bitlaw
