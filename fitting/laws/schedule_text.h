#pragma once

#include <array>
#include <string>

#include "core/base/enum_name.h"
#include "fitting/laws/schedule.h"

namespace bitlaw {

/// The shapes by their names in texts: constant, cosine, linear, one_minus_sqrt, exponential and two_stage.
inline constexpr std::array<EnumName<ScheduleShape>, 6> kScheduleShapeNames{
    {{"constant", ScheduleShape::Constant},
     {"cosine", ScheduleShape::Cosine},
     {"linear", ScheduleShape::Linear},
     {"one_minus_sqrt", ScheduleShape::OneMinusSqrt},
     {"exponential", ScheduleShape::Exponential},
     {"two_stage", ScheduleShape::TwoStage}}};

/// "cosine:peak=3e-4,end=3e-5,warmup=2160,steps=24000" as a schedule; see ScheduleShape and ScheduleSpec. The last four
/// shapes have decay_from, cosine may have length. Absent: end = 0, warmup = 0, steps = `last_step`. InputErrors start
/// with --schedule and the text.
Schedule schedule_in(const std::string& text, int last_step);

/// The text that schedule_in() takes for it, every number to its last bit.
std::string text_of(const ScheduleSpec& spec);

}  // namespace bitlaw
