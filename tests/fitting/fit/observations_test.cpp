#include "fitting/fit/observations.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/fitting/relative.h"
#include "tests/support/message_of.h"

using namespace bitlaw;

namespace {

RunRecord example_run(std::string id, std::int64_t block_size) {
  RunRecord run;
  run.run_id = std::move(id);
  run.precision = "mxfp4";
  run.params = 20'000;
  run.params_total = 90'000;
  run.tokens = 1'000'000;
  run.exponent_bits = 2;
  run.mantissa_bits = 1;
  run.block_size = block_size;
  run.loss = 2.5;
  return run;
}

std::string message(std::string_view law, const RunRecord& run) {
  return message_of([&] { law_inputs(find_law(law), run); });
}

}  // namespace

TEST_CASE("observations: each law reads its own inputs of a run, N without embedding and head") {
  const RunRecord run = example_run("a", 32);
  CHECK(law_inputs(find_law("chinchilla"), run) == std::vector<double>{20'000, 1'000'000});
  CHECK(law_inputs(find_law("qat"), run) == std::vector<double>{20'000, 1'000'000, 32});
  CHECK(law_inputs(find_law("fp_quantization"), run) == std::vector<double>{20'000, 1'000'000, 2, 1, 32});
}

TEST_CASE("observations: an unquantized run has one element per scale") {
  CHECK(law_inputs(find_law("qat"), example_run("a", 0))[2] == 1);
  CHECK(law_inputs(find_law("fp_quantization"), example_run("a", 0))[4] == 1);
}

TEST_CASE("observations: a scale per channel is the published constant for fp_quantization and refused by qat") {
  const RunRecord run = example_run("4f2a", -1);
  CHECK(std::log2(law_inputs(find_law("fp_quantization"), run)[4]) == relative(13.1567, 1e-14));
  CHECK(message("qat", run) ==
        "run 4f2a (mxfp4): law 'qat' needs the elements per scale, and a scale per channel spans a different extent in "
        "every layer; give the recipe blocks along K or leave the run out of this fit");
}

TEST_CASE("observations: a scale per tensor is refused by both quantization laws") {
  const RunRecord run = example_run("4f2a", -2);
  const std::string tail =
      " needs the elements per scale, and no constant is published for one scale per tensor; give the recipe blocks "
      "along K or leave the run out of this fit";
  CHECK(message("qat", run) == "run 4f2a (mxfp4): law 'qat'" + tail);
  CHECK(message("fp_quantization", run) == "run 4f2a (mxfp4): law 'fp_quantization'" + tail);
}

TEST_CASE("observations: diverged runs are left out and counted") {
  std::vector<RunRecord> runs{example_run("a", 32), example_run("b", 32), example_run("c", 32)};
  runs[1].diverged = true;
  runs[1].loss = std::numeric_limits<double>::quiet_NaN();
  const Observations observations = observations_from_runs(find_law("qat"), runs);
  CHECK(observations.ids == std::vector<std::string>{"a", "c"});
  CHECK(observations.cluster == observations.ids);
  CHECK(observations.loss == std::vector<double>{2.5, 2.5});
  REQUIRE(observations.notes.size() == 1);
  CHECK(observations.notes[0] == "1 of 3 runs diverged and are left out, so the fit describes the runs that survived");
}

TEST_CASE("observations: a law of inputs that no sweep records is refused by the input's name") {
  RunRecord run;
  run.run_id = "a";
  CHECK(
      message_of([&] { law_inputs(find_law("critical_batch"), run); }) ==
      "run a: law 'critical_batch' needs L, which a sweep does not record, so it cannot be fitted to its runs; fit it "
      "to a table with bitlaw fit table.csv --map L=...");
}
