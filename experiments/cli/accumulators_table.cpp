#include "experiments/cli/accumulators_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "experiments/report/table.h"

namespace bitlaw {
namespace {

/// The sum of one chunk.
std::string chunk_summary(const AccumulatorSpec& spec) {
  if (spec.chunk_sum == ChunkSum::Sequential) {
    return fmt::format("one by one in {}, products {}", format_name(spec.sum),
                       spec.product == ProductRounding::Fused ? "exact" : "rounded");
  }
  const std::string bits =
      spec.alignment_bits == kExactAlignment ? "exact" : fmt::format("{} bits kept", spec.alignment_bits);
  return fmt::format("{} at once, {}, running sum {} {}", spec.group, bits, format_name(spec.between),
                     spec.running == RunningSum::Aligned ? "aligned" : "added after");
}

}  // namespace

std::string accumulator_summary(const AccumulatorSpec& spec) {
  std::string text = chunk_summary(spec);
  if (spec.chunk > 0) {
    text +=
        fmt::format("; chunks of {} {} in {}", spec.chunk,
                    spec.chunk_order == ChunkOrder::Pairwise ? "pairwise" : "added", format_name(spec.chunk_format));
  }
  if (spec.grid_bits) text += fmt::format("; to multiples of 2^{}", -*spec.grid_bits);
  return text;
}

std::string accumulators_table() {
  Table table{.title = "Accumulator models: how the K products of one element are added, K upwards",
              .header = {"name", "sum", "ref"},
              .rows = {},
              .notes = {}};
  std::vector<std::string_view> sources;
  for (const AccumulatorEntry& entry : accumulator_catalog()) {
    auto found = std::find(sources.begin(), sources.end(), entry.source);
    const auto number = found - sources.begin() + 1;
    if (found == sources.end()) sources.push_back(entry.source);
    table.rows.push_back({std::string(entry.name), accumulator_summary(entry.spec), fmt::format("[{}]", number)});
  }
  for (std::size_t i = 0; i < sources.size(); ++i) table.notes.push_back(fmt::format("[{}] {}", i + 1, sources[i]));
  return text_of(table, 2);
}

std::string accumulators_json() {
  nlohmann::json all = nlohmann::json::array();
  for (const AccumulatorEntry& entry : accumulator_catalog()) {
    all.push_back({{"name", entry.name}, {"sum", accumulator_summary(entry.spec)}, {"source", entry.source}});
  }
  return nlohmann::json({{"accumulators", all}}).dump();
}

}  // namespace bitlaw
