#include "experiments/launch/garbage.h"

#include <doctest/doctest.h>

#include "tests/experiments/sweep/plan_text.h"

namespace bitlaw {
namespace {

TEST_CASE("garbage: runs of another plan and damaged files, but nothing of a planned run and nothing that is claimed") {
  const TemporaryFolder results;
  const Experiment experiment = plan_text(kSmall);
  const std::string mine = "runs/" + experiment.runs[0].id;
  CHECK(garbage(experiment, results.path()).empty());
  for (const std::string& folder : {mine, std::string("runs/old"), std::string("runs/claimed")}) {
    std::filesystem::create_directories(results / folder);
    results.write(folder + "/result.json", "12345");
  }
  results.write("runs/claimed/claim", "somebody");
  results.write(mine + "/checkpoint.damaged-2", "123");
  const auto found = garbage(experiment, results.path());
  REQUIRE(found.size() == 2);
  const std::size_t damaged = found[0].bytes == 3 ? 0 : 1;  // order is that of the paths
  CHECK(found[damaged].path == results / (mine + "/checkpoint.damaged-2"));
  CHECK(found[1 - damaged].path == results / "runs/old");
  CHECK(found[1 - damaged].bytes == 5);
  remove(found);
  CHECK(garbage(experiment, results.path()).empty());
  CHECK(std::filesystem::exists(results / (mine + "/result.json")));
  CHECK(std::filesystem::exists(results / "runs/claimed/claim"));
  CHECK_FALSE(std::filesystem::exists(results / "runs/old"));
}

}  // namespace
}  // namespace bitlaw
