#include <doctest/doctest.h>
#include <fmt/format.h>

#include <ctime>
#include <fstream>

#include "tests/experiments/sweep/plan_text.h"

namespace bitlaw {
namespace {

/// What is refused, with the folder taken off.
std::string refused(const TemporaryFolder& folder, const std::string& file) {
  std::string message = message_of([&] { plan_experiment(file); });
  const std::string prefix = folder.path().string() + "/";
  for (auto at = message.find(prefix); at != std::string::npos; at = message.find(prefix)) {
    message.erase(at, prefix.size());
  }
  return message;
}

TEST_CASE("extends: a file's values replace those of the files that it extends, the later of which come first") {
  const TemporaryFolder folder;
  folder.write("base.yaml", kSmall);
  folder.write("more.yaml", "training: {batch: 8, optimizer: {learning_rate: 1e-3}}\nmodel: {layers: 1}\n");
  const Experiment experiment = plan_experiment(folder.write("x.yaml",
                                                             "extends: [base.yaml, more.yaml]\n"
                                                             "experiment: mine\n"
                                                             "training: {optimizer: {beta2: 0.9}, tokens: 2048}\n"));
  const TrainConfig config = experiment.runs[0].config();
  CHECK(experiment.name == "mine");
  CHECK(config.tokens == 2048);                   // x.yaml over base.yaml
  CHECK(config.optimizer.beta2 == 0.9);           // x.yaml beside more.yaml
  CHECK(config.optimizer.learning_rate == 1e-3);  // more.yaml
  CHECK(config.batch == 8);                       // more.yaml over base.yaml
  CHECK(config.model.layers == 1);                // more.yaml beside base.yaml's width
  CHECK(config.model.width == 32);                // base.yaml
  CHECK(experiment.yaml.find("# extends base.yaml:\n#   experiment: tiny\n") != std::string::npos);
}

TEST_CASE("files: a path counts from the folder of the file that says it, and one of --set from where bitlaw started") {
  const TemporaryFolder folder;
  for (const char* name : {"lib", "lib/data"}) std::filesystem::create_directory(folder.path() / name);
  const std::string text = folder.write("lib/data/text", std::string(4096, 'a'));
  const std::string own = folder.write("text", std::string(4096, 'b'));
  folder.write("lib/steps", "0 1\n");
  folder.write("lib/base.yaml",
               "corpus: {kind: text, files: [data/text]}\nmodel: {context: 8}\n"
               "training: {eval_tokens: 64, schedule: {kind: file, file: steps}}\n");
  const std::string file = folder.write("x.yaml", "extends: lib/base.yaml\nexperiment: mine\n");
  const auto files_of = [](const Experiment& experiment) { return experiment.runs[0].config().corpus.files; };
  const Experiment there = plan_experiment(file);
  CHECK(files_of(there) == std::vector{text});
  CHECK(there.runs[0].config().schedule.file == folder / "lib/steps");
  CHECK(files_of(plan_experiment(file, {"corpus.files=" + own})) == std::vector{own});
  CHECK(files_of(plan_experiment(folder.write(
            "z.yaml", "extends: lib/base.yaml\nexperiment: mine\nsweep: {list: [{corpus.files: text}]}\n"))) ==
        std::vector{own});
  CHECK(message_of([&] {
          plan_experiment(file, {"corpus.files=lib/data/text"});
        }).find("lib/data/text: No such file") != std::string::npos);
}

TEST_CASE("extends: an error names the file in which the value stands") {
  const TemporaryFolder folder;
  folder.write("base.yaml", "model: {width: 32,\n        heads: x}\n");
  const std::string file = folder.write("x.yaml", "extends: base.yaml\nexperiment: mine\ntask: regression\n");
  CHECK(refused(folder, file) == "base.yaml:2:16: model.heads is 'x', not a whole number; write one from 1 to 1000000");
}

TEST_CASE("extends: a circle and a file that is not there are refused where they are asked for") {
  const TemporaryFolder folder;
  folder.write("a.yaml", "extends: x.yaml\n");
  CHECK(refused(folder, folder.write("x.yaml", "experiment: mine\nextends: a.yaml\n")) ==
        "a.yaml:1:10: extends leads back to 'x.yaml' or too deep, so reading it would not end; take it out of one of "
        "the files");
  CHECK(refused(folder, folder.write("y.yaml", "experiment: mine\nextends: b.yaml\n"))
            .starts_with("y.yaml:2:10: b.yaml"));
}

TEST_CASE("--set: a list is an axis where the key takes none, and a value where it does") {
  const Experiment crossed =
      plan_text(small("sweep: {seeds: 2}\n"), {"model.width=[16, 32]", "precision=[mxfp8, mxfp4]"});
  CHECK(crossed.runs.size() == 8);
  CHECK(crossed.runs[1].label == "width=16, precision=mxfp8, seed=1");
  CHECK(plan_text(kSmall, {"model.width=[16, 32]"}).runs.size() == 2);
  const Experiment kept = plan_text(kSmall, {"training.keep_checkpoints=[2, 4]"});
  REQUIRE(kept.runs.size() == 1);
  CHECK(kept.runs[0].config().keep_checkpoints == std::vector<std::int64_t>{2, 4});
}

TEST_CASE("plan: a run whose schedule file has changed since is not trained as something else") {
  const TemporaryFolder folder;
  const std::string one = folder.write("one.txt", "0 1\n10 0.5\n"), two = folder.write("two.txt", "0 1\n10 0.2\n");
  const Experiment experiment = plan_text(
      small("sweep: {grid: {training.schedule.file: [" + one + ", " + two + "]}}\n"), {"training.schedule.kind=file"});
  REQUIRE(experiment.runs.size() == 2);
  CHECK(experiment.runs[1].config().schedule.points.back().second == 0.2);
  folder.write("two.txt", "0 1\n10 0.3\n");
  CHECK_NOTHROW(experiment.runs[0].config());
  CHECK(message_of([&] { experiment.runs[1].config(); }).find("is not what it was when it was planned: a file that") !=
        std::string::npos);
}

/// Processor time of a refusal [s].
double seconds_to_refuse(const std::string& text, const std::string& why) {
  const std::clock_t start = std::clock();
  const std::string message = refusal(text);
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  CHECK(message.find(why) != std::string::npos);
  return seconds;
}

#ifdef __SANITIZE_ADDRESS__
constexpr double kMost = 10;  // such a build is some times as slow
#else
constexpr double kMost = 1;
#endif

TEST_CASE("plan: what would grow without end is refused within a second") {
  std::string aliases = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n", grid;
  for (int i = 1; i < 10; ++i) {  // 10^10 values
    aliases += fmt::format("a{0}: &a{0} [", i);
    for (int j = 0; j < 10; ++j) aliases += fmt::format("{}*a{}", j == 0 ? "" : ", ", i - 1);
    aliases += "]\n";
  }
  CHECK(seconds_to_refuse(aliases, "grows without end") < kMost);
  for (const char* key : {"batch", "tokens", "curve_every"}) {  // 10^9 runs
    grid += fmt::format("training.{}: [1", key);
    for (int i = 2; i <= 1000; ++i) grid += fmt::format(", {}", i);
    grid += "], ";
  }
  CHECK(seconds_to_refuse(small("sweep: {grid: {" + grid + "}}\n"), "more than 1000000 runs") < kMost);
  CHECK(seconds_to_refuse(small("sweep: {grid: {training.batch: [1, 2]}, seeds: 1000000}\n"),
                          "x.yaml:5:41: the sweep has more than 1000000 runs") < kMost);
}

TEST_CASE("plan: 100 MB are refused unread") {
  const TemporaryFolder folder;
  const std::string file = folder.write("x.yaml", kSmall);
  std::filesystem::resize_file(file, 100'000'000);  // zeros, which take no room
  CHECK(refused(folder, file) ==
        "x.yaml: this file has 100000000 bytes and an experiment at most 10000000, so it is not read; is it the right "
        "file?");
}

}  // namespace
}  // namespace bitlaw
