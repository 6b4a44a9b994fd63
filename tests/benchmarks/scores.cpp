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

const char* verdict(const Goals& goals, const Times (&memory)[2], const Times (&cache)[2]) {
  if (goals.memory == 0 && goals.cache == 0) return "";
  const bool in_memory = meets(goals.memory, memory), in_cache = meets(goals.cache, cache);
  return in_memory && in_cache ? "pass" : in_cache ? "misses 64 Mi" : in_memory ? "misses 1 Mi" : "misses both";
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
    text += fmt::format(kRow, line.operation, ratio_text(line.memory[0]), ratio_text(line.memory[1]),
                        goal_text(line.goals.memory), ratio_text(line.cache[0]), ratio_text(line.cache[1]),
                        goal_text(line.goals.cache), speed_text(line.cache[0]),
                        verdict(line.goals, line.memory, line.cache));
  }
  return text;
}

}  // namespace bitlaw
