#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/base/file.h"
#include "experiments/sweep/run_id.h"
#include "tests/experiments/sweep/plan_text.h"

namespace bitlaw {
namespace {

TEST_CASE("sweep: without axes there is one run, with every default made explicit") {
  const Experiment experiment = plan_text(kSmall);
  REQUIRE(experiment.runs.size() == 1);
  const auto& resolved = experiment.runs[0].resolved();
  CHECK(std::get<std::int64_t>(resolved.at("model.kv_heads")) == 2);  // as many as heads
  CHECK(std::get<std::int64_t>(resolved.at("model.ffn")) == 96);      // 8/3 * 32 = 85.3, up to a multiple of 16
  CHECK(std::get<double>(resolved.at("training.optimizer.learning_rate")) == 3e-3);
  CHECK(std::get<std::string>(resolved.at("training.schedule.kind")) == "cosine");
  CHECK(std::get<std::string>(resolved.at("precision")) == "float32");
  CHECK(std::get<std::string>(resolved.at("precision.wgrad.g")) == "float32");
  CHECK(experiment.differing.empty());
  CHECK(experiment.runs[0].label.empty());
}

TEST_CASE("sweep: keys that mean nothing beside the others are no part of a run") {
  const auto resolved = plan_text(kSmall).runs[0].resolved();
  CHECK_FALSE(resolved.contains("corpus.files"));             // synthetic
  CHECK_FALSE(resolved.contains("training.schedule.decay"));  // cosine
  CHECK(resolved.contains("corpus.order"));
}

TEST_CASE("sweep: zip x grid x seeds gives the product of their lengths, all different") {
  const Experiment experiment =
      plan_text(small("sweep:\n"
                      "  zip: {model.width: [16, 32, 64], model.layers: [1, 2, 2]}\n"
                      "  grid: {training.tokens: [512, 1024], precision: [float32, mxfp8, mxfp4, nvfp4]}\n"
                      "  seeds: 2\n"));
  CHECK(experiment.runs.size() == 3 * 2 * 4 * 2);
  const auto all = ids(experiment);
  CHECK(std::set<std::string>(all.begin(), all.end()).size() == all.size());
  CHECK(experiment.differing ==
        std::vector<std::string>{"model.layers", "model.width", "precision", "training.seed", "training.tokens"});
}

TEST_CASE("sweep: the last axis varies fastest, zip slowest, seeds fastest of all") {
  const Experiment experiment =
      plan_text(small("sweep:\n"
                      "  seeds: [7, 3]\n"
                      "  grid: {model.layers: [1, 2], training.batch: [2, 4]}\n"
                      "  zip: {model.context: [8, 16], training.eval_tokens: [32, 64]}\n"));
  struct Row {
    int context;
    std::int64_t eval;
    int layers, batch;
    std::uint64_t seed;
  };
  std::vector<Row> expected;
  for (const int context : {8, 16}) {
    for (const int layers : {1, 2}) {
      for (const int batch : {2, 4}) {
        for (const std::uint64_t seed : {7U, 3U}) expected.push_back({context, context * 4, layers, batch, seed});
      }
    }
  }
  REQUIRE(experiment.runs.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CAPTURE(i);
    const TrainConfig config = experiment.runs[i].config();
    CHECK(config.model.context == expected[i].context);
    CHECK(config.eval_tokens == expected[i].eval);
    CHECK(config.model.layers == expected[i].layers);
    CHECK(config.batch == expected[i].batch);
    CHECK(config.seed == expected[i].seed);
  }
}

TEST_CASE("sweep: labels name what differs by the last word of its key, unless two share it") {
  CHECK(plan_text(small("sweep: {grid: {model.width: [16, 32]}}\n")).runs[1].label == "width=32");
  CHECK(plan_text(small("sweep: {grid: {corpus.seed: [0, 1]}, seeds: 2}\n")).runs[1].label ==
        "corpus.seed=0, training.seed=1");
}

TEST_CASE("sweep: a group of keys is an axis, too") {
  const Experiment experiment = plan_text(small("sweep: {grid: {model: [{width: 16, heads: 1}, {layers: 1}]}}\n"));
  REQUIRE(experiment.runs.size() == 2);
  CHECK(experiment.runs[0].config().model.width == 16);
  CHECK(experiment.runs[0].config().model.heads == 1);
  CHECK(experiment.runs[0].config().model.layers == 2);
  CHECK(experiment.runs[1].config().model.width == 32);
  CHECK(experiment.runs[1].config().model.layers == 1);
}

TEST_CASE("sweep: an id does not depend on key order, spelling or layout") {
  const auto expected = ids(plan_text(small("sweep:\n  grid: {model.width: [32, 64], training.seed: [0, 1]}\n")));
  const auto other =
      ids(plan_text("# the same in another hand\n"
                    "sweep:\n"
                    "    grid:\n"
                    "        training.seed:\n"
                    "            - 0\n"
                    "            - 1e0\n"
                    "        model.width: [3.2e1, '64']\n"
                    "training:\n"
                    "    eval_tokens: 64\n"
                    "    schedule: {kind: cosine}   # the default\n"
                    "    optimizer.learning_rate: 0.003\n"
                    "    batch: 4\n"
                    "    tokens: 1024\n"
                    "model: {context: 16, kv_heads: 2, heads: 2, layers: 2}\n"
                    "title: Another title\n"
                    "corpus: {length: 4096, vocabulary: 16, kind: synthetic}\n"
                    "experiment: another_name\n"));
  CHECK(std::set<std::string>(other.begin(), other.end()) == std::set<std::string>(expected.begin(), expected.end()));
}

TEST_CASE("sweep: changing any one value changes the id") {
  const std::string base = plan_text(kSmall).runs[0].id;
  std::set<std::string> seen{base};
  for (const char* change : {"corpus.vocabulary=17",
                             "corpus.length=5000",
                             "corpus.seed=1",
                             "corpus.order=2",
                             "corpus.concentration=0.4",
                             "corpus.validation_fraction=0.06",
                             "model.layers=1",
                             "model.width=64",
                             "model.heads=4",
                             "model.kv_heads=1",
                             "model.ffn=48",
                             "model.context=8",
                             "model.rope_base=9999",
                             "training.tokens=1025",
                             "training.batch=2",
                             "training.eval_tokens=128",
                             "training.seed=1",
                             "training.optimizer.learning_rate=0.0031",
                             "training.optimizer.beta1=0.8",
                             "training.optimizer.beta2=0.99",
                             "training.optimizer.epsilon=1e-9",
                             "training.optimizer.weight_decay=0",
                             "training.optimizer.clip=0",
                             "training.schedule.kind=wsd",
                             "training.schedule.warmup=0.1",
                             "training.schedule.final=0",
                             "precision=mxfp4",
                             "precision=nvfp4",
                             "precision={fwd.w: mxfp4}",
                             "precision={fwd.w: {preset: mxfp4, round: stochastic}}"}) {
    CAPTURE(change);
    CHECK(seen.insert(plan_text(kSmall, {change}).runs[0].id).second);
  }
}

TEST_CASE("sweep: a text corpus counts by its content, not by its path") {
  const TemporaryFolder folder;
  const std::string text(4000, 'a');
  folder.write("one.txt", text + "b");
  folder.write("two.txt", text + "b");
  folder.write("three.txt", text + "c");
  const auto id = [&](const std::string& file) {
    return plan_experiment(
               folder.write("x.yaml", "experiment: t\nmodel: {context: 16}\ncorpus: {files: " + file + "}\n"))
        .runs[0]
        .id;
  };
  CHECK(id("one.txt") == id("[two.txt]"));
  CHECK(id("one.txt") == id(folder / "two.txt"));
  CHECK(id("one.txt") != id("three.txt"));
}

TEST_CASE("sweep: a recipe counts by what it does, not by its name") {
  const std::string own = small(
      "precisions:\n"
      "  mine: {all: {format: e2m1, block: 32, scale: e8m0, rule: ocp_floor}}\n");
  CHECK(plan_text(own, {"precision=mine"}).runs[0].id == plan_text(own, {"precision=mxfp4"}).runs[0].id);
}

TEST_CASE("sweep: only runs whose roundings may need more than 16 random bits are of the last numerical epoch") {
  const auto epoch = [](const std::string& lines) {
    return numerical_epoch(plan_text(small(lines + "precision: mine\n")).runs[0].config());
  };
  const auto of_recipe = [&](const std::string& recipe) { return epoch("precisions: {mine: " + recipe + "}\n"); };
  CHECK(of_recipe("{all: mxfp4}") == 3);
  CHECK(of_recipe("{all: mxfp4, gradients: {round: stochastic_b, bits: 16}}") == 3);
  CHECK(of_recipe("{all: mxfp4, gradients: {round: stochastic_b, bits: 17}}") == 4);
  CHECK(of_recipe("{all: mxfp4, gradients: {round: stochastic}}") == 4);
  CHECK(of_recipe("{all: mxfp4, rules: [{last: 1, wgrad.g: {round: stochastic}}]}") == 4);
  const std::string plain = "precisions: {mine: {all: mxfp4}, other: {all: mxfp4, backward: {round: stochastic}}}\n";
  CHECK(epoch(plain + "statistics: {every: 1, shadows: [mine]}\n") == 3);
  CHECK(epoch(plain + "statistics: {every: 1, shadows: [other]}\n") == 4);
  for (const std::string kept : {"weights", "moment1", "moment2"}) {
    CAPTURE(kept);
    const auto epoch_in = [&](const std::string& format) {
      const std::string key = "training.optimizer." + kept;
      const std::vector<std::string> stored{key + "_format=" + format, key + "_round=stochastic"};
      return numerical_epoch(plan_text(kSmall, stored).runs[0].config());
    };
    CHECK(epoch_in("bfloat16") == 4);
    CHECK(epoch_in("float32") == 3);  // nothing rounds
  }
}

TEST_CASE("sweep: derived values are formulas over N and the numeric keys of the same run") {
  // N of (layers, width): layers (2 w^2 + 2 w^2 + 3 w ffn + 2 w) + w, with kv_heads = heads.
  const Experiment experiment =
      plan_text(small("sweep:\n"
                      "  zip: {model.width: [16, 32], model.ffn: [48, 96]}\n"
                      "  derive:\n"
                      "    training.tokens: 20 * params\n"
                      "    training.optimizer.learning_rate: 0.1 / sqrt(model_width)\n"
                      "    training.eval_tokens: training_tokens / 100 + 0.5\n"));
  REQUIRE(experiment.runs.size() == 2);
  const std::int64_t n16 = 2 * (4 * 256 + 3 * 16 * 48 + 32) + 16, n32 = 2 * (4 * 1024 + 3 * 32 * 96 + 64) + 32;
  CHECK(experiment.runs[0].config().tokens == 20 * n16);
  CHECK(experiment.runs[1].config().tokens == 20 * n32);
  CHECK(experiment.runs[0].config().optimizer.learning_rate == 0.1 / 4.0);
  CHECK(experiment.runs[0].config().eval_tokens == static_cast<std::int64_t>(std::round(n16 / 5.0 + 0.5)));
}

TEST_CASE("sweep: --set replaces a value, adds one, and reaches into axes") {
  const std::string text = small("sweep: {grid: {model.width: [16, 32, 64]}}\n");
  CHECK(plan_text(text, {"training.tokens=512"}).runs[0].config().tokens == 512);
  CHECK(plan_text(text, {"training.optimizer.beta1=0.5"}).runs[0].config().optimizer.beta1 == 0.5);
  CHECK(plan_text(text, {"sweep.grid.model.width=[64]"}).runs.size() == 1);
  CHECK(plan_text(text, {"sweep.seeds=2"}).runs.size() == 6);
  CHECK(plan_text(text, {"training.tokens=512"}).yaml == text + "# --set training.tokens=512\n");
  // Without a final newline the comment must not join the last value.
  const std::string open = text.substr(0, text.size() - 1);
  CHECK(plan_text(open, {"training.tokens=512"}).yaml == text + "# --set training.tokens=512\n");
}

TEST_CASE("sweep: --set makes the sweep, its grid and a recipe of a file that has none") {
  for (const std::string& text : {small(""), small("sweep:\n"), small("sweep: {}\n")}) {
    CAPTURE(text);
    CHECK(plan_text(text, {"sweep.seeds=3"}).runs.size() == 3);
    CHECK(plan_text(text, {"sweep.grid.model.width=[16, 32]"}).runs.size() == 2);
    CHECK(plan_text(text, {"model.width=[16, 32]"}).runs.size() == 2);
    const Experiment both =
        plan_text(text, {"sweep.grid.model.width=[16, 32]", "sweep.seeds=3", "sweep.exclude=model_width == 32"});
    CHECK(both.runs.size() == 3);
    CHECK(both.left_out == 3);
  }
  const Experiment own = plan_text(kSmall, {"precisions.mine.all=mxfp4", "precision=mine"});
  CHECK(own.runs[0].id == plan_text(kSmall, {"precision={all: mxfp4}"}).runs[0].id);
}

TEST_CASE("sweep: the README's example is an experiment") {
  const std::string readme = read_file(BITLAW_SOURCE_DIR "/experiments/sweep/README.md");
  const auto first = readme.find("```yaml\n") + 8;
  const std::string yaml = readme.substr(first, readme.find("```\n", first) - first);
  const Experiment experiment = plan_text(yaml, {"corpus={kind: synthetic, length: 100000}"});
  CHECK(experiment.name == "quickstart");
  CHECK(experiment.runs.size() == 2 * 3 * 2);
  CHECK(experiment.fits.size() == 2);
}

TEST_CASE("sweep: fits select and group runs by their configuration") {
  const Experiment experiment = plan_text(
      small("sweep: {grid: {precision: [float32, mxfp4, nvfp4], model.width: [16, 32]}}\n"
            "fits:\n"
            "  - {law: chinchilla, per: precision, where: {precision: [float32, nvfp4]}, bootstrap: 7}\n"
            "  - {law: qat, name: wide, where: {model.width: 3.2e1}, huber_delta: 0.1, fixed: {gamma_G: 0.5}}\n"));
  std::vector<RunRecord> records;
  for (const PlannedRun& run : experiment.runs) records.push_back(planned_record(run));
  REQUIRE(experiment.fits.size() == 2);
  const auto by_precision = fit_groups(experiment.fits[0], records);
  REQUIRE(by_precision.size() == 2);
  CHECK(by_precision[0].name == "chinchilla_float32");
  CHECK(by_precision[0].runs == std::vector<std::size_t>{0, 1});
  CHECK(by_precision[1].name == "chinchilla_nvfp4");
  CHECK(by_precision[1].runs == std::vector<std::size_t>{4, 5});
  CHECK(experiment.fits[0].bootstrap == 7);
  const auto wide = fit_groups(experiment.fits[1], records);
  REQUIRE(wide.size() == 1);
  CHECK(wide[0].name == "wide");
  CHECK(wide[0].runs == std::vector<std::size_t>{1, 3, 5});
  CHECK(experiment.fits[1].huber_delta == 0.1);
  CHECK(experiment.fits[1].fixed.at("gamma_G") == 0.5);
}

}  // namespace
}  // namespace bitlaw
