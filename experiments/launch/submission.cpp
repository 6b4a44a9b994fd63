#include "experiments/launch/submission.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "core/base/file.h"
#include "experiments/launch/job_script.h"
#include "experiments/launch/results_folder.h"
#include "experiments/launch/shell_word.h"
#include "experiments/launch/subprocess.h"

namespace bitlaw {
namespace {

constexpr std::size_t kDefaultArraySize = 1001;

std::filesystem::path jobs_file(const std::filesystem::path& results) { return results / "submit" / "jobs.jsonl"; }

std::vector<std::string> given(const std::optional<std::string>& text) {
  return text ? std::vector{*text} : std::vector<std::string>{};
}

std::string command_line(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + shell_word(word);
  return line;
}

/// `quoted`: for a shell to read; otherwise for words that no shell reads.
JobValues values_of(const Submission& s, bool quoted) {
  const auto word = [&](const std::string& text) { return quoted ? shell_word(text) : text; };
  const std::size_t last = s.tasks() - 1;
  const std::size_t limit = s.array_limit.value_or(s.tasks());
  return {{"name", {word(s.name)}},
          {"command", {command_line(s.command)}},
          {"script", {word(s.script_file().string())}},
          {"folder", {word(s.folder.string())}},
          {"logs", {word((s.folder / "submit").string())}},
          {"tasks", {std::to_string(s.tasks())}},
          {"last_task", {std::to_string(last)}},
          {"limit", {std::to_string(limit)}},
          {"array", {s.array_limit ? fmt::format("0-{}%{}", last, limit) : fmt::format("0-{}", last)}},
          {"cores", {std::to_string(s.cores)}},
          {"partition", given(s.partition)},
          {"time", given(s.time)},
          {"directive", s.directives}};
}

std::string template_of(const Submission& s) {
  return s.template_file ? read_file(*s.template_file) : std::string(slurm_template());
}

std::string place_of(const Submission& s) { return s.template_file ? s.template_file->string() : "script for Slurm"; }

void write_script(const Submission& s) {
  open_results_folder(s.folder);
  std::error_code error;
  std::filesystem::create_directories(s.script_file().parent_path(), error);
  if (error) refuse_writing(s.script_file(), error.message());
  write_file_atomically(s.script_file(), script_of(s));
}

/// A line at the end of a file, with what it says on the disk. Lines are short, so two writers do not mix theirs.
void append_line(const std::filesystem::path& file, const std::string& line) {
  const int out = ::open(file.c_str(), O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC, 0644);
  const bool written =
      out >= 0 && ::write(out, line.data(), line.size()) == static_cast<ssize_t>(line.size()) && ::fsync(out) == 0;
  const std::string why = system_reason();
  if (out >= 0) ::close(out);
  if (!written) refuse_writing(file, why);
}

}  // namespace

std::size_t Submission::tasks() const {
  const std::size_t wanted = std::max<std::size_t>(1, (due_runs + per_task - 1) / per_task);
  return most_tasks == 0 ? wanted : std::min(wanted, most_tasks);
}

std::string script_of(const Submission& submission) {
  return fill_template(template_of(submission), values_of(submission, true), place_of(submission));
}

SubmittedJob submit(const Submission& submission) {
  const auto words = submit_words(template_of(submission), values_of(submission, false), place_of(submission));
  write_script(submission);
  const ProgramOutput output = run_program(words);
  if (output.exit_code != 0) {
    throw std::runtime_error(fmt::format(
        "{} (exit code {}{}), so nothing was submitted; the script is {}", fmt::join(words, " "), output.exit_code,
        output.exit_code == 127 ? ": there is no such program here" : "", submission.script_file().string()));
  }
  const std::string answer = output.out.substr(0, output.out.find_first_of("\n;"));
  const nlohmann::json line{{"job", answer}, {"with", words}, {"tasks", submission.tasks()}};
  append_line(jobs_file(submission.folder), line.dump() + "\n");
  return {.answer = answer, .with = words};
}

int test_only(const Submission& submission) {
  auto words = submit_words(template_of(submission), values_of(submission, false), place_of(submission));
  words.insert(words.begin() + 1, "--test-only");
  const bool was_there = file_exists(submission.script_file());
  write_script(submission);
  const int code = run_program(words).exit_code;
  std::error_code harmless;
  if (!was_there) std::filesystem::remove(submission.script_file(), harmless);
  return code;
}

std::vector<std::string> submitted_jobs(const std::filesystem::path& results) {
  std::vector<std::string> jobs;
  if (!file_exists(jobs_file(results))) return jobs;
  std::istringstream lines(read_file(jobs_file(results)));
  for (std::string line; std::getline(lines, line);) {
    const auto json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (json.is_object() && json.contains("job") && json["job"].is_string()) jobs.push_back(json["job"]);
  }
  return jobs;
}

std::size_t slurm_array_size() {
  std::istringstream lines(run_program({"scontrol", "show", "config"}, ErrorStream::Dropped).out);
  for (std::string key, equals, value; lines >> key;) {
    if (key != "MaxArraySize") continue;
    if (lines >> equals >> value) return std::max<std::size_t>(1, std::stoull(value));
  }
  return kDefaultArraySize;
}

}  // namespace bitlaw
