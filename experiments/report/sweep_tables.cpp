#include "experiments/report/sweep_tables.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "core/record/run_groups.h"
#include "experiments/report/comparison.h"
#include "experiments/report/numbers.h"

namespace bitlaw {
namespace {

std::string cell_text(const Cell& cell) {
  if (cell.finished + cell.diverged == 0) return "";
  if (cell.finished == 0) return "diverged";
  std::string text = format_loss(cell.mean);
  if (cell.finished > 1) text += fmt::format(" ± {}", format_loss(cell.standard_error));
  if (cell.diverged > 0) text += fmt::format(" ({} of {} diverged)", cell.diverged, cell.finished + cell.diverged);
  return text;
}

/// One line for runs on synthetic sources, none when no run knows its source's entropy rate.
std::vector<std::string> entropy_notes(const SweepFile& sweep) {
  std::set<std::string> rates;
  for (const RunRecord& run : sweep.runs) {
    if (std::isfinite(run.entropy_rate)) rates.insert(format_loss(run.entropy_rate));
  }
  if (rates.empty()) return {};
  return {fmt::format("Entropy rate of the source, the least possible loss: {} nat/token{}", fmt::join(rates, ", "),
                      rates.size() > 1 ? " (by source)" : "")};
}

/// What else than the seed differs between runs of one cell.
std::set<std::string> mixed_keys(const SweepFile& sweep) {
  std::map<std::tuple<std::string, std::int64_t, std::int64_t>, const RunRecord*> firsts;
  std::set<std::string> keys;
  for (const RunRecord& run : sweep.runs) {
    const RunRecord& first = *firsts.try_emplace({run.precision, run.params, run.tokens}, &run).first->second;
    for (const auto& [key, value] : run.config) {
      const auto other = first.config.find(key);
      if (key != "training.seed" && (other == first.config.end() || other->second != value)) keys.insert(key);
    }
  }
  return keys;
}

std::string flags(const FittedParameter& parameter) {
  if (parameter.fixed) return "held";
  std::vector<std::string> flags;
  if (parameter.at_bound) flags.emplace_back("at bound");
  if (parameter.intervals_disagree) flags.emplace_back("intervals disagree");
  return fmt::format("{}", fmt::join(flags, ", "));
}

}  // namespace

void for_each_task(const SweepFile& sweep,
                   const std::function<void(const std::string& task, const SweepFile& part)>& body) {
  const std::vector<std::string> tasks = tasks_of(sweep.runs);
  if (tasks.size() < 2) return body("", sweep);
  for (const std::string& task : tasks) {
    SweepFile part = sweep;
    std::erase_if(part.runs, [&](const RunRecord& run) { return task_of(run) != task; });
    body(task, part);
  }
}

Table loss_table(const SweepFile& sweep) {
  Table table{
      .title = fmt::format("Held-out loss{} by precision, parameters N and {} D", in_brackets(loss_unit(sweep.runs)),
                           loss_unit(sweep.runs) == "nat/token" ? "tokens" : "samples"),
      .header = {"precision", "N"},
      .rows = {},
      .notes = {}};
  const auto sizes = distinct(sweep.runs, &RunRecord::params), tokens = distinct(sweep.runs, &RunRecord::tokens);
  for (const std::int64_t d : tokens) table.header.push_back("D = " + format_count(static_cast<double>(d)));
  for (const std::string& precision : precisions_of(sweep.runs)) {
    for (const std::int64_t n : sizes) {
      std::vector<std::string> row{precision, format_count(static_cast<double>(n))};
      bool any = false;
      for (const std::int64_t d : tokens) {
        row.push_back(cell_text(cell_of(sweep.runs, [&](const RunRecord& run) {
          return run.precision == precision && run.params == n && run.tokens == d;
        })));
        any = any || !row.back().empty();
      }
      if (any) table.rows.push_back(std::move(row));
    }
  }
  if (sweep.runs.empty()) table.notes.emplace_back("There are no runs.");
  if (const auto mixed = mixed_keys(sweep); !mixed.empty()) {
    table.notes.push_back(
        fmt::format("Means and their errors are over runs that differ in {}, too.", fmt::join(mixed, ", ")));
  }
  if (const std::string corpora = several_corpora_text(sweep.runs); !corpora.empty()) {
    table.notes.push_back(fmt::format("The runs are of {}, whose least possible losses differ.", corpora));
  }
  for (std::string& note : entropy_notes(sweep)) table.notes.push_back(std::move(note));
  return table;
}

Table penalty_table(const SweepFile& sweep) {
  const std::string baseline = baseline_of(sweep.runs);
  Table table{
      .title = fmt::format("Penalty against {}, all else equal{}", baseline.empty() ? "an unquantized run" : baseline,
                           in_brackets(loss_unit(sweep.runs))),
      .header = {"precision", "mean", "standard error", "95 % interval", "% of loss", "pairs"},
      .rows = {},
      .notes = {}};
  for (const Difference& d : baseline_differences(sweep.runs)) {
    const bool interval = d.pairs >= 2;
    table.rows.push_back({d.precision, format_difference(d.mean), format_loss(d.standard_error),
                          interval ? fmt::format("{} to {}", format_difference(d.low), format_difference(d.high)) : "–",
                          d.pairs > 0 ? fmt::format("{:+.2f}", 100 * d.mean / d.reference_loss) : "–",
                          fmt::format("{}", d.pairs)});
  }
  return table;
}

std::string runs_text(const SweepFile& sweep) {
  if (sweep.failed_runs == 0) return fmt::format("{} runs", sweep.runs.size());
  return fmt::format("{} of {} runs; {} failed", sweep.runs.size(),
                     static_cast<std::int64_t>(sweep.runs.size()) + sweep.failed_runs, sweep.failed_runs);
}

std::string no_fit_text(const SweepFile& sweep) {
  return sweep.failed_runs == 0 ? "No law was fitted." : "No law was fitted, because runs are missing.";
}

std::vector<std::string> verdicts(const SweepFile& sweep) {
  if (sweep.runs.empty()) return {"There are no runs to compare."};
  if (baseline_of(sweep.runs).empty()) return {"No run is unquantized, so there is no baseline to compare with."};
  std::vector<std::string> sentences;
  for (const Difference& difference : baseline_differences(sweep.runs)) sentences.push_back(verdict(difference));
  for (const Difference& difference : differences_to_best(sweep.runs)) sentences.push_back(verdict(difference));
  const Cell all = cell_of(sweep.runs, [](const RunRecord&) { return true; });
  if (all.diverged > 0) {
    sentences.push_back(fmt::format("{} of {} runs diverged; they are in no mean.", all.diverged, sweep.runs.size()));
  }
  const auto early = std::count_if(sweep.runs.begin(), sweep.runs.end(),
                                   [](const RunRecord& run) { return !run.stopped.empty() && !run.diverged; });
  if (early > 0) {
    sentences.push_back(
        fmt::format("{} of {} runs were stopped early; their losses are those of fewer tokens than planned.", early,
                    sweep.runs.size()));
  }
  if (sentences.empty()) return {"There is one precision only, so there is nothing to compare."};
  return sentences;
}

std::string level_text(const FitRecord& fit) { return fmt::format("{:.4g} %", 100 * fit.level); }

std::string fit_status(const FitRecord& fit) {
  std::string line = fit.converged ? "converged" : "NOT converged";
  if (!fit.status.empty()) line += fmt::format(" ({})", fit.status);
  line += fmt::format("; {} observations; cost {}; largest gradient {}; condition number {}; {} of {} starts agree",
                      fit.run_ids.size(), format_value(fit.cost), format_value(fit.gradient_norm, 2),
                      format_value(fit.condition_number, 3), fit.starts_agreeing, fit.starts);
  std::vector<std::string> bound;
  for (const FittedParameter& parameter : fit.parameters) {
    if (parameter.at_bound) bound.push_back(parameter.name);
  }
  if (!bound.empty()) line += fmt::format("; at a bound: {}", fmt::join(bound, ", "));
  return line + ".";
}

Table fit_table(const FitRecord& fit) {
  Table table{.title = fmt::format("{}: {}", fit.name, fit.equation),
              .header = {"parameter", "estimate", "standard error", level_text(fit) + " (covariance)",
                         level_text(fit) + " (bootstrap)", "unit", "flags"},
              .rows = {},
              .notes = {}};
  for (const FittedParameter& p : fit.parameters) {
    const bool free = !p.fixed;
    table.rows.push_back({p.name, format_value(p.estimate), free ? format_value(p.standard_error, 2) : "–",
                          free ? format_interval(p.ci_low, p.ci_high) : "–",
                          free ? format_interval(p.boot_low, p.boot_high) : "–", p.units, flags(p)});
  }
  table.notes.push_back(fit_status(fit));
  for (const std::string& warning : fit.warnings) table.notes.push_back("Warning: " + warning);
  return table;
}

}  // namespace bitlaw
