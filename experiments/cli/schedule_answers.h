#pragma once

#include <optional>
#include <string>
#include <vector>

#include "experiments/fits/given_schedule.h"
#include "fitting/predict/bands.h"
#include "fitting/predict/quantity.h"
#include "fitting/predict/schedule_search.h"

namespace bitlaw {

/// What is searched: shapes by their names in texts, and "free".
struct ScheduleQuestions {
  ScheduleFrame frame;
  std::vector<std::string> shapes;  ///< empty: all, and free where the frame holds neither decay nor last rate
};

/// The best schedule of a shape, or the free one.
struct ScheduleAnswer {
  std::string shape;
  std::string text;   ///< for --schedule; empty for the free one
  Schedule schedule;  ///< eta_0 .. eta_T
  Quantity decay,
      end;           ///< steps from the peak to the end (a cosine: its length), last rate; intervals of the best alone
  Prediction loss;   ///< after the last step, with its bands
  double bound = 0;  ///< arXiv:2501.18965's, at its own best base rate, over the constant schedule's
  std::vector<std::string> notes{};
};

/// Answers in the order of their losses, the best first. InputError for what has no best.
std::vector<ScheduleAnswer> answer_schedules(const GivenScheduleLaw& given, const ScheduleQuestions& questions);

/// The names that a question may have.
std::vector<std::string> schedule_shapes();

}  // namespace bitlaw
