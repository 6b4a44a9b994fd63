#include "experiments/report/sweep_union.h"

#include <doctest/doctest.h>

#include "tests/support/message_of.h"

namespace bitlaw {
namespace {

RunRecord run(const std::string& id, std::int64_t width, double loss) {
  RunRecord run;
  run.run_id = id;
  run.loss = loss;
  run.state_hash = "state of " + id;
  run.config = {{"model.width", width}, {"precision", std::string("mxfp4")}};
  return run;
}

NamedSweep sweep(const std::string& name, std::vector<RunRecord> runs) {
  NamedSweep sweep{.name = name, .sweep = {}};
  sweep.sweep.experiment = name;
  sweep.sweep.config_yaml = "experiment: " + name + "\nseeds: 2\n";
  sweep.sweep.fits.resize(1);
  sweep.sweep.runs = std::move(runs);
  return sweep;
}

TEST_CASE("merge: each run once, in the order of the files; fits are not kept") {
  const SweepFile all =
      merged({sweep("a", {run("1", 16, 2.0), run("2", 32, 1.5)}), sweep("b", {run("2", 32, 1.5), run("3", 64, 1.25)})},
             "bitlaw sweep merge");
  REQUIRE(all.runs.size() == 3);
  CHECK(all.runs[0].run_id == "1");
  CHECK(all.runs[2].run_id == "3");
  CHECK(all.experiment == "a");
  CHECK(all.fits.empty());
  CHECK(all.command == "bitlaw sweep merge");
  CHECK(all.config_yaml == "experiment: a\nseeds: 2\n# merged with b:\n#   experiment: b\n#   seeds: 2\n");
}

TEST_CASE("merge: the same run with other bits is refused, both files named") {
  RunRecord other = run("2", 32, 1.5);
  other.state_hash = "changed";
  CHECK(message_of([&] {
          merged({sweep("a.h5", {run("2", 32, 1.5)}), sweep("b.h5", {other})}, "");
        }) ==
        "b.h5: run 2 ends in the state changed, and in a.h5 in the state state of 2, so one of the two was computed "
        "wrongly or by another program; train it again and merge the file that agrees");
}

TEST_CASE("diff: runs by id, keys by their values, and bits") {
  const NamedSweep a = sweep("a", {run("1", 16, 2.0), run("2", 32, 1.5)});
  CHECK(difference_text(a, a).empty());
  NamedSweep b = sweep("b", {run("2", 32, 1.5), run("3", 64, 1.25)});
  CHECK(difference_text(a, b) ==
        "1 runs in both, 1 only in a, 1 only in b\n"
        "  model.width: 16, 32 | 32, 64\n");
  b = sweep("b", {run("1", 16, 2.0), run("2", 32, 1.75)});
  b.sweep.runs[1].state_hash = "changed";
  CHECK(difference_text(a, b) ==
        "2 runs in both, 0 only in a, 0 only in b\n"
        "  run 2 has the same configuration and other bits: loss 1.5 | 1.75\n");
}

}  // namespace
}  // namespace bitlaw
