#include "experiments/launch/job_script.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <utility>

#include "core/base/closest.h"
#include "core/base/error.h"

namespace bitlaw {
namespace {

constexpr std::string_view kSubmit = "# submit: ";

constexpr std::string_view kSlurm = R"(#!/bin/bash
# submit: sbatch --parsable @script@
#SBATCH --job-name=@name@
#SBATCH --partition=@partition@
#SBATCH --time=@time@
#SBATCH --array=@array@
#SBATCH --cpus-per-task=@cores@
#SBATCH @directive@
#SBATCH --signal=B:USR1@60
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=@logs@/slurm-%A_%a.out

# Every task does the same: it trains runs that are due and in no other task's hands, until there are none. On SIGTERM
# (preemption, scancel) and SIGUSR1 (a minute before the time limit) it saves them, gives them back and ends with 130.
trap 'kill -TERM "$worker"' TERM
trap 'near_limit=yes; kill -USR1 "$worker"' USR1
@command@ &
worker=$!
wait "$worker"
while kill -0 "$worker" 2>/dev/null; do wait "$worker"; done
wait "$worker"
code=$?

# Preempted jobs come back by themselves. This one goes on later when its time is over, and when it was killed.
if [ "$code" = 130 ] && [ -n "$near_limit" ]; then
  scontrol requeue "$SLURM_JOB_ID" || sbatch --array="$SLURM_ARRAY_TASK_ID" @script@
elif [ "$code" -gt 130 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 10 ]; then
  scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
)";

struct Name {
  std::size_t begin = 0, length = 0;  ///< with the two signs
  std::string text;
};

bool is_name_letter(char c) { return (c >= 'a' && c <= 'z') || c == '_'; }

/// The first @name@ at or after `from`.
std::optional<Name> next_name(const std::string& line, std::size_t from) {
  for (std::size_t at = line.find('@', from); at != std::string::npos; at = line.find('@', at + 1)) {
    std::size_t end = at + 1;
    while (end < line.size() && is_name_letter(line[end])) ++end;
    if (end > at + 1 && end < line.size() && line[end] == '@') {
      return Name{at, end + 1 - at, line.substr(at + 1, end - at - 1)};
    }
  }
  return std::nullopt;
}

/// The lines that one becomes.
std::vector<std::string> filled(const std::string& line, std::size_t from, const JobValues& values,
                                const std::string& place) {
  const auto name = next_name(line, from);
  if (!name) return {line};
  const auto value = values.find(name->text);
  if (value == values.end()) {
    std::vector<std::string> known;
    for (const auto& [key, texts] : values) known.push_back(key);
    throw InputError(
        fmt::format("{}: '@{}@' is the name of nothing that could stand there, so the script would be "
                    "wrong; {}",
                    place, name->text, remedy(name->text, known)));
  }
  std::vector<std::string> lines;
  for (const std::string& text : value->second) {
    std::string replaced = line;
    replaced.replace(name->begin, name->length, text);
    for (std::string& whole : filled(replaced, name->begin + text.size(), values, place)) {
      lines.push_back(std::move(whole));
    }
  }
  return lines;
}

}  // namespace

std::string_view slurm_template() { return kSlurm; }

std::string fill_template(std::string_view text, const JobValues& values, const std::string& place) {
  std::istringstream lines{std::string(text)};
  std::string script;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    for (const std::string& whole : filled(line, 0, values, fmt::format("{}:{}", place, ++number))) {
      script += whole + "\n";
    }
  }
  return script;
}

std::vector<std::string> submit_words(std::string_view text, const JobValues& values, const std::string& place) {
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(kSubmit)) continue;
    std::istringstream parts(line.substr(kSubmit.size()));
    std::vector<std::string> words;
    for (std::string part; parts >> part;) {
      for (std::string& word : filled(part, 0, values, place)) words.push_back(std::move(word));
    }
    if (!words.empty()) return words;
  }
  throw InputError(
      fmt::format("{}: has no line that begins with '# submit: ', so it is not known how a script of it is submitted; "
                  "add one, such as '# submit: qsub @script@'",
                  place));
}

}  // namespace bitlaw
