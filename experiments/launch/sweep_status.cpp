#include "experiments/launch/sweep_status.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <unordered_set>
#include <utility>

#include "experiments/launch/claims.h"
#include "experiments/launch/progress.h"
#include "experiments/launch/submission.h"
#include "experiments/launch/subprocess.h"

namespace bitlaw {
namespace {

/// Rows of "task|state" as Slurm's programs print them; nothing where they are missing or fail.
std::vector<std::pair<std::string, std::string>> slurm_rows(const std::vector<std::string>& words) {
  std::vector<std::pair<std::string, std::string>> rows;
  const ProgramOutput output = run_program(words, ErrorStream::Dropped);
  if (output.exit_code != 0) return rows;
  std::istringstream lines(output.out);
  for (std::string line; std::getline(lines, line);) {
    const auto bar = line.find('|');
    if (bar != std::string::npos) rows.emplace_back(line.substr(0, bar), line.substr(bar + 1));
  }
  return rows;
}

/// Tasks by state: those in the queue as squeue tells, the others, with an accounting database, as sacct does.
std::map<std::string, std::size_t> slurm_states(const std::vector<std::string>& jobs) {
  std::map<std::string, std::size_t> states;
  if (jobs.empty()) return states;
  const std::string list = fmt::format("--jobs={}", fmt::join(jobs, ","));
  std::set<std::string> queued;
  for (const auto& [task, state] : slurm_rows({"squeue", "--noheader", "--array", list, "--format=%i|%T"})) {
    queued.insert(task);
    ++states[state];
  }
  for (const auto& [task, state] :
       slurm_rows({"sacct", "--noheader", "--parsable2", "--allocations", "--array", list, "--format=JobID,State"})) {
    if (!queued.contains(task)) ++states[state.substr(0, state.find(' '))];  // "CANCELLED by 0"
  }
  return states;
}

std::string name_of(const std::string& id, const std::string& label) {
  return label.empty() ? id.substr(0, 8) : fmt::format("{} {}", id.substr(0, 8), label);
}

std::string sign_of_life(const RunningRun& run) {
  constexpr double kWorthTelling = 15;
  if (run.vanished) return "; the process has ended, so the run is free";
  if (run.silent_seconds < kWorthTelling) return "";
  return fmt::format("; no sign of life for {}", duration_text(run.silent_seconds));
}

}  // namespace

SweepWatch::SweepWatch(const Experiment& experiment, std::filesystem::path results)
    : experiment_(experiment), results_(std::move(results)), store_(results_) {}

SweepStatus SweepWatch::look() {
  SweepStatus status;
  status.runs = experiment_.runs.size();
  const std::unordered_set<std::string> begun = store_.begun();
  for (const PlannedRun& run : experiment_.runs) {
    if (!begun.contains(run.id)) continue;
    if (store_.state(run.id) == RunStore::State::Done) {
      ++status.done;
    } else {
      look_at(run, status);
    }
  }
  status.jobs = slurm_states(submitted_jobs(results_));
  return status;
}

void SweepWatch::look_at(const PlannedRun& run, SweepStatus& status) {
  const std::filesystem::path folder = store_.folder(run.id);
  if (const auto claim = read_claim(folder)) {
    const auto now = std::chrono::steady_clock::now();
    Beat& beat = beats_.try_emplace(run.id, Beat{claim->beat, now}).first->second;
    if (beat.text != claim->beat) beat = {claim->beat, now};
    const Life life = life_of(claim->owner);
    const std::chrono::duration<double> silent = now - beat.since;
    status.running.push_back({.id = run.id,
                              .label = run.label,
                              .host = claim->owner.host,
                              .pid = claim->owner.pid,
                              .part = claim->part,
                              .vanished = life == Life::Dead,
                              .silent_seconds = life == Life::Unknown ? silent.count() : 0});
    return;
  }
  const std::vector<Attempt> attempts = attempts_in(folder);
  if (attempts.size() < kMostAttempts) return;
  status.given_up.push_back({.id = run.id, .label = run.label, .attempts = attempts.size(), .last = attempts.back()});
}

std::string details_text(const SweepStatus& status) {
  std::string text;
  if (!status.running.empty()) text += "running:\n";
  for (const RunningRun& run : status.running) {
    text += fmt::format("  {}: {:.0f} % on {}, process {}{}\n", name_of(run.id, run.label), std::floor(100 * run.part),
                        run.host, run.pid, sign_of_life(run));
  }
  if (!status.given_up.empty()) text += "failed (tried again with --retry-failed, and by bitlaw run):\n";
  for (const GivenUpRun& run : status.given_up) {
    text += fmt::format("  {}: {} attempts, one of them: {}: {}\n", name_of(run.id, run.label), run.attempts,
                        to_text(run.last.kind), run.last.message);
  }
  std::vector<std::string> jobs;
  for (const auto& [state, count] : status.jobs) jobs.push_back(fmt::format("{} {}", count, state));
  if (!jobs.empty()) text += fmt::format("tasks of Slurm: {}\n", fmt::join(jobs, ", "));
  return text;
}

std::string details_json(const SweepStatus& status) {
  using nlohmann::json;
  json running = json::array(), failed = json::array();
  for (const RunningRun& run : status.running) {
    running.push_back({{"id", run.id},
                       {"label", run.label},
                       {"host", run.host},
                       {"pid", run.pid},
                       {"part", run.part},
                       {"vanished", run.vanished},
                       {"silent_seconds", run.silent_seconds}});
  }
  for (const GivenUpRun& run : status.given_up) {
    failed.push_back({{"id", run.id},
                      {"label", run.label},
                      {"attempts", run.attempts},
                      {"kind", to_text(run.last.kind)},
                      {"message", run.last.message}});
  }
  return json({{"running", running}, {"failed", failed}, {"jobs", status.jobs}}).dump();
}

}  // namespace bitlaw
