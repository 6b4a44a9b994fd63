#include "experiments/sweep/axes.h"

#include <fmt/format.h>

#include <limits>
#include <utility>

namespace bitlaw {
namespace {

constexpr std::size_t kMaxRuns = 1'000'000;

/// The values of an axis, each with the axis's key.
std::vector<YamlNode> values_of(const YamlNode& axis, const std::string& name) {
  std::vector<YamlNode> values = list_in(axis, axis.key);
  if (values.empty()) {
    throw InputError(axis.place, fmt::format("axis '{}' of sweep '{}' has no values, so the sweep would run nothing; "
                                             "give at least one value or delete the axis",
                                             axis.key, name));
  }
  for (YamlNode& value : values) {
    value.key = axis.key;
    value.key_place = axis.key_place;
  }
  return values;
}

std::vector<SweepPoint> zipped(const YamlNode& zip, const std::string& name) {
  std::vector<SweepPoint> rows;
  const YamlNode* first = nullptr;
  for (const YamlNode& axis : map_in(zip, "sweep.zip")) {
    const std::vector<YamlNode> values = values_of(axis, name);
    if (first == nullptr) {
      first = &axis;
      rows.resize(values.size());
    }
    if (values.size() != rows.size()) {
      throw InputError(axis.place, fmt::format("zip axis '{}' has {} values and '{}' has {}, so they cannot be walked "
                                               "together; give both the same number or move one to the grid",
                                               axis.key, values.size(), first->key, rows.size()));
    }
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].push_back(values[i]);
  }
  return first == nullptr ? std::vector<SweepPoint>(1) : rows;
}

std::vector<SweepPoint> crossed(const std::vector<SweepPoint>& points, const std::vector<YamlNode>& values) {
  if (points.size() * values.size() > kMaxRuns) {
    throw InputError(values.front().key_place,
                     fmt::format("the sweep has more than {} runs, which cannot be meant; shorten an axis", kMaxRuns));
  }
  std::vector<SweepPoint> product;
  product.reserve(points.size() * values.size());
  for (const SweepPoint& point : points) {
    for (const YamlNode& value : values) {
      product.push_back(point);
      product.back().push_back(value);
    }
  }
  return product;
}

std::vector<YamlNode> seeds_in(const YamlNode& seeds, const std::string& name) {
  YamlNode axis = seeds;
  axis.key = "training.seed";
  if (seeds.kind != YamlNode::Kind::List) {
    const std::int64_t count = integer_in(seeds, "sweep.seeds", 1, kMaxRuns);
    axis.kind = YamlNode::Kind::List;
    for (std::int64_t seed = 0; seed < count; ++seed) {
      YamlNode& value = axis.children.emplace_back(seeds);
      value.text = std::to_string(seed);
    }
  }
  return values_of(axis, name);
}

}  // namespace

std::vector<SweepPoint> sweep_points(const YamlNode* sweep, const std::string& name) {
  if (sweep == nullptr) return std::vector<SweepPoint>(1);
  for (const YamlNode& part : map_in(*sweep, "sweep")) {
    if (part.key != "zip" && part.key != "grid" && part.key != "derive" && part.key != "seeds") {
      refuse_key(part, "sweep", {"zip", "grid", "derive", "seeds"});
    }
  }
  const YamlNode* zip = sweep->find("zip");
  std::vector<SweepPoint> points = zip == nullptr ? std::vector<SweepPoint>(1) : zipped(*zip, name);
  if (const YamlNode* grid = sweep->find("grid")) {
    for (const YamlNode& axis : map_in(*grid, "sweep.grid")) points = crossed(points, values_of(axis, name));
  }
  if (const YamlNode* seeds = sweep->find("seeds")) points = crossed(points, seeds_in(*seeds, name));
  return points;
}

}  // namespace bitlaw
