#include "experiments/cli/training_cost_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <vector>

#include "core/base/file.h"
#include "core/base/limits.h"
#include "experiments/sweep/yaml_node.h"
#include "fitting/laws/expression.h"

namespace bitlaw {
namespace {

constexpr std::array<std::string_view, 3> kSizes{"N", "D", "P"};

/// The formula with the file's numbers in it; N, D and P are set for each value.
class CostFormula {
 public:
  CostFormula(const YamlNode& cost, const YamlNode* names)
      : expression_(at_place(cost.place, [&] { return Expression(text_in(cost, "cost")); })),
        values_(expression_.names().size(), kNan) {
    places_.fill(values_.size());
    for (std::size_t k = 0; k < kSizes.size(); ++k) places_[k] = place_of(kSizes[k]);
    if (names != nullptr) {
      for (const YamlNode& name : map_in(*names, "names")) set(name);
    }
    for (std::size_t i = 0; i < values_.size(); ++i) {
      const bool size = std::find(places_.begin(), places_.end(), i) != places_.end();
      if (size || !std::isnan(values_[i])) continue;
      throw InputError(cost.place, fmt::format("cost: {} is no number, so there is no cost; give it one under names, "
                                               "or use N, D and P",
                                               expression_.names()[i]));
    }
  }

  double operator()(double params, double tokens, double bits) const {
    std::vector<double> values = values_;
    const std::array sizes{params, tokens, bits};
    for (std::size_t k = 0; k < sizes.size(); ++k) {
      if (places_[k] < values.size()) values[places_[k]] = sizes[k];
    }
    return expression_.evaluate(values, {});
  }

 private:
  std::size_t place_of(std::string_view name) const {
    const auto& names = expression_.names();
    return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
  }

  void set(const YamlNode& name) {
    const std::size_t place = place_of(name.key);
    if (place == values_.size() || std::find(kSizes.begin(), kSizes.end(), name.key) != kSizes.end()) {
      throw InputError(name.key_place, fmt::format("names: {} is no name of the cost's own, so its number would be "
                                                   "ignored; use it in the formula or take it out",
                                                   name.key));
    }
    values_[place] = number_in(name, name.key, -1e300, 1e300);
  }

  Expression expression_;
  std::vector<double> values_;         ///< in the expression's order
  std::array<std::size_t, 3> places_;  ///< of N, D and P among them
};

/// Looks at some sizes: a search for what a budget buys needs costs that rise.
void check_rises(const CostFormula& cost, const SourceLocation& place) {
  for (const double bits : {1.0, 4.0, 16.0, 64.0}) {
    for (double params = 1e3; params < 1e18; params *= 1e3) {
      for (double tokens = 1e3; tokens < 1e18; tokens *= 1e3) {
        const double here = cost(params, tokens, bits);
        const bool rises = cost(2 * params, tokens, bits) > here && cost(params, 2 * tokens, bits) > here;
        if (here > 0 && rises) continue;
        throw InputError(place, fmt::format("cost: is {:g} at N = {:g}, D = {:g}, P = {:g} and has to be positive and "
                                            "to rise with N and with D there, else a budget buys no size; correct it",
                                            here, params, tokens, bits));
      }
    }
  }
}

}  // namespace

TrainingCost read_training_cost(const std::string& file) {
  const YamlNode root = parse_yaml(read_file(file), file);
  const YamlNode* cost = nullptr;
  const YamlNode* names = nullptr;
  for (const YamlNode& child : map_in(root, "the file")) {
    if (child.key == "cost") {
      cost = &child;
    } else if (child.key == "names") {
      names = &child;
    } else {
      refuse_key(child, "a cost model", {"cost", "names"});
    }
  }
  if (cost == nullptr) {
    throw InputError(root.place,
                     "the file has no cost, so nothing has a price; write for example cost: k * (P + b) * "
                     "N * D and names: {k: 0.375, b: 0}");
  }
  const auto formula = std::make_shared<const CostFormula>(*cost, names);
  check_rises(*formula, cost->place);
  TrainingCost training;
  training.formula = [formula](double params, double tokens, double bits) { return (*formula)(params, tokens, bits); };
  return training;
}

}  // namespace bitlaw
