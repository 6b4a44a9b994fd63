#include "experiments/report/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "core/base/distributions.h"
#include "core/record/run_groups.h"
#include "experiments/report/numbers.h"

namespace bitlaw {
namespace {

bool finished(const RunRecord& run) { return !run.diverged && std::isfinite(run.loss); }

double mean_of(const std::vector<double>& values) {
  if (values.empty()) return Difference::kMissing;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double standard_error_of(const std::vector<double>& values) {
  if (values.size() < 2) return Difference::kMissing;
  const double mean = mean_of(values);
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const auto count = static_cast<double>(values.size());
  return std::sqrt(squares / (count - 1) / count);
}

/// All that two runs of a pair share: the configuration without the precision, and the tokens seen.
using PairKey = std::map<std::string, ConfigValue>;

PairKey pair_key(const RunRecord& run) {
  PairKey key = run.config;
  std::erase_if(key, [](const auto& entry) { return entry.first.starts_with("precision"); });
  key.emplace("tokens", run.tokens);  // fewer than configured where a run was stopped early
  return key;
}

/// By pair_key: the mean loss of the precision's runs, missing when one of them did not finish.
std::map<PairKey, double> losses_by_key(std::span<const RunRecord> runs, const std::string& precision,
                                        const RunFilter& filter) {
  std::map<PairKey, std::vector<double>> losses;
  for (const RunRecord& run : runs) {
    if (run.precision != precision || (filter && !filter(run))) continue;
    losses[pair_key(run)].push_back(finished(run) ? run.loss : Difference::kMissing);
  }
  std::map<PairKey, double> means;
  for (const auto& [key, values] : losses) means[key] = mean_of(values);
  return means;
}

std::string judgement(const Difference& difference) {
  const std::string measured = difference.mean > 0 ? "more" : "less";
  if (difference.about_equal()) {
    return fmt::format("{} is about equal to {} (within {:.1f} % of its loss{})", difference.precision,
                       difference.reference, 100 * Difference::kAboutEqual,
                       difference.measurable() ? fmt::format(", though measurably {}", measured) : "");
  }
  if (difference.measurable()) {
    return fmt::format("{} loses measurably {} than {}", difference.precision, measured, difference.reference);
  }
  return fmt::format("{} cannot be told from {} with these runs", difference.precision, difference.reference);
}

}  // namespace

Difference paired_difference(std::span<const RunRecord> runs, const std::string& precision,
                             const std::string& reference, const RunFilter& filter) {
  const auto ours = losses_by_key(runs, precision, filter), theirs = losses_by_key(runs, reference, filter);
  std::vector<double> differences, reference_losses;
  for (const auto& [key, loss] : ours) {
    const auto partner = theirs.find(key);
    if (partner == theirs.end() || std::isnan(loss - partner->second)) continue;
    differences.push_back(loss - partner->second);
    reference_losses.push_back(partner->second);
  }
  Difference result;
  result.precision = precision;
  result.reference = reference;
  result.pairs = static_cast<int>(differences.size());
  result.mean = mean_of(differences);
  result.standard_error = standard_error_of(differences);
  result.reference_loss = mean_of(reference_losses);
  result.unit = loss_unit(runs);
  if (result.pairs >= 2) {
    const double reach = student_quantile(result.pairs - 1, 0.975) * result.standard_error;
    result.low = result.mean - reach;
    result.high = result.mean + reach;
  }
  return result;
}

std::string loss_unit(std::span<const RunRecord> runs) {
  const std::string task = runs.empty() ? "language_model" : task_of(runs.front());
  if (task == "language_model") return "nat/token";
  return task == "classification" ? "nat/image" : "";
}

std::string in_brackets(const std::string& unit) { return unit.empty() ? "" : " [" + unit + "]"; }
std::string after_space(const std::string& unit) { return unit.empty() ? "" : " " + unit; }

std::string verdict(const Difference& difference) {
  if (difference.pairs == 0) {
    return fmt::format("{} and {} have no finished runs that differ in nothing else, so they cannot be compared.",
                       difference.precision, difference.reference);
  }
  const double percent = 100 * difference.mean / difference.reference_loss;
  if (difference.pairs == 1) {
    return fmt::format("{} against {}: {}{} ({:+.2f} %) in the only pair of runs; one pair has no interval.",
                       difference.precision, difference.reference, format_difference(difference.mean),
                       after_space(difference.unit), percent);
  }
  return fmt::format("{}: {} ± {}{} ({:+.2f} %; 95 % interval {} to {}; {} pairs).", judgement(difference),
                     format_difference(difference.mean), format_loss(difference.standard_error),
                     after_space(difference.unit), percent, format_difference(difference.low),
                     format_difference(difference.high), difference.pairs);
}

std::string baseline_of(std::span<const RunRecord> runs) {
  std::string baseline;
  for (const RunRecord& run : runs) {
    if (run.precision == "float32") return run.precision;
    if (baseline.empty() && run.block_size == 0) baseline = run.precision;
  }
  return baseline;
}

std::vector<std::string> precisions_of(std::span<const RunRecord> runs) {
  std::vector<std::string> names;
  if (const std::string baseline = baseline_of(runs); !baseline.empty()) names.push_back(baseline);
  for (const RunRecord& run : runs) {
    if (std::find(names.begin(), names.end(), run.precision) == names.end()) names.push_back(run.precision);
  }
  return names;
}

std::vector<Difference> baseline_differences(std::span<const RunRecord> runs) {
  const std::string baseline = baseline_of(runs);
  std::vector<Difference> differences;
  if (baseline.empty()) return differences;
  for (const std::string& precision : precisions_of(runs)) {
    if (precision != baseline) differences.push_back(paired_difference(runs, precision, baseline));
  }
  return differences;
}

std::vector<Difference> differences_to_best(std::span<const RunRecord> runs) {
  std::vector<Difference> penalties = baseline_differences(runs);
  std::erase_if(penalties, [](const Difference& d) { return d.pairs == 0; });
  std::stable_sort(penalties.begin(), penalties.end(),
                   [](const Difference& a, const Difference& b) { return a.mean < b.mean; });
  std::vector<Difference> differences;
  for (std::size_t i = 1; i < penalties.size(); ++i) {
    differences.push_back(paired_difference(runs, penalties[i].precision, penalties.front().precision));
  }
  return differences;
}

std::vector<std::int64_t> distinct(std::span<const RunRecord> runs, std::int64_t RunRecord::*member) {
  std::set<std::int64_t> values;
  for (const RunRecord& run : runs) values.insert(run.*member);
  return {values.begin(), values.end()};
}

Cell cell_of(std::span<const RunRecord> runs, const RunFilter& filter) {
  Cell cell;
  std::vector<double> losses;
  for (const RunRecord& run : runs) {
    if (!filter(run)) continue;
    if (finished(run)) losses.push_back(run.loss);
    if (!finished(run)) ++cell.diverged;
  }
  cell.finished = static_cast<int>(losses.size());
  cell.mean = mean_of(losses);
  cell.standard_error = standard_error_of(losses);
  return cell;
}

}  // namespace bitlaw
