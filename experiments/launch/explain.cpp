#include "experiments/launch/explain.h"

#include <fmt/format.h>

#include <map>
#include <vector>

#include "experiments/report/table.h"
#include "experiments/sweep/slot_yaml.h"

namespace bitlaw {
namespace {

/// Letters A, B, ..., Z, A1, B1, ... for texts in the order in which they are first met; "-" for float32.
class Legend {
 public:
  std::string letter(const SlotSpec& slot) {
    if (slot == SlotSpec{}) return "-";
    const auto [entry, added] = letters_.emplace(to_text(slot), texts_.size());
    if (added) texts_.push_back(entry->first);
    return name(entry->second);
  }

  std::string text() const {
    std::string text = "  -  float32\n";
    for (std::size_t i = 0; i < texts_.size(); ++i) text += fmt::format("  {:<2} {}\n", name(i), texts_[i]);
    return text;
  }

 private:
  static std::string name(std::size_t index) {
    const std::string letter(1, static_cast<char>('A' + index % 26));
    return index < 26 ? letter : letter + std::to_string(index / 26);
  }

  std::map<std::string, std::size_t> letters_;
  std::vector<std::string> texts_;
};

}  // namespace

std::string explain_text(const PlannedRun& run) {
  const TrainConfig config = run.config();
  const std::vector<LinearShape> layers = linear_shapes(config, *run.data);
  const std::int64_t steps = config.steps();
  const LayerPlan plan(config.recipe, layers, steps);
  Table table{.title = fmt::format("precision {} in run {}{}{}", config.recipe.name, run.id.substr(0, 8),
                                   run.label.empty() ? "" : ": ", run.label),
              .header = {"layer", "products of", "steps"},
              .rows = {},
              .notes = {}};
  table.header.insert(table.header.end(), kSlotNames.begin(), kSlotNames.end());
  Legend legend;
  for (std::size_t layer = 0; layer < layers.size(); ++layer) {
    const auto& phases = plan.phases(layer);
    for (std::size_t p = 0; p < phases.size(); ++p) {
      const std::int64_t end = p + 1 < phases.size() ? phases[p + 1].first_step : steps;
      const LinearShape& shape = layers[layer];
      std::vector<std::string> row{shape.name, fmt::format("{} x {} x {}", shape.rows, shape.in, shape.out),
                                   fmt::format("{}-{}", phases[p].first_step, end - 1)};
      for (const SlotSpec& slot : phases[p].slots.slots) row.push_back(legend.letter(slot));
      table.rows.push_back(std::move(row));
    }
  }
  return text_of(table, table.header.size()) + legend.text();
}

}  // namespace bitlaw
