#include "experiments/sweep/training_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "core/base/file.h"
#include "core/base/fingerprint.h"
#include "core/block/block_presets.h"
#include "core/format/catalog.h"
#include "experiments/sweep/yaml_node.h"

namespace bitlaw {
namespace {

[[noreturn]] void refuse_line(const std::string& file, int line, std::string_view why) {
  throw InputError(fmt::format(
      "{}:{}: {}, so the schedule is not known; write lines of a step and a factor, 'STEP,FACTOR'", file, line, why));
}

bool says_nothing(const std::string& line) {
  const auto first = line.find_first_not_of(" \t\r");
  return first == std::string::npos || line[first] == '#' || std::isalpha(static_cast<unsigned char>(line[first])) != 0;
}

std::pair<std::int64_t, double> point_of(std::string line, const std::string& file, int number) {
  std::replace(line.begin(), line.end(), ',', ' ');
  std::istringstream words(line);
  std::string step_text, factor_text, more;
  words >> step_text >> factor_text;
  double step = 0, factor = 0;
  if (!parses_as_number(step_text, step) || !parses_as_number(factor_text, factor) || (words >> more)) {
    refuse_line(file, number, "is not two numbers");
  }
  if (step < 0 || step != std::floor(step) || step > 1e15) refuse_line(file, number, "has a step that is not whole");
  if (factor < 0) refuse_line(file, number, "has a factor below zero");
  return {static_cast<std::int64_t>(step), factor};
}

}  // namespace

std::vector<std::pair<std::int64_t, double>> read_schedule(const std::string& file) {
  std::istringstream lines(read_file(file));
  std::vector<std::pair<std::int64_t, double>> points;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (says_nothing(line)) continue;
    points.push_back(point_of(line, file, number));
    if (points.size() > 1 && points.back().first <= points[points.size() - 2].first) {
      refuse_line(file, number, "has a step that is not above the one before");
    }
  }
  if (points.empty()) refuse_line(file, std::max(number, 1), "is the end and no line had a point");
  return points;
}

std::string schedule_fingerprint(const ScheduleConfig& schedule) {
  std::string text;
  for (const auto& [step, factor] : schedule.points) text += fmt::format("{} {}\n", step, factor);
  return fingerprint(text);
}

void set_storage_format(StorageFormat& format, const std::string& name, const SourceLocation& place,
                        const std::string& key, StoredSign sign) {
  format.name = name == "bf16" ? "bfloat16" : name;  // as slots spell it
  format.element.reset();
  format.block = block_preset(name);
  if (name == "float32" || format.block) return;
  format.element = at_place(place, [&] { return parse_format(format.name, block_preset_names()); });
  if (format.element->exponent_bits > 8 || format.element->mantissa_bits > 23) {
    throw InputError(place, fmt::format("{} '{}' is wider than float32, in which updates are computed; use at most 8 "
                                        "exponent and 23 mantissa bits, or float32",
                                        key, name));
  }
  const bool lacks_sign = sign == StoredSign::Both && !format.element->is_signed;
  if (lacks_sign || !format.element->has_zero) {
    throw InputError(place, fmt::format("{} '{}' has no {}, so it cannot hold these numbers; use a format with one",
                                        key, name, lacks_sign ? "sign" : "zero"));
  }
}

std::vector<EnumName<RoundingMode>> storage_roundings() {
  std::vector<EnumName<RoundingMode>> names{{"nearest", RoundingMode::TiesToEven},
                                            {"stochastic", RoundingMode::StochasticExact}};
  for (const auto& row : kRoundingModeNames) {
    if (Rounding(row.value).is_valid()) names.push_back(row);
  }
  return names;
}

namespace {

void check_stop(const RunDraft& draft, const TrainConfig& config) {
  const StopConfig& stop = config.stop;
  if (stop.divergence > 0 && stop.divergence <= 1) {
    throw InputError(draft.place("stop.divergence"),
                     fmt::format("stop.divergence {} is not above 1, so the first loss that is not the least would end "
                                 "the run; choose for example 3",
                                 stop.divergence));
  }
  if (2 * stop.plateau > config.steps()) {
    throw InputError(
        draft.place("stop.plateau"),
        fmt::format("stop.plateau {} compares as many points of the curve with as many before them and the "
                    "run has {} steps, so it would never end it; choose less",
                    stop.plateau, config.steps()));
  }
  if (stop.ceiling > 0 && stop.ceiling_points > config.steps()) {
    throw InputError(draft.place("stop.ceiling_points"),
                     fmt::format("stop.ceiling_points {} is a mean over as many points of the curve and the run has {} "
                                 "steps, so it would never end it; choose less",
                                 stop.ceiling_points, config.steps()));
  }
  if (stop.watch == StopConfig::Watch::Validation && config.validate_every == 0) {
    throw InputError(
        draft.place("stop.watch"),
        "stop.watch is 'validation' and training.validate_every is not given, so there would be nothing to "
        "watch; add for example training.validate_every: 100");
  }
}

}  // namespace

void check_training(const RunDraft& draft, const TrainConfig& config) {
  check_stop(draft, config);
  const ScheduleConfig& schedule = config.schedule;
  if (schedule.kind == ScheduleKind::File && schedule.points.empty()) {
    throw InputError(draft.place("training.schedule.kind"),
                     "training.schedule.kind is 'file' and there is no training.schedule.file, so no learning rate is "
                     "known; give the file or choose another kind");
  }
  if (schedule.kind == ScheduleKind::Wsd && schedule.decay_shape == DecayShape::Exponential && schedule.final == 0) {
    throw InputError(
        draft.place("training.schedule.final"),
        "training.schedule.final is 0, which an exponential decay never reaches; choose a value above 0 or "
        "another decay_shape");
  }
  if (schedule.kind != ScheduleKind::File && schedule.warmup_steps > config.steps()) {
    throw InputError(draft.place("training.schedule.warmup_steps"),
                     fmt::format("training.schedule.warmup_steps {} is more than the {} steps of the run, so it would "
                                 "end before its peak learning rate; choose at most {}",
                                 schedule.warmup_steps, config.steps(), config.steps()));
  }
  if (!std::is_sorted(schedule.milestones.begin(), schedule.milestones.end())) {
    throw InputError(draft.place("training.schedule.milestones"),
                     "training.schedule.milestones do not ascend, so their order says nothing; sort them");
  }
  for (const std::int64_t step : config.keep_checkpoints) {
    if (step <= config.steps()) continue;
    throw InputError(draft.place("training.keep_checkpoints"),
                     fmt::format("training.keep_checkpoints has {} and the run ends after {} steps, so that checkpoint "
                                 "would never be; choose at most {}",
                                 step, config.steps(), config.steps()));
  }
}

}  // namespace bitlaw
