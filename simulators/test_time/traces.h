#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "simulators/test_time/trace_line.h"

namespace bitlaw {

/// Who answered, in the words of the traces.
struct AnswererWords {
  std::string model;
  std::string attention = "dense";
  std::string weights = "bfloat16", kv = "bfloat16";  ///< formats of the weights and of the KV cache

  friend bool operator==(const AnswererWords&, const AnswererWords&) = default;
};

/// What is known of one answer.
struct Answer {
  std::uint32_t task = 0;
  float score = 0;                          ///< 0 to 1
  float tokens = static_cast<float>(kNan);  ///< generated; NaN: not given
  float prompt = static_cast<float>(kNan);  ///< tokens of the prompt; NaN: not given
};

/// All answers of one answerer, in the order of the traces.
struct Answerer {
  AnswererWords words;
  std::vector<Answer> answers;
  std::string first_place;  ///< "runs.jsonl:2", where its first answer stands
};

/// Answers of several models to the same tasks.
///
/// A trace is a JSON object a line, as the code of arXiv:2506.05333 writes them:
///
///   {"query": "What is 1 + 1?", "choice": "2", "prediction": "... 2", "score": 100, "tokens": 812, "prompt_tokens":
///   93,
///    "model": "qwen3-8b", "attention": "dense", "weights": "bfloat16", "kv": "mxfp8"}
///
/// Needed are query, which names the task (equal text, equal task), and score, true or false or a number: where any of
/// a file is above 1, all of that file are in percent. The model, the attention, the formats may be left out where they
/// are given for the file; other members do not matter. The first line may be a header without query: its model,
/// attention, weights, kv hold for the lines that lack them, and so do attn_topk, attn_local, attn_block_size,
/// attn_block_topk.
struct Traces {
  std::vector<std::string> tasks;  ///< query [task], in the order in which they come
  std::vector<Answerer> answerers;

  std::size_t answer_count() const;
};

/// Reads traces some lines at a time, which threads share; what is kept is each query once and 16 bytes an answer.
/// Neither results nor errors depend on the number of threads.
class TraceReader {
 public:
  explicit TraceReader(int threads = 1) : threads_(threads) {}

  /// Adds a file, plain or gzip. `given` stands for what lines lack and goes before a header; empty: not given.
  /// InputError with file and line for a line that is no trace.
  void read(const std::filesystem::path& file, const AnswererWords& given);
  void read(const std::filesystem::path& file) { read(file, {.model = "", .attention = "", .weights = "", .kv = ""}); }

  const Traces& traces() const { return traces_; }
  Traces take() { return std::move(traces_); }

 private:
  std::size_t answerer_of(const AnswererWords& words, const SourceLocation& place);
  std::uint32_t task_of(const std::string& query);
  /// Adds an answer and returns its score as it stands there.
  float add(const TraceLine& line, const AnswererWords& words, const SourceLocation& place);

  Traces traces_;
  std::unordered_map<std::string, std::uint32_t> task_numbers_;
  int threads_;
  std::size_t last_answerer_ = 0;  ///< most lines are of the one of the line before
};

}  // namespace bitlaw
