#include "simulators/test_time/traces.h"

#include <doctest/doctest.h>

#include <cmath>

#include "core/base/error.h"
#include "tests/support/temporary_folder.h"

namespace bitlaw {
namespace {

Traces traces_of(const std::string& text) {
  TemporaryFolder folder;
  TraceReader reader;
  reader.read(folder.write("runs.jsonl", text));
  return reader.take();
}

std::string traces_complaint(const std::string& text) {
  try {
    traces_of(text);
  } catch (const InputError& error) {
    const std::string what = error.what();
    return what.substr(what.find("runs.jsonl"));
  }
  return "";
}

TEST_CASE("traces: a task is its query, an answerer its model, attention and formats") {
  const Traces traces = traces_of(
      R"({"query": "a", "choice": "1", "prediction": "so 1", "score": 1, "tokens": 100, "prompt_tokens": 9, "model": "m"}
{"query": "b", "choice": ["1"], "prediction": ["so 2", {"score": 7}], "score": 0.5, "tokens": 50, "model": "m"}

{"model": "m", "score": true, "query": "a", "extra": {"query": [1, {"model": "x"}], "score": "?"}, "kv": "mxfp8"}
{"model": "m", "score": false, "query": "a", "tokens": null}
)");
  REQUIRE(traces.tasks.size() == 2);
  CHECK(traces.tasks[0] == "a");
  REQUIRE(traces.answerers.size() == 2);
  CHECK(traces.answer_count() == 4);
  const auto& first = traces.answerers[0];
  CHECK(first.words == AnswererWords{.model = "m"});
  CHECK(first.answers.size() == 3);
  CHECK(first.answers[0].score == 1.0F);
  CHECK(first.answers[0].tokens == 100.0F);
  CHECK(first.answers[0].prompt == 9.0F);
  CHECK(first.answers[1].task == 1);
  CHECK(first.answers[1].score == 0.5F);
  CHECK(std::isnan(first.answers[1].prompt));
  CHECK(std::isnan(first.answers[2].tokens));
  CHECK(traces.answerers[1].words.kv == "mxfp8");
  CHECK(traces.answerers[1].answers[0].score == 1.0F);
  CHECK(traces.answerers[1].first_place.ends_with("runs.jsonl:4"));
}

TEST_CASE("traces: scores of a file are in percent where one is above 1, whatever other files have") {
  TemporaryFolder folder;
  const std::string percent = R"({"query": "a", "score": 100, "model": "m"}
{"query": "a", "score": 1, "model": "m"}
)";
  TraceReader reader;
  reader.read(folder.write("unit.jsonl", R"({"query": "a", "score": 1, "model": "m"})"));
  reader.read(folder.write("percent.jsonl", percent));
  const auto& answers = reader.traces().answerers.at(0).answers;
  REQUIRE(answers.size() == 3);
  CHECK(answers[0].score == 1.0F);
  CHECK(answers[1].score == 1.0F);
  CHECK(answers[2].score == 0.01F);
}

TEST_CASE("traces: the header of arXiv:2506.05333's code names the attention; what is given goes before, lines last") {
  TemporaryFolder folder;
  const std::string header =
      R"({"model": "of header", "attn_local": 0, "attn_topk": null, "attn_block_size": 16, "attn_block_topk": 64})"
      "\n";
  const std::string file = folder.write("runs.jsonl", header + R"({"query": "a", "score": 0}
{"query": "b", "score": 0, "model": "of line", "attention": "dense"}
)");
  const auto words = [&](const AnswererWords& given) {
    TraceReader reader;
    reader.read(file, given);
    return std::pair{reader.traces().answerers.at(0).words, reader.traces().answerers.at(1).words};
  };
  const AnswererWords none{.model = "", .attention = "", .weights = "", .kv = ""};
  CHECK(words(none).first == AnswererWords{.model = "of header", .attention = "block_top_k:16x64"});
  CHECK(words(none).second == AnswererWords{.model = "of line"});
  AnswererWords given = none;
  given.model = "given";
  given.attention = "top_k:5";
  given.kv = "nvfp4";
  CHECK(words(given).first == AnswererWords{.model = "given", .attention = "top_k:5", .kv = "nvfp4"});
  const Traces top_k = traces_of(R"({"attn_local": 24, "attn_topk": 1000, "model": "m"}
{"query": "a", "score": 0})");
  CHECK(top_k.answerers[0].words.attention == "top_k:1024");
}

TEST_CASE("traces: any number of threads reads the same answers, and finds the same first error") {
  std::string text;
  for (int i = 0; i < 10000; ++i) {
    text += "{\"query\": \"" + std::to_string(i % 77) + "\", \"score\": " + std::to_string(i % 2) +
            ", \"tokens\": " + std::to_string(i + 1) + ", \"model\": \"m" + std::to_string(i % 3) + "\"}\n\n";
  }
  TemporaryFolder folder;
  const auto read_with = [&](int threads, const std::string& all) {
    TraceReader reader(threads);
    reader.read(folder.write("runs.jsonl", all));
    return reader.take();
  };
  const Traces one = read_with(1, text), many = read_with(7, text);
  CHECK(one.answer_count() == 10000);
  CHECK(one.tasks == many.tasks);
  for (std::size_t a = 0; a < 3; ++a) {
    REQUIRE(one.answerers[a].answers.size() == many.answerers[a].answers.size());
    CHECK(one.answerers[a].first_place == many.answerers[a].first_place);
    for (std::size_t i = 0; i < one.answerers[a].answers.size(); ++i) {
      CHECK(one.answerers[a].answers[i].tokens == many.answerers[a].answers[i].tokens);
      CHECK(one.answerers[a].answers[i].task == many.answerers[a].answers[i].task);
    }
  }
  for (const int threads : {1, 7}) {  // lines 20001 and 20002
    CHECK_THROWS_WITH(read_with(threads, text + "{\"query\": \"a\"}\n{"), doctest::Contains("runs.jsonl:20001:1: "));
  }
}

TEST_CASE("traces: what is wrong is told with file, line and column") {
  const std::string good = R"({"query": "a", "score": 1, "model": "m"})"
                           "\n";
  CHECK(traces_complaint(good + "{\"query\": \"a\", \"score\": }") ==
        "runs.jsonl:2:25: the line is no JSON here, so its answer is lost; write one object a line");
  CHECK(traces_complaint(good + good + R"({"query": "a", "model": "m"})") ==
        "runs.jsonl:3:1: has no 'score', so the answer is neither right nor wrong; add one from 0 to 1 or to 100");
  CHECK(traces_complaint(good + R"({"score": 1, "model": "m"})") ==
        "runs.jsonl:2:1: has no 'query', so the answer belongs to no task; add its text");
  CHECK(traces_complaint(R"({"query": "a", "score": 1})")
            .starts_with("runs.jsonl:1:1: names no model, so its cost is unknown; add 'model', or write MODEL="));
  CHECK(traces_complaint(R"({"query": "a", "score": "yes", "model": "m"})") ==
        "runs.jsonl:1:1: 'score' is text, so the answer cannot be counted; write a number");
  CHECK(traces_complaint(R"({"query": 5, "score": 1, "model": "m"})") ==
        "runs.jsonl:1:1: 'query' is a number, so the answer cannot be counted; write text");
  CHECK(traces_complaint(R"({"query": "a", "score": [1], "model": "m"})") ==
        "runs.jsonl:1:1: 'score' is a list, so the answer cannot be counted; write a number");
  CHECK(traces_complaint(R"({"query": "a", "score": 101, "model": "m"})") ==
        "runs.jsonl:1:1: 'score' is 101, so the answer cannot be counted; write 0 to 1, or 0 to 100");
  CHECK(traces_complaint(R"({"query": "a", "score": -1, "model": "m"})").find("'score' is -1") != std::string::npos);
  CHECK(traces_complaint(R"({"query": "a", "score": 1, "tokens": 0, "model": "m"})") ==
        "runs.jsonl:1:1: 'tokens' is 0, so the answer has no cost; write a number from 1 to 1e+09");
  for (const char* line : {"3", "null", "[1, 2]", "\"text\""}) {
    CAPTURE(line);
    CHECK(traces_complaint(good + line) ==
          "runs.jsonl:2:1: the line is no JSON object, so it has no answer; write {\"query\": "
          "..., \"score\": ...}");
  }
  CHECK_THROWS_WITH(TraceReader().read("gone.jsonl"), doctest::Contains("gone.jsonl: cannot be read"));
}

}  // namespace
}  // namespace bitlaw
