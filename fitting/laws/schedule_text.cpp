#include "fitting/laws/schedule_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/closest.h"
#include "core/base/enum_name.h"
#include "core/base/error.h"

namespace bitlaw {
namespace {

constexpr std::array<std::string_view, 6> kKeys{"peak", "end", "warmup", "decay_from", "length", "steps"};
constexpr double kMostSteps = 1e8;

[[noreturn]] void refuse(const std::string& text, const std::string& reason) {
  throw InputError(fmt::format("--schedule {}: {}; write for example cosine:peak=3e-4,end=3e-5,warmup=2160,steps=24000",
                               text, reason));
}

std::map<std::string_view, double> values_in(const std::string& text, std::string_view rest) {
  std::map<std::string_view, double> values;
  while (!rest.empty()) {
    const std::string_view item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), item.size() + 1));
    const auto equals = item.find('=');
    const std::string_view key = item.substr(0, equals);
    if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end()) {
      refuse(text, fmt::format("'{}' is no part of a schedule, {}", key, remedy(key, kKeys)));
    }
    const std::string_view number = equals == std::string_view::npos ? "" : item.substr(equals + 1);
    double value = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (number.empty() || error != std::errc() || end != number.data() + number.size() || !(value >= 0)) {
      refuse(text, fmt::format("{} is no number that is 0 or more", item));
    }
    if (!values.emplace(key, value).second) refuse_given_twice("--schedule " + text, key);
  }
  return values;
}

int steps_of(const std::string& text, std::string_view key, double value) {
  if (value != std::floor(value) || value > kMostSteps) refuse(text, fmt::format("{} is no number of steps", key));
  return static_cast<int>(value);
}

}  // namespace

Schedule schedule_in(const std::string& text, int last_step) {
  const auto colon = text.find(':');
  const std::string_view name = std::string_view(text).substr(0, colon);
  const std::optional<ScheduleShape> shape = value_of(name, kScheduleShapeNames);
  if (!shape) {
    std::vector<std::string_view> names;
    for (const auto& row : kScheduleShapeNames) names.push_back(row.name);
    refuse(text, fmt::format("'{}' is no shape, {}", name, remedy(name, names)));
  }
  const auto values = values_in(text, colon == std::string::npos ? "" : std::string_view(text).substr(colon + 1));
  const auto value = [&](std::string_view key, double otherwise) {
    const auto found = values.find(key);
    return found == values.end() ? otherwise : found->second;
  };
  const bool late = *shape != ScheduleShape::Constant && *shape != ScheduleShape::Cosine;
  ScheduleSpec spec{.shape = *shape, .peak = value("peak", 0), .end = value("end", 0)};
  spec.steps = steps_of(text, "steps", value("steps", last_step));
  spec.warmup = steps_of(text, "warmup", value("warmup", 0));
  spec.decay_from = steps_of(text, "decay_from", value("decay_from", late ? -0.5 : 0));
  spec.length = steps_of(text, "length", value("length", 0));
  if (!(spec.peak > 0)) refuse(text, "its peak is missing");
  if (values.contains("length") && (*shape != ScheduleShape::Cosine || spec.length <= spec.warmup)) {
    refuse(text, "a length beyond the warm-up is what only a cosine has");
  }
  if (spec.warmup >= spec.steps || spec.decay_from >= spec.steps) refuse(text, "it ends before its parts do");
  if (*shape == ScheduleShape::Exponential && !(spec.end > 0)) refuse(text, "an exponential decay never reaches 0");
  return make_schedule(spec);
}

std::string text_of(const ScheduleSpec& spec) {
  std::string text = fmt::format("{}:peak={}", name_of(spec.shape, kScheduleShapeNames), spec.peak);
  const bool cosine = spec.shape == ScheduleShape::Cosine, constant = spec.shape == ScheduleShape::Constant;
  if (!constant) text += fmt::format(",end={}", spec.end);
  text += fmt::format(",warmup={}", spec.warmup);
  if (!constant && !cosine) text += fmt::format(",decay_from={}", spec.decay_from);
  if (cosine && spec.length > 0) text += fmt::format(",length={}", spec.length);
  return text + fmt::format(",steps={}", spec.steps);
}

}  // namespace bitlaw
