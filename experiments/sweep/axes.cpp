#include "experiments/sweep/axes.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace bitlaw {
namespace {

constexpr std::size_t kMaxRuns = 1'000'000;

const std::vector<std::string> kParts{"zip", "list", "grid", "groups", "seeds", "when", "derive", "include", "exclude"};

void check_count(std::size_t count, const SourceLocation& place) {
  if (count <= kMaxRuns) return;
  throw InputError(place,
                   fmt::format("the sweep has more than {} runs, which cannot be meant; shorten an axis", kMaxRuns));
}

/// Every pair of a point of `outer` and one of `inner`, which varies faster.
std::vector<SweepPoint> crossed(const std::vector<SweepPoint>& outer, const std::vector<SweepPoint>& inner,
                                const SourceLocation& place) {
  check_count(outer.size() * inner.size(), place);
  std::vector<SweepPoint> product;
  product.reserve(outer.size() * inner.size());
  for (const SweepPoint& first : outer) {
    for (const SweepPoint& second : inner) {
      SweepPoint& point = product.emplace_back(first);
      point.values.insert(point.values.end(), second.values.begin(), second.values.end());
      point.rules.insert(point.rules.end(), second.rules.begin(), second.rules.end());
    }
  }
  return product;
}

}  // namespace

std::vector<SweepPoint> Sweep::axis(const YamlNode& axis) {
  const std::vector<YamlNode>& children = list_in(axis, axis.key);
  if (children.empty()) {
    throw InputError(axis.place, fmt::format("axis '{}' of sweep '{}' has no values, so the sweep would run nothing; "
                                             "give at least one value or delete the axis",
                                             axis.key, name_));
  }
  std::vector<SweepPoint> points;
  for (const YamlNode& child : children) {
    YamlNode& value = values_.emplace_back(child);
    value.key = axis.key;
    value.key_place = axis.key_place;
    points.push_back({.values = {&value}, .rules = {}});
  }
  return points;
}

std::vector<SweepPoint> Sweep::zipped(const YamlNode& zip) {
  std::vector<SweepPoint> rows;
  const YamlNode* first = nullptr;
  for (const YamlNode& column : map_in(zip, "sweep.zip")) {
    const std::vector<SweepPoint> values = axis(column);
    if (first == nullptr) {
      first = &column;
      rows.resize(values.size());
    }
    if (values.size() != rows.size()) {
      throw InputError(column.place,
                       fmt::format("zip axis '{}' has {} values and '{}' has {}, so they cannot be walked "
                                   "together; give both the same number or move one to the grid",
                                   column.key, values.size(), first->key, rows.size()));
    }
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].values.push_back(values[i].values.front());
  }
  return first == nullptr ? std::vector<SweepPoint>(1) : rows;
}

std::vector<SweepPoint> Sweep::listed(const YamlNode& list) {
  std::vector<SweepPoint> rows;
  for (const YamlNode& row : list_in(list, "sweep.list")) {
    SweepPoint& point = rows.emplace_back();
    for (const YamlNode& value : map_in(row, "a row of sweep.list")) point.values.push_back(&value);
  }
  return rows;
}

std::vector<SweepPoint> Sweep::joined(const YamlNode& groups) {
  std::vector<SweepPoint> sum;
  for (const YamlNode& group : list_in(groups, "sweep.groups")) {
    const std::vector<SweepPoint> points = expand(group);
    check_count(sum.size() + points.size(), group.place);
    sum.insert(sum.end(), points.begin(), points.end());
  }
  return sum;
}

std::vector<SweepPoint> Sweep::seeds(const YamlNode& seeds, std::size_t times) {
  YamlNode column = seeds;
  column.key = "training.seed";
  if (seeds.kind != YamlNode::Kind::List) {
    const std::int64_t count = integer_in(seeds, "sweep.seeds", 1, kMaxRuns);
    check_count(times * static_cast<std::size_t>(count), seeds.key_place);
    column.kind = YamlNode::Kind::List;
    for (std::int64_t seed = 0; seed < count; ++seed) {
      YamlNode& value = column.children.emplace_back(seeds);
      value.text = std::to_string(seed);
    }
  }
  return axis(column);
}

std::vector<SweepPoint> Sweep::expand(const YamlNode& sweep) {
  for (const YamlNode& part : map_in(sweep, "sweep")) {
    if (std::find(kParts.begin(), kParts.end(), part.key) == kParts.end()) refuse_key(part, "sweep", kParts);
  }
  std::vector<SweepPoint> points(1);
  const auto cross_with = [&](const std::vector<SweepPoint>& inner, const YamlNode& part) {
    if (inner.empty()) {
      throw InputError(part.place, fmt::format("'{}' of sweep '{}' is empty, so the sweep would run nothing; give at "
                                               "least one entry or delete it",
                                               part.key, name_));
    }
    points = crossed(points, inner, part.key_place);
  };
  if (const YamlNode* zip = sweep.find("zip")) cross_with(zipped(*zip), *zip);
  if (const YamlNode* list = sweep.find("list")) cross_with(listed(*list), *list);
  if (const YamlNode* grid = sweep.find("grid")) {
    std::size_t product = points.size();  // before anything of that size is made
    for (const YamlNode& column : map_in(*grid, "sweep.grid")) {
      check_count(product *= std::max<std::size_t>(1, column.children.size()), column.key_place);
    }
    for (const YamlNode& column : map_in(*grid, "sweep.grid")) cross_with(axis(column), column);
  }
  if (const YamlNode* groups = sweep.find("groups")) cross_with(joined(*groups), *groups);
  if (const YamlNode* count = sweep.find("seeds")) cross_with(seeds(*count, points.size()), *count);

  rules_.emplace_back(sweep, recipes_);
  if (rules_.back().empty()) {
    rules_.pop_back();
  } else {
    for (SweepPoint& point : points) point.rules.push_back(&rules_.back());
  }
  return points;
}

std::vector<std::string> Sweep::warnings() const {
  std::vector<std::string> all;
  for (const SweepRules& rules : rules_) {
    for (std::string& warning : rules.warnings()) all.push_back(std::move(warning));
  }
  return all;
}

Sweep::Sweep(const YamlNode* node, const std::string& name, const std::map<std::string, Recipe>& recipes)
    : name_(name), recipes_(recipes), points_(node == nullptr ? std::vector<SweepPoint>(1) : expand(*node)) {}

}  // namespace bitlaw
