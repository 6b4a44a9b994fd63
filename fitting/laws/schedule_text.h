#pragma once

#include <string>

#include "fitting/laws/schedule.h"

namespace bitlaw {

/// "cosine:peak=3e-4,end=3e-5,warmup=2160,steps=24000" as a schedule; the shapes are constant, cosine, linear,
/// exponential and two_stage (see ScheduleShape), the last three with decay_from. Absent: end = 0, warmup = 0, steps =
/// `last_step`. InputErrors start with --schedule and the text.
Schedule schedule_in(const std::string& text, int last_step);

}  // namespace bitlaw
