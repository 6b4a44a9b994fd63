#include "experiments/launch/progress.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <functional>

namespace bitlaw {
namespace {

/// What `use` writes to its stream.
std::string written(const std::function<void(std::FILE*)>& use) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* out = ::open_memstream(&text, &size);
  use(out);
  std::fclose(out);
  std::string copy(text, size);
  std::free(text);
  return copy;
}

TEST_CASE("progress: durations take two units at most") {
  CHECK(duration_text(0.04) == "0.0 s");
  CHECK(duration_text(9.94) == "9.9 s");
  CHECK(duration_text(9.96) == "10 s");
  CHECK(duration_text(59.4) == "59 s");
  CHECK(duration_text(59.6) == "1 min 0 s");
  CHECK(duration_text(200) == "3 min 20 s");
  CHECK(duration_text(3600 * 2 + 60 * 5 + 59) == "2 h 5 min");
}

TEST_CASE("progress: the time left is the work left over the speed") {
  // 3/4 of 8e12 operations are left; at 2e10 a second they take 300 s.
  CHECK(progress_line({.runs_done = 3, .runs = 12, .flops_done = 2e12, .flops = 8e12, .flops_per_second = 2e10}) ==
        "[#####---------------] 3/12 runs, 25 %, 20 GFLOP/s, 5 min 0 s left");
  CHECK(progress_line({.runs_done = 0, .runs = 2, .flops_done = 0, .flops = 5, .flops_per_second = 0}) ==
        "[--------------------] 0/2 runs, 0 %");
  CHECK(progress_line({.runs_done = 0, .runs = 0, .flops_done = 0, .flops = 0, .flops_per_second = 0}) ==
        "[####################] 0/0 runs, 100 %");
}

TEST_CASE("progress: a log gets a line per finished run and no control characters") {
  const std::string text = written([](std::FILE* out) {
    Progress progress(out, /*terminal=*/false, {100, 300});
    for (int i = 1; i <= 1000; ++i) progress.update(0, 0.1 * i);
    progress.finish(1, "b: loss 2");
    progress.finish(0, "a: loss 3");
    progress.close();
  });
  CHECK(text == "1/2 b: loss 2\n2/2 a: loss 3\n");
}

TEST_CASE("progress: on a terminal the bar is rewritten and finished runs stay above it") {
  const std::string text = written([](std::FILE* out) {
    Progress progress(out, /*terminal=*/true, {100, 300});
    progress.finish(0, "a: loss 3");
    progress.close();
  });
  CHECK(text.starts_with("1/2 a: loss 3\n\r[#####---------------] 1/2 runs, 25 %"));
  CHECK(text.ends_with("\033[K\n"));
}

}  // namespace
}  // namespace bitlaw
