#include "experiments/report/sweep_union.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <set>

#include "core/base/error.h"
#include "experiments/sweep/config_keys.h"
#include "experiments/sweep/experiment_file.h"

namespace bitlaw {
namespace {

std::map<std::string, const RunRecord*> by_id(const SweepFile& sweep) {
  std::map<std::string, const RunRecord*> runs;
  for (const RunRecord& run : sweep.runs) runs.emplace(run.run_id, &run);
  return runs;
}

/// The values of each key over the runs.
std::map<std::string, std::set<std::string>> values_of(const SweepFile& sweep) {
  std::map<std::string, std::set<std::string>> values;
  for (const RunRecord& run : sweep.runs) {
    for (const auto& [key, value] : run.config) values[key].insert(to_text(value));
  }
  return values;
}

/// The keys in whose values the two differ, a line each.
std::string keys_text(const SweepFile& a, const SweepFile& b) {
  const auto values_a = values_of(a), values_b = values_of(b);
  auto keys = values_a;
  keys.insert(values_b.begin(), values_b.end());
  const auto text = [](const auto& values, const std::string& key) {
    const auto found = values.find(key);
    return found == values.end() ? "-" : fmt::format("{}", fmt::join(found->second, ", "));
  };
  std::string lines;
  for (const auto& [key, ignored] : keys) {
    if (text(values_a, key) == text(values_b, key)) continue;
    lines += fmt::format("  {}: {} | {}\n", key, text(values_a, key), text(values_b, key));
  }
  return lines;
}

}  // namespace

SweepFile merged(const std::vector<NamedSweep>& sweeps, const std::string& command) {
  SweepFile all = sweeps.front().sweep;
  all.command = command;
  all.fits.clear();
  std::map<std::string, std::pair<std::string, std::string>> seen;  // id to state and file
  for (const RunRecord& run : all.runs) seen.emplace(run.run_id, std::pair(run.state_hash, sweeps.front().name));
  for (std::size_t i = 1; i < sweeps.size(); ++i) {
    const auto& [name, sweep] = sweeps[i];
    all.failed_runs += sweep.failed_runs;
    all.config_yaml += as_comments("merged with " + name, sweep.config_yaml);
    for (const RunRecord& run : sweep.runs) {
      const auto [found, added] = seen.emplace(run.run_id, std::pair(run.state_hash, name));
      if (added) all.runs.push_back(run);
      if (found->second.first == run.state_hash) continue;
      throw InputError(
          fmt::format("{}: run {} ends in the state {}, and in {} in the state {}, so one of the two was "
                      "computed wrongly or by another program; train it again and merge the file that "
                      "agrees",
                      name, run.run_id.substr(0, 8), run.state_hash, found->second.second, found->second.first));
    }
  }
  return all;
}

std::string difference_text(const NamedSweep& a, const NamedSweep& b) {
  const auto runs_a = by_id(a.sweep), runs_b = by_id(b.sweep);
  std::size_t only_a = 0, both = 0;
  std::string others;
  for (const auto& [id, run] : runs_a) {
    const auto found = runs_b.find(id);
    if (found == runs_b.end()) {
      ++only_a;
      continue;
    }
    ++both;
    if (found->second->state_hash == run->state_hash) continue;
    others += fmt::format("  run {} has the same configuration and other bits: loss {} | {}\n", id.substr(0, 8),
                          run->loss, found->second->loss);
  }
  const std::size_t only_b = runs_b.size() - both;
  if (only_a + only_b == 0 && others.empty()) return "";
  return fmt::format("{} runs in both, {} only in {}, {} only in {}\n{}{}", both, only_a, a.name, only_b, b.name,
                     keys_text(a.sweep, b.sweep), others);
}

}  // namespace bitlaw
