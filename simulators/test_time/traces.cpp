#include "simulators/test_time/traces.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/base/parallel.h"
#include "core/record/json_lines.h"
#include "simulators/test_time/trace_line.h"

namespace bitlaw {
namespace {

bool is_blank(const std::string& line) { return line.find_first_not_of(" \t\r") == std::string::npos; }

/// The first that is not empty.
std::string first_of(const std::optional<std::string>& line, const std::string& given, const std::string& header,
                     const char* otherwise) {
  if (line && !line->empty()) return *line;
  if (!given.empty()) return given;
  return header.empty() ? otherwise : header;
}

AnswererWords words_of(const TraceLine& line, const AnswererWords& given, const AnswererWords& header) {
  const AnswererWords defaults;
  return {first_of(line.model, given.model, header.model, ""),
          first_of(line.attention, given.attention, header.attention, defaults.attention.c_str()),
          first_of(line.weights, given.weights, header.weights, defaults.weights.c_str()),
          first_of(line.kv, given.kv, header.kv, defaults.kv.c_str())};
}

AnswererWords words_of_header(const TraceLine& line) {
  return {line.model.value_or(""), line.attention.value_or(line.header_attention().value_or("")),
          line.weights.value_or(""), line.kv.value_or("")};
}

/// A member that counts tokens.
float token_count(const std::optional<double>& value, const char* name, double least, const SourceLocation& place) {
  constexpr double kMost = 1e9;
  if (!value) return static_cast<float>(kNan);
  if (*value >= least && *value <= kMost) return static_cast<float>(*value);
  throw InputError(place, fmt::format("'{}' is {:g}, so the answer has no cost; write a number from {:g} to {:g}", name,
                                      *value, least, kMost));
}

float score_of(const TraceLine& line, const SourceLocation& place) {
  if (!line.score) {
    throw InputError(place, "has no 'score', so the answer is neither right nor wrong; add one from 0 to 1 or to 100");
  }
  if (*line.score >= 0 && *line.score <= 100) return static_cast<float>(*line.score);
  throw InputError(
      place, fmt::format("'score' is {:g}, so the answer cannot be counted; write 0 to 1, or 0 to 100", *line.score));
}

// A batch ends at either, so that long predictions do not fill the memory.
constexpr std::size_t kBatchLines = 4096, kBatchBytes = 1 << 23;

struct ParsedLine {
  std::string text;
  int number = 0, column = 1;
  TraceLine line;
  std::string wrong;  // "" where it is a trace
};

/// The next lines that are not blank, parsed, into the front of `batch`; their number, 0 at the end.
std::size_t parse_batch(TextLines& lines, std::vector<ParsedLine>& batch, int threads) {
  std::size_t count = 0, bytes = 0;
  while (count < batch.size() && bytes < kBatchBytes && lines.next()) {
    if (is_blank(lines.line())) continue;
    batch[count].text = lines.line();
    batch[count].number = lines.number();
    bytes += lines.line().size();
    ++count;
  }
  parallel_parts(count, threads, [&](std::size_t first, std::size_t last) {
    for (std::size_t i = first; i < last; ++i) {
      batch[i].wrong = parse_trace_line(batch[i].text, batch[i].line, batch[i].column);
    }
  });
  return count;
}

}  // namespace

std::size_t Traces::answer_count() const {
  std::size_t count = 0;
  for (const Answerer& answerer : answerers) count += answerer.answers.size();
  return count;
}

std::size_t TraceReader::answerer_of(const AnswererWords& words, const SourceLocation& place) {
  std::vector<Answerer>& all = traces_.answerers;
  if (last_answerer_ < all.size() && all[last_answerer_].words == words) return last_answerer_;
  const auto found = std::find_if(all.begin(), all.end(), [&](const Answerer& a) { return a.words == words; });
  last_answerer_ = static_cast<std::size_t>(found - all.begin());
  if (found == all.end()) all.push_back({words, {}, fmt::format("{}:{}", place.file, place.line)});
  return last_answerer_;
}

std::uint32_t TraceReader::task_of(const std::string& query) {
  const auto [found, is_new] = task_numbers_.try_emplace(query, static_cast<std::uint32_t>(traces_.tasks.size()));
  if (is_new) traces_.tasks.push_back(query);
  return found->second;
}

void TraceReader::read(const std::filesystem::path& file, const AnswererWords& given) {
  std::vector<std::size_t> before;  // answers of each answerer that are not of this file
  for (const Answerer& answerer : traces_.answerers) before.push_back(answerer.answers.size());
  TextLines lines(chunks_of_file(file));
  std::vector<ParsedLine> batch(kBatchLines);
  AnswererWords header{.model = "", .attention = "", .weights = "", .kv = ""};
  float most = 0;
  bool is_first = true;
  while (const std::size_t count = parse_batch(lines, batch, threads_)) {
    for (const ParsedLine& parsed : std::span(batch).first(count)) {
      const SourceLocation place{file.string(), parsed.number, parsed.column};
      if (!parsed.wrong.empty()) throw InputError(place, parsed.wrong);
      if (std::exchange(is_first, false) && !parsed.line.query) {
        header = words_of_header(parsed.line);
        continue;
      }
      most = std::max(most, add(parsed.line, words_of(parsed.line, given, header), place));
    }
  }
  if (most <= 1) return;
  before.resize(traces_.answerers.size());
  for (std::size_t a = 0; a < before.size(); ++a) {
    auto& answers = traces_.answerers[a].answers;
    for (std::size_t i = before[a]; i < answers.size(); ++i) answers[i].score /= 100;
  }
}

float TraceReader::add(const TraceLine& line, const AnswererWords& words, const SourceLocation& place) {
  if (!line.query) throw InputError(place, "has no 'query', so the answer belongs to no task; add its text");
  if (words.model.empty()) {
    throw InputError(place, "names no model, so its cost is unknown; add 'model', or write MODEL=" + place.file);
  }
  const Answer answer{.task = task_of(*line.query),
                      .score = score_of(line, place),
                      .tokens = token_count(line.tokens, "tokens", 1, place),
                      .prompt = token_count(line.prompt_tokens, "prompt_tokens", 0, place)};
  traces_.answerers[answerer_of(words, place)].answers.push_back(answer);
  return answer.score;
}

}  // namespace bitlaw
