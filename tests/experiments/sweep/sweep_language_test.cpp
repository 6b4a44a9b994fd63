#include <doctest/doctest.h>

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>

#include "tests/experiments/sweep/plan_text.h"
#include "tests/support/long_test.h"

namespace bitlaw {
namespace {

// A thousand random sweeps, counted off by hand: every run's values from the digits of its number.

constexpr std::array<const char*, 6> kKeys{"model.width",        "training.batch",       "training.tokens",
                                           "regression.outputs", "training.eval_tokens", "training.curve_every"};
constexpr const char* kBase =
    "experiment: random\n"
    "task: regression\n"
    "regression: {outputs: 2}\n"
    "model: {width: 2}\n"
    "training: {batch: 2, tokens: 2, eval_tokens: 2, curve_every: 2}\n";

using Values = std::map<std::string, int>;

Values base_values() {
  Values values;
  for (const char* key : kKeys) values[key] = 2;
  values["training.seed"] = 0;
  return values;
}

struct Condition {
  const char* text;
  std::function<bool(const Values&)> holds;
};
const std::array<Condition, 5> kConditions{{
    {"model_width > 4", [](const Values& v) { return v.at("model.width") > 4; }},
    {"training_batch == 3 or training_seed == 3",
     [](const Values& v) { return v.at("training.batch") == 3 || v.at("training.seed") == 3; }},
    {"model_width * training_batch <= 12",
     [](const Values& v) { return v.at("model.width") * v.at("training.batch") <= 12; }},
    {"not (regression_outputs > 3)", [](const Values& v) { return v.at("regression.outputs") <= 3; }},
    {"training_tokens != 5 and task == 'regression'", [](const Values& v) { return v.at("training.tokens") != 5; }},
}};

struct Spec {
  std::vector<std::pair<std::string, std::vector<int>>> zip, grid;
  std::vector<Values> list;
  std::vector<Spec> groups;
  std::vector<int> seeds;
  const Condition* include = nullptr;
  const Condition* exclude = nullptr;
};

class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  /// A sweep that gives values to some of `keys`, which it takes out.
  Spec spec(std::vector<std::string>& keys, bool seeds, int depth) {
    Spec spec;
    if (chance(40)) {
      const std::size_t rows = number(1, 3);
      for (int column = number(1, 2); column > 0 && !keys.empty(); --column)
        spec.zip.emplace_back(take(keys), some(rows));
    }
    if (chance(30) && !keys.empty()) {
      const std::string key = take(keys);
      for (const int value : some(number(1, 3))) spec.list.push_back({{key, value}});
      if (chance(50) && !keys.empty()) {
        const std::string second = take(keys);
        for (Values& row : spec.list) row[second] = number(2, 7);
      }
    }
    for (int axis = number(0, 2); axis > 0 && !keys.empty(); --axis)
      spec.grid.emplace_back(take(keys), some(number(1, 3)));
    const bool own_seeds = seeds && chance(50);
    if (depth < 2 && chance(depth == 0 ? 60 : 30)) {
      for (int group = number(1, 3); group > 0; --group) {
        std::vector<std::string> own = keys;
        spec.groups.push_back(this->spec(own, seeds && !own_seeds, depth + 1));
      }
    }
    if (own_seeds) spec.seeds = some(number(1, 3));
    if (chance(20)) spec.include = &kConditions[static_cast<std::size_t>(number(0, 4))];
    if (chance(20)) spec.exclude = &kConditions[static_cast<std::size_t>(number(0, 4))];
    return spec;
  }

 private:
  bool chance(int percent) { return number(1, 100) <= percent; }
  int number(int least, int most) { return std::uniform_int_distribution<int>(least, most)(random_); }
  std::string take(std::vector<std::string>& keys) {
    const auto at = keys.begin() + number(0, static_cast<int>(keys.size()) - 1);
    std::string key = *at;
    keys.erase(at);
    return key;
  }
  std::vector<int> some(std::size_t count) {  // distinct
    std::vector<int> all{2, 3, 4, 5, 6, 7};
    std::shuffle(all.begin(), all.end(), random_);
    all.resize(count);
    return all;
  }

  std::mt19937 random_;
};

std::string text(const std::vector<int>& values) { return fmt::format("[{}]", fmt::join(values, ", ")); }

/// As YAML; parts in an order that means nothing.
std::string yaml(const Spec& spec) {
  std::vector<std::string> parts;
  const auto columns = [](const auto& axes) {
    std::vector<std::string> all;
    for (const auto& [key, values] : axes) all.push_back(fmt::format("{}: {}", key, text(values)));
    return fmt::format("{{{}}}", fmt::join(all, ", "));
  };
  if (spec.exclude != nullptr) parts.push_back(fmt::format("exclude: \"{}\"", spec.exclude->text));
  if (!spec.seeds.empty()) parts.push_back("seeds: " + text(spec.seeds));
  if (!spec.grid.empty()) parts.push_back("grid: " + columns(spec.grid));
  if (!spec.groups.empty()) {
    std::vector<std::string> groups;
    for (const Spec& group : spec.groups) groups.push_back(yaml(group));
    parts.push_back(fmt::format("groups: [{}]", fmt::join(groups, ", ")));
  }
  if (!spec.list.empty()) {
    std::vector<std::string> rows;
    for (const Values& row : spec.list) {
      std::vector<std::string> pairs;
      for (const auto& [key, value] : row) pairs.push_back(fmt::format("{}: {}", key, value));
      rows.push_back(fmt::format("{{{}}}", fmt::join(pairs, ", ")));
    }
    parts.push_back(fmt::format("list: [{}]", fmt::join(rows, ", ")));
  }
  if (!spec.zip.empty()) parts.push_back("zip: " + columns(spec.zip));
  if (spec.include != nullptr) parts.push_back(fmt::format("include: [\"{}\"]", spec.include->text));
  return fmt::format("{{{}}}", fmt::join(parts, ", "));
}

/// Whether a point is kept is asked with all values set, so conditions are collected.
struct Expected {
  Values given;
  std::vector<std::pair<const Condition*, bool>> conditions;  // and whether it must hold
};

std::vector<Expected> expected(const Spec& spec) {
  std::vector<Expected> inner;
  for (const Spec& group : spec.groups) {
    for (const Expected& point : expected(group)) inner.push_back(point);
  }
  if (spec.groups.empty()) inner.emplace_back();
  // The digits of a point's number, the most significant first: zip, list, grid's axes, groups, seeds.
  std::vector<std::size_t> sizes{spec.zip.empty() ? 1 : spec.zip.front().second.size(),
                                 spec.list.empty() ? 1 : spec.list.size()};
  for (const auto& axis : spec.grid) sizes.push_back(axis.second.size());
  sizes.push_back(inner.size());
  sizes.push_back(spec.seeds.empty() ? 1 : spec.seeds.size());
  std::size_t count = 1;
  for (const std::size_t size : sizes) count *= size;

  std::vector<Expected> points;
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<std::size_t> digits(sizes.size());
    std::size_t rest = i;
    for (std::size_t d = sizes.size(); d-- > 0;) {
      digits[d] = rest % sizes[d];
      rest /= sizes[d];
    }
    Expected point = inner[digits[digits.size() - 2]];
    for (const auto& [key, values] : spec.zip) point.given[key] = values[digits[0]];
    if (!spec.list.empty()) point.given.insert(spec.list[digits[1]].begin(), spec.list[digits[1]].end());
    for (std::size_t a = 0; a < spec.grid.size(); ++a)
      point.given[spec.grid[a].first] = spec.grid[a].second[digits[2 + a]];
    if (!spec.seeds.empty()) point.given["training.seed"] = spec.seeds[digits.back()];
    if (spec.include != nullptr) point.conditions.emplace_back(spec.include, true);
    if (spec.exclude != nullptr) point.conditions.emplace_back(spec.exclude, false);
    points.push_back(point);
  }
  return points;
}

Values values_of(const PlannedRun& run) {
  Values values;
  for (const auto& [key, ignored] : base_values()) {
    values[key] = static_cast<int>(std::get<std::int64_t>(run.resolved().at(key)));
  }
  return values;
}

TEST_CASE("sweep: a thousand random sweeps have the runs, the count and the order of their definition" *
          BITLAW_LONG_TEST) {
  int repeated = 0, emptied = 0, compared = 0;
  std::size_t most = 0;
  for (unsigned seed = 0; seed < 1000; ++seed) {
    CAPTURE(seed);
    std::vector<std::string> keys(kKeys.begin(), kKeys.end());
    const Spec spec = Generator(seed).spec(keys, /*seeds=*/true, 0);
    const std::string file = kBase + fmt::format("sweep: {}\n", yaml(spec));
    CAPTURE(file);
    std::vector<Values> runs;
    for (const Expected& point : expected(spec)) {
      Values values = point.given;
      values.merge(base_values());
      bool kept = true;
      for (const auto& [condition, must] : point.conditions) kept &= condition->holds(values) == must;
      if (kept) runs.push_back(values);
    }
    if (runs.empty()) {
      ++emptied;
      CHECK(refusal(file).find("include and exclude leave none of the") != std::string::npos);
    } else if (std::set<Values>(runs.begin(), runs.end()).size() != runs.size()) {
      ++repeated;
      CHECK(refusal(file).find("are the same") != std::string::npos);
    } else {
      ++compared;
      most = std::max(most, runs.size());
      const Experiment experiment = plan_text(file);
      REQUIRE(experiment.runs.size() == runs.size());
      for (std::size_t i = 0; i < runs.size(); ++i) CHECK(values_of(experiment.runs[i]) == runs[i]);
      const auto all = ids(experiment);
      CHECK(std::set<std::string>(all.begin(), all.end()).size() == runs.size());
      CHECK(experiment.left_out == expected(spec).size() - runs.size());
    }
  }
  CHECK(compared > 500);
  CHECK(repeated > 50);
  CHECK(emptied > 20);
  CHECK(most > 100);
}

std::vector<std::string> labels(const Experiment& experiment) {
  std::vector<std::string> labels;
  for (const PlannedRun& run : experiment.runs) labels.push_back(run.label);
  return labels;
}

TEST_CASE("sweep: groups follow each other, each with its own axes and rules, under the rules of the whole") {
  CHECK(
      labels(plan_text(small(
          "sweep:\n"
          "  groups:\n"
          "    - {grid: {model.width: [16, 32]}}\n"
          "    - {grid: {model.width: [64], precision: [mxfp8, mxfp4]}, derive: {training.tokens: 64 * model_width}}\n"
          "  exclude: \"precision == 'mxfp8'\"\n"))) ==
      std::vector<std::string>{"width=16, precision=float32, tokens=1024", "width=32, precision=float32, tokens=1024",
                               "width=64, precision=mxfp4, tokens=4096"});
}

TEST_CASE("sweep: a key that only later runs are given differs if it does between any two") {
  // model.ffn of the first run is 48 by default (8/3 width, rounded up to 16s), of the second 96; then it is given.
  const Experiment given =
      plan_text(small("sweep:\n"
                      "  groups:\n"
                      "    - {grid: {model.width: [16, 32]}}\n"
                      "    - {grid: {model.width: [64], model.ffn: [48]}}\n"));
  CHECK(given.differing == std::vector<std::string>{"model.ffn", "model.width"});
  CHECK(labels(given) == std::vector<std::string>{"ffn=48, width=16", "ffn=96, width=32", "ffn=48, width=64"});
  CHECK(given.runs[1].values == std::vector<std::string>{"96", "32"});
}

TEST_CASE("sweep: a value under a condition replaces the file's, and formulas see it") {
  const Experiment experiment = plan_text(
      small("sweep:\n"
            "  grid: {model.width: [16, 32, 64]}\n"
            "  when:\n"
            "    - {if: model_width > 16, training.batch: 8}\n"
            "    - {if: training_batch == 8 and model_width > 32, training: {optimizer: {learning_rate: 1e-4}}}\n"
            "  derive: {training.tokens: 256 * training_batch}\n"));
  const auto row = [&](std::size_t i) {
    const TrainConfig config = experiment.runs[i].config();
    return std::tuple(config.batch, config.optimizer.learning_rate, config.tokens);
  };
  CHECK(row(0) == std::tuple(4, 3e-3, 1024));
  CHECK(row(1) == std::tuple(8, 3e-3, 2048));
  CHECK(row(2) == std::tuple(8, 1e-4, 2048));
}

TEST_CASE("sweep: what include and exclude leave out need not be possible") {
  // Heads of width 8 / 3 cannot be; a run of theirs would be refused.
  const Experiment experiment =
      plan_text(small("sweep:\n"
                      "  grid: {model.width: [8, 24], model.heads: [2, 3]}\n"
                      "  exclude: [model_width == 8 and model_heads == 3]\n"));
  CHECK(labels(experiment) == std::vector<std::string>{"heads=2, width=8", "heads=2, width=24", "heads=3, width=24"});
  CHECK(experiment.left_out == 1);
}

TEST_CASE("sweep: conditions and groups that mean nothing are refused, with place and remedy") {
  const std::array<std::array<std::string, 2>, 11> cases{{
      {"sweep: {grid: {precision: [mxfp8]}, exclude: [precision == mxfp8]}\n",
       "x.yaml:5:47: formula 'precision == mxfp8' for sweep.exclude cannot be evaluated (precision is a word); compare "
       "it by == or != with a word in quotes: '...'"},
      {"sweep: {exclude: [\"precision == 'mxpf8'\"]}\n",
       "x.yaml:5:19: unknown precision 'mxpf8', neither built in nor under 'precisions', so nothing says how to round; "
       "did "
       "you mean 'mxfp8'?"},
      {"sweep: {exclude: [\"training_schedule_kind == 'cosin'\"]}\n",
       "x.yaml:5:19: training.schedule.kind is 'cosin', which is not known; did you mean 'cosine'?"},
      {"sweep: {exclude: [\"model_width == '32'\"]}\n",
       "x.yaml:5:19: formula 'model_width == '32'' for sweep.exclude cannot be evaluated ('model_width' is no key "
       "whose "
       "value is a word); compare numbers without quotes"},
      {"sweep: {exclude: [\"precision < 'mxfp8'\"]}\n",
       "x.yaml:5:19: formula 'precision < 'mxfp8'' for sweep.exclude cannot be evaluated ('mxfp8' stands alone); "
       "compare "
       "a key with it by == or !="},
      {"sweep: {exclude: [\"precision == 'mxfp8\"]}\n",
       "x.yaml:5:19: formula 'precision == 'mxfp8' for sweep.exclude cannot be evaluated (a quote is not closed); "
       "write "
       "the word between two '"},
      {"sweep: {include: [0 / 0]}\n",
       "x.yaml:5:19: formula '0 / 0' for sweep.include cannot be evaluated (it is not a number for one of the runs); "
       "write a condition that holds or does not"},
      {"sweep: {when: [{training.batch: 8}]}\n",
       "x.yaml:5:16: this case of sweep.when has no 'if', so it would always hold; add if: with a condition, or write "
       "its values into the file itself"},
      {"sweep: {grid: {training.batch: [2, 4]}, when: [{if: model_width > 1, training.batch: 8}]}\n",
       "x.yaml:5:86: training.batch is given a second value here (the first: x.yaml:5:33), so one of the two would be "
       "ignored; keep one"},
      {"sweep: {groups: []}\n",
       "x.yaml:5:17: 'groups' of sweep 'tiny' is empty, so the sweep would run nothing; give at least one entry or "
       "delete it"},
      {"sweep: {include: model_width > 32}\n",
       "x.yaml:5:1: include and exclude leave none of the 1 points of sweep 'tiny', so it would run nothing; loosen a "
       "condition"},
  }};
  for (const auto& [text, message] : cases) CHECK(refusal(small(text)) == message);
}

TEST_CASE("sweep: a product of 10^9 runs is refused at its axis") {
  const std::string axis = "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]";
  std::string grid;
  for (const char* key : {"batch", "tokens", "curve_every", "eval_tokens", "validate_every", "schedule.cycles",
                          "optimizer.reset_every", "optimizer.momentum", "loss_scale.interval"}) {
    grid += fmt::format("training.{}: {}, ", key, axis);
  }
  CHECK(refusal(small("sweep: {grid: {" + grid + "}}\n")).find("the sweep has more than 1000000 runs") !=
        std::string::npos);
}

}  // namespace
}  // namespace bitlaw
