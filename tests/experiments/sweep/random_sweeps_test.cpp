// A thousand random sweeps, counted off by hand: every run's values from the digits of its number, then by its rules.

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>

#include "tests/experiments/sweep/plan_text.h"
#include "tests/support/long_test.h"

namespace bitlaw {
namespace {

constexpr std::array<const char*, 7> kKeys{
    "model.width",          "training.batch",       "training.tokens",        "regression.outputs",
    "training.eval_tokens", "training.curve_every", "training.validate_every"};
constexpr const char* kBase =
    "experiment: random\n"
    "task: regression\n"
    "regression: {outputs: 2}\n"
    "model: {width: 2}\n"
    "training: {batch: 2, tokens: 2, eval_tokens: 2, curve_every: 2, validate_every: 2}\n";

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

struct Derivation {
  const char* text;
  std::function<double(const Values&)> value;  ///< never halfway between two whole numbers
};
const std::array<Derivation, 4> kDerivations{{
    {"2 * model_width", [](const Values& v) { return 2.0 * v.at("model.width"); }},
    {"1 + training_batch / 3", [](const Values& v) { return 1 + v.at("training.batch") / 3.0; }},
    {"training_seed + regression_outputs",
     [](const Values& v) { return v.at("training.seed") + v.at("regression.outputs"); }},
    {"training_tokens > 3 ? training_tokens : 3", [](const Values& v) { return std::max(3, v.at("training.tokens")); }},
}};

/// Rows of values that a run takes one of, and how YAML says it.
struct Axis {
  std::string key, list;
  std::vector<Values> rows;
};

struct Spec {
  struct Case {
    const Condition* condition;
    std::string key;
    int value;
  };
  std::vector<std::pair<std::string, std::vector<int>>> zip;
  std::vector<Values> list;
  std::vector<Axis> grid;
  std::vector<Spec> groups;
  std::vector<int> seeds;
  std::vector<Case> when;
  std::vector<std::pair<std::string, const Derivation*>> derive;
  std::vector<const Condition*> include, exclude;  ///< one of them is enough
};

std::string text(const std::vector<int>& values) { return fmt::format("[{}]", fmt::join(values, ", ")); }

std::string map_text(const Values& values) {
  std::vector<std::string> pairs;
  for (const auto& [key, value] : values) pairs.push_back(fmt::format("{}: {}", key, value));
  return fmt::format("{{{}}}", fmt::join(pairs, ", "));
}

Axis plain_axis(const std::string& key, const std::vector<int>& values) {
  Axis axis{key, text(values), {}};
  for (const int value : values) axis.rows.push_back({{key, value}});
  return axis;
}

class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  /// A sweep that gives values to some of `keys`, which it takes out.
  Spec spec(std::vector<std::string>& keys, bool seeds, int depth) {
    Spec spec;
    if (chance(40)) {
      const auto rows = static_cast<std::size_t>(number(1, 3));
      for (int column = number(1, 2); column > 0 && !keys.empty(); --column)
        spec.zip.emplace_back(take(keys), some(rows));
    }
    if (chance(30) && !keys.empty()) {
      const std::string key = take(keys);
      for (const int value : some(count())) spec.list.push_back({{key, value}});
      if (chance(50) && !keys.empty()) {
        const std::string second = take(keys);
        for (Values& row : spec.list) row[second] = number(2, 7);
      }
    }
    for (int axis = number(0, 2); axis > 0 && !keys.empty(); --axis)
      spec.grid.push_back(plain_axis(take(keys), some(count())));
    if (chance(20)) add_group_axis(spec, keys);
    for (int one = chance(30) ? number(1, 2) : 0; one > 0 && !keys.empty(); --one)
      spec.when.push_back({any_of(kConditions), take(keys), number(2, 7)});
    for (int one = chance(30) ? number(1, 2) : 0; one > 0 && !keys.empty(); --one)
      spec.derive.emplace_back(take(keys), any_of(kDerivations));
    const bool own_seeds = seeds && chance(50);
    if (depth < 2 && chance(depth == 0 ? 60 : 30)) {
      for (int group = number(1, 3); group > 0; --group) {
        std::vector<std::string> own = keys;
        spec.groups.push_back(this->spec(own, seeds && !own_seeds, depth + 1));
      }
    }
    if (own_seeds) spec.seeds = some(count());
    for (auto* conditions : {&spec.include, &spec.exclude}) {
      for (int one = chance(20) ? number(1, 2) : 0; one > 0; --one) conditions->push_back(any_of(kConditions));
    }
    return spec;
  }

  /// What --set makes of the sweep: an axis of the grid anew or, where there is none of a key that nobody gives, one
  /// more, the last. Returns the assignment.
  std::string set_axis(Spec& spec, std::vector<std::string>& keys) {
    const auto plain = [](const Axis& axis) { return axis.rows.front().size() == 1; };
    const auto found = std::find_if(spec.grid.begin(), spec.grid.end(), plain);
    const bool replaces = found != spec.grid.end() && chance(50);
    if (!replaces && keys.empty()) return "";
    const Axis axis = plain_axis(replaces ? found->key : take(keys), some(count()));
    if (replaces) {
      *found = axis;
    } else {
      spec.grid.push_back(axis);
    }
    return axis.key + "=" + axis.list;
  }

  bool chance(int percent) { return number(1, 100) <= percent; }

 private:
  /// An axis whose values are maps: training: [{batch: 2, tokens: 3}, ...].
  void add_group_axis(Spec& spec, std::vector<std::string>& keys) {
    std::vector<std::string> both;
    for (const std::string& key : std::vector<std::string>(keys)) {
      if (!key.starts_with("training.") || both.size() == 2) continue;
      both.push_back(key);
      std::erase(keys, key);
    }
    if (both.empty()) return;
    Axis axis{"training", "", {}};
    std::vector<std::string> maps;
    for (const int first : some(count())) {
      Values row, short_names;
      for (const std::string& key : both) {
        row[key] = key == both.front() ? first : number(2, 7);
        short_names[key.substr(9)] = row[key];
      }
      axis.rows.push_back(row);
      maps.push_back(map_text(short_names));
    }
    axis.list = fmt::format("[{}]", fmt::join(maps, ", "));
    spec.grid.push_back(axis);
  }

  int number(int least, int most) { return std::uniform_int_distribution<int>(least, most)(random_); }
  std::size_t count() { return static_cast<std::size_t>(number(1, 3)); }
  template <typename Table>
  auto any_of(const Table& table) -> decltype(table.data()) {
    return &table[static_cast<std::size_t>(number(0, static_cast<int>(table.size()) - 1))];
  }
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

/// As YAML; parts in an order that means nothing.
std::string yaml(const Spec& spec) {
  std::vector<std::string> parts;
  const auto add = [&](const std::string& part, const char* brackets, const auto& entries, const auto& entry) {
    std::vector<std::string> texts;
    for (const auto& one : entries) texts.push_back(entry(one));
    if (!texts.empty())
      parts.push_back(fmt::format("{}: {}{}{}", part, brackets[0], fmt::join(texts, ", "), brackets[1]));
  };
  const auto quoted = [](const Condition* condition) { return fmt::format("\"{}\"", condition->text); };
  add("derive", "{}", spec.derive, [](const auto& d) { return fmt::format("{}: \"{}\"", d.first, d.second->text); });
  add("exclude", "[]", spec.exclude, quoted);
  if (!spec.seeds.empty()) parts.push_back("seeds: " + text(spec.seeds));
  add("grid", "{}", spec.grid, [](const Axis& axis) { return axis.key + ": " + axis.list; });
  add("groups", "[]", spec.groups, yaml);
  add("list", "[]", spec.list, map_text);
  add("zip", "{}", spec.zip, [](const auto& column) { return column.first + ": " + text(column.second); });
  add("include", "[]", spec.include, quoted);
  add("when", "[]", spec.when, [](const Spec::Case& one) {
    return fmt::format("{{if: \"{}\", {}: {}}}", one.condition->text, one.key, one.value);
  });
  return fmt::format("{{{}}}", fmt::join(parts, ", "));
}

/// A point before its rules, which ask for all of its values, and the sweeps whose rules hold for it, the inner first.
struct Point {
  Values given;
  std::vector<const Spec*> rules;
};

std::vector<Point> points_of(const Spec& spec) {
  std::vector<Point> inner;
  for (const Spec& group : spec.groups) {
    for (const Point& point : points_of(group)) inner.push_back(point);
  }
  if (spec.groups.empty()) inner.emplace_back();
  // The digits of a point's number, the most significant first: zip, list, grid's axes, groups, seeds.
  std::vector<std::size_t> sizes{spec.zip.empty() ? 1 : spec.zip.front().second.size(),
                                 spec.list.empty() ? 1 : spec.list.size()};
  for (const Axis& axis : spec.grid) sizes.push_back(axis.rows.size());
  sizes.push_back(inner.size());
  sizes.push_back(spec.seeds.empty() ? 1 : spec.seeds.size());
  std::size_t count = 1;
  for (const std::size_t size : sizes) count *= size;

  std::vector<Point> points;
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<std::size_t> digits(sizes.size());
    std::size_t rest = i;
    for (std::size_t d = sizes.size(); d-- > 0;) {
      digits[d] = rest % sizes[d];
      rest /= sizes[d];
    }
    Point point = inner[digits[digits.size() - 2]];
    for (const auto& [key, values] : spec.zip) point.given[key] = values[digits[0]];
    if (!spec.list.empty()) point.given.insert(spec.list[digits[1]].begin(), spec.list[digits[1]].end());
    for (std::size_t a = 0; a < spec.grid.size(); ++a) {
      const Values& row = spec.grid[a].rows[digits[2 + a]];
      point.given.insert(row.begin(), row.end());
    }
    if (!spec.seeds.empty()) point.given["training.seed"] = spec.seeds[digits.back()];
    point.rules.push_back(&spec);
    points.push_back(point);
  }
  return points;
}

/// All values of a point's run, or nothing where it is left out.
std::optional<Values> run_of(const Point& point) {
  Values values = point.given;
  values.merge(base_values());
  for (const Spec* spec : point.rules) {
    for (const auto& [condition, key, value] : spec->when) {
      if (condition->holds(values)) values[key] = value;
    }
  }
  for (const Spec* spec : point.rules) {
    for (const auto& [key, derivation] : spec->derive) {
      values[key] = static_cast<int>(std::lround(derivation->value(values)));
    }
  }
  const auto any = [&](const auto& conditions) {
    return std::any_of(conditions.begin(), conditions.end(), [&](const auto* c) { return c->holds(values); });
  };
  for (const Spec* spec : point.rules) {
    if ((!spec->include.empty() && !any(spec->include)) || any(spec->exclude)) return std::nullopt;
  }
  return values;
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
  int repeated = 0, emptied = 0, compared = 0, ruled = 0, set = 0;
  std::size_t most = 0;
  for (unsigned seed = 0; seed < 1000; ++seed) {
    CAPTURE(seed);
    std::vector<std::string> keys(kKeys.begin(), kKeys.end());
    Generator generator(seed);
    Spec spec = generator.spec(keys, /*seeds=*/true, 0);
    const std::string file = kBase + fmt::format("sweep: {}\n", yaml(spec));
    std::vector<std::string> overrides;
    if (spec.groups.empty() && generator.chance(50)) {  // groups may have taken any key
      if (const std::string assignment = generator.set_axis(spec, keys); !assignment.empty()) overrides = {assignment};
    }
    CAPTURE(file);
    CAPTURE(fmt::format("{}", fmt::join(overrides, " ")));
    const std::vector<Point> points = points_of(spec);
    std::vector<Values> runs;
    for (const Point& point : points) {
      if (const auto values = run_of(point)) runs.push_back(*values);
    }
    if (runs.empty()) {
      ++emptied;
      CHECK(refusal(file, overrides).find("include and exclude leave none of the") != std::string::npos);
    } else if (std::set<Values>(runs.begin(), runs.end()).size() != runs.size()) {
      ++repeated;
      CHECK(refusal(file, overrides).find("are the same") != std::string::npos);
    } else {
      ++compared;
      ruled += spec.when.empty() && spec.derive.empty() ? 0 : 1;
      set += overrides.empty() ? 0 : 1;
      most = std::max(most, runs.size());
      const Experiment experiment = plan_text(file, overrides);
      REQUIRE(experiment.runs.size() == runs.size());
      for (std::size_t i = 0; i < runs.size(); ++i) CHECK(values_of(experiment.runs[i]) == runs[i]);
      const auto all = ids(experiment);
      CHECK(std::set<std::string>(all.begin(), all.end()).size() == runs.size());
      CHECK(experiment.left_out == points.size() - runs.size());
    }
  }
  CHECK(compared > 500);
  CHECK(repeated > 50);
  CHECK(emptied > 20);
  CHECK(most > 100);
  CHECK(ruled > 100);
  CHECK(set > 100);
}

}  // namespace
}  // namespace bitlaw
