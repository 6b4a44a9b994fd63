#include "core/record/run_json.h"

#include <doctest/doctest.h>

#include "core/base/error.h"
#include "tests/core/record/planted_sweep.h"
#include "tests/core/record/same_record.h"
#include "tests/support/message_of.h"

using namespace bitlaw;

namespace {

RunRecord small_run() {
  RunRecord run;
  run.run_id = "7";
  run.params = 12;
  return run;
}

std::string message_of_reading(const std::string& text) {
  return message_of([&] { run_from_json(text, "runs/7/result.json"); });
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("run json: every run comes back bit for bit") {
  for (const RunRecord& run : planted_sweep().runs) check_same_run(run_from_json(run_to_json(run)), run);
}

TEST_CASE("run json: awkward configuration values keep their type") {
  RunRecord run;
  const double inf = std::numeric_limits<double>::infinity();
  run.config = {{"one", 1.0},
                {"integer", std::int64_t{1}},
                {"nan", std::numeric_limits<double>::quiet_NaN()},
                {"inf", -inf},
                {"text", std::string("NaN")},
                {"null", std::string("null")},
                {"zero", -0.0},
                {"min", std::numeric_limits<std::int64_t>::min()},
                {"quote", std::string("a\"b\\c\n\t\x01")}};
  check_same_run(run_from_json(run_to_json(run)), run);
}

TEST_CASE("run json: it is the JSON that other readers expect") {
  RunRecord run = small_run();
  run.loss = std::numeric_limits<double>::quiet_NaN();
  run.train_loss = 2.5;
  const std::string json = run_to_json(run);
  CHECK(json.starts_with(R"({"run_id":"7","precision":"","params":12,)"));
  CHECK(json.find(R"("loss":null,"train_loss":2.5,"diverged":false)") != std::string::npos);
  CHECK(json.ends_with("\"config\":{}}\n"));
}

TEST_CASE("run json: text that is not UTF-8 does not stop a run from being saved") {
  RunRecord run;
  run.precision = "a\xFF";
  CHECK(run_from_json(run_to_json(run)).precision == "a\uFFFD");
}

TEST_CASE("run json: what is not a complete run is refused with place, reason and remedy") {
  const std::string whole = run_to_json(small_run());
  CHECK(message_of_reading("") ==
        "runs/7/result.json: is not JSON from byte 1 of 0 on, so nothing of it can be used; delete it and run again");
  CHECK(message_of_reading("[1, 2") ==
        "runs/7/result.json: is not JSON from byte 6 of 5 on, so nothing of it can be used; delete it and run again");
  CHECK(message_of_reading("{}") ==
        "runs/7/result.json: lacks 'run_id', so it is not a complete run; delete it and run again");
  CHECK(message_of_reading("[1, 2]") ==
        "runs/7/result.json: lacks 'run_id', so it is not a complete run; delete it and run again");
  CHECK(message_of_reading(replaced(whole, R"("params":12)", R"("params":12.5)")) ==
        "runs/7/result.json: the value of 'params' is not an integer, so it is not a run; delete it and run again");
  CHECK(message_of_reading(replaced(whole, R"("seed":0)", R"("seed":-1)")) ==
        "runs/7/result.json: the value of 'seed' is not an unsigned integer, so it is not a run; delete it and run "
        "again");
  CHECK(message_of_reading(replaced(whole, R"("step":[])", R"("step":[1])")) ==
        "runs/7/result.json: the value of 'curve' is not lists of equal length, so it is not a run; delete it and run "
        "again");
  for (std::size_t size = 0; size + 2 < whole.size(); ++size) {
    CHECK_THROWS_AS(run_from_json(whole.substr(0, size)), InputError);
  }
}
