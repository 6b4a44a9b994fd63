#include "tests/benchmarks/scores.h"

#include <fmt/format.h>

#include <cmath>

namespace bitlaw {
namespace {

bool was_run(const Times& times) { return times.work < std::numeric_limits<double>::infinity(); }

std::string ratio_text(const Times& times) { return was_run(times) ? fmt::format("{:.2f}", times.ratio()) : "-"; }

std::string speed_text(const Times& times) {
  return was_run(times) ? fmt::format("{:.2f}", static_cast<double>(kCacheCount) / times.work * 1e-9) : "-";
}

std::string goal_text(double goal) { return goal > 0 ? fmt::format("{:.1f}", goal) : "-"; }

/// Whether every run of a size reaches its goal, as printed: two decimals.
bool meets(double goal, const Times (&runs)[2]) {
  return std::all_of(std::begin(runs), std::end(runs), [&](const Times& times) {
    return !was_run(times) || std::round(100 * times.ratio()) >= 100 * goal;
  });
}

constexpr const char* kRow = "{:<38} {:>6} {:>6} {:>5}  {:>6} {:>6} {:>5}  {:>8}  {}\n";

}  // namespace

void Scores::add(const std::string& operation, Goals goals, Input input, std::size_t count, const Times& times) {
  auto line = std::find_if(lines_.begin(), lines_.end(), [&](const Line& l) { return l.operation == operation; });
  if (line == lines_.end())
    line = lines_.insert(line, {.operation = operation, .goals = goals, .memory = {}, .cache = {}});
  Times& best = (count == kMemoryCount ? line->memory : line->cache)[static_cast<int>(input)];
  best.work = std::min(best.work, times.work);
  best.yardstick = std::min(best.yardstick, times.yardstick);
}

std::string Scores::table() const {
  std::string text = fmt::format(kRow, "", "64 Mi", "", "", "1 Mi", "", "", "1 Mi", "");
  text +=
      fmt::format(kRow, "ratio to the yardstick", "normal", "heavy", "goal", "normal", "heavy", "goal", "Gelem/s", "");
  for (const Line& line : lines_) {
    const bool has_goal = line.goals.memory > 0 || line.goals.cache > 0;
    const bool passes = meets(line.goals.memory, line.memory) && meets(line.goals.cache, line.cache);
    text += fmt::format(kRow, line.operation, ratio_text(line.memory[0]), ratio_text(line.memory[1]),
                        goal_text(line.goals.memory), ratio_text(line.cache[0]), ratio_text(line.cache[1]),
                        goal_text(line.goals.cache), speed_text(line.cache[0]),
                        !has_goal ? ""
                        : passes  ? "pass"
                                  : "FAIL");
  }
  return text;
}

}  // namespace bitlaw
