#include "experiments/cli/kinetics_frontier_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>

#include "core/record/csv.h"
#include "experiments/report/numbers.h"
#include "experiments/report/table.h"

namespace bitlaw {
namespace {

constexpr double kFlopPerTera = 1e12;

const StrategyScore& score_of(const FrontierReport& report, int strategy) {
  return report.allocation.strategies[static_cast<std::size_t>(strategy)];
}

const AnswererWords& words_of(const FrontierReport& report, const Strategy& strategy) {
  return report.priced.traces.answerers[strategy.answerer].words;
}

std::string limit_text(double limit) { return std::isinf(limit) ? "none" : fmt::format("{:g}", limit); }

std::string tera_text(double flops) { return format_value(flops / kFlopPerTera); }

std::string accuracy_text(double accuracy, double error) { return fmt::format("{:.4f} ± {:.4f}", accuracy, error); }

Table frontier_table(const FrontierReport& report) {
  const Hardware& hardware = report.grid.hardware;
  Table table{
      .title = fmt::format("Best answers for a budget on {}, {:.4g} FLOP/byte: {} answers of {} models to {} tasks",
                           hardware.name, hardware.intensity(), report.priced.traces.answer_count(),
                           report.priced.traces.answerers.size(), report.allocation.tasks),
      .header = {"model", "budget [TFLOP]", "token limit", "trials", "cost [TFLOP]", "tokens", "accuracy",
                 "accuracy, best for each task"},
      .rows = {},
      .notes = {}};
  int last = -1;
  for (const FrontierPoint& point : report.points) {
    if (point.strategy == last) continue;
    last = point.strategy;
    const StrategyScore& score = score_of(report, last);
    table.rows.push_back({answerer_name(words_of(report, score.strategy)), tera_text(point.budget),
                          limit_text(score.strategy.token_limit), std::to_string(score.strategy.trials),
                          tera_text(score.cost), format_count(score.generated_tokens),
                          accuracy_text(score.accuracy, score.accuracy_error),
                          accuracy_text(point.per_task, point.per_task_error)});
  }
  table.notes.push_back(fmt::format(
      "Of {} budgets from {} to {} TFLOP for a task, those where the best strategy changes. ±: standard error over "
      "tasks.",
      report.points.size(), tera_text(report.points.front().budget), tera_text(report.points.back().budget)));
  table.notes.push_back(
      "The best for all tasks costs no more than the budget on average; a task's own best costs no more on that task, "
      "so "
      "hard ones may go without, and is chosen and scored on the same answers, which adds luck.");
  return table;
}

Table size_table(const FrontierReport& report) {
  Table table{.title = "Sizes on the way to the best",
              .header = {"parameters", "from [TFLOP]", "to [TFLOP]", "tokens grow", "then the size grows"},
              .rows = {},
              .notes = {}};
  for (const SizeSpan& span : report.emergent.spans) {
    table.rows.push_back({format_count(span.params), tera_text(span.first_cost), tera_text(span.last_cost),
                          fmt::format("{:.3g}", span.token_growth), fmt::format("{:.3g}", span.size_growth)});
  }
  table.notes.push_back(fmt::format(
      "Emergent size: {}. Below it a larger budget is best spent on a larger model, from it on on more tokens.",
      format_count(report.emergent.params)));
  return table;
}

double largest_excess(const FrontierReport& report) {
  double most = 1;
  for (const FlopsChoice& choice : report.flops) most = std::max(most, choice.excess);
  return most;
}

/// For each answerer that FLOPs choose, the choice that costs too much by the largest factor.
std::vector<FlopsChoice> worst_of_each_answerer(const FrontierReport& report) {
  std::vector<FlopsChoice> worst;
  const auto answerer = [&](const FlopsChoice& choice) { return score_of(report, choice.by_flops).strategy.answerer; };
  for (const FlopsChoice& choice : report.flops) {
    const auto same = std::find_if(worst.begin(), worst.end(),
                                   [&](const auto& other) { return answerer(other) == answerer(choice); });
    if (same == worst.end()) {
      worst.push_back(choice);
    } else if (choice.excess > same->excess) {
      *same = choice;
    }
  }
  return worst;
}

Table flops_table(const FrontierReport& report) {
  Table table{.title = "Chosen by FLOPs alone, without reading the cache",
              .header = {"accuracy", "by FLOPs", "cost [TFLOP]", "cheapest as good", "cost [TFLOP]", "excess"},
              .rows = {},
              .notes = {}};
  const auto name = [&](const StrategyScore& score) {
    return fmt::format("{} limit {} x {}", answerer_name(words_of(report, score.strategy)),
                       limit_text(score.strategy.token_limit), score.strategy.trials);
  };
  for (const FlopsChoice& choice : worst_of_each_answerer(report)) {
    const StrategyScore &flops = score_of(report, choice.by_flops), &best = score_of(report, choice.by_cost);
    table.rows.push_back({fmt::format("{:.4f}", flops.accuracy), name(flops), tera_text(flops.cost), name(best),
                          tera_text(best.cost), fmt::format("{:.3g}", choice.excess)});
  }
  table.notes.push_back(fmt::format(
      "Of {} such choices the worst of each model; --json has all. At most {:.3g} times the cost that is needed.",
      report.flops.size(), largest_excess(report)));
  return table;
}

/// Of a CSV file: model, attention, weights, kv.
std::string answerer_cells(const AnswererWords& words) {
  return fmt::format("{},{},{},{}", csv_cell(words.model), csv_cell(words.attention), csv_cell(words.weights),
                     csv_cell(words.kv));
}

std::string limit_cell(double limit) { return std::isinf(limit) ? "" : fmt::format("{:g}", limit); }

nlohmann::json strategy_json(const FrontierReport& report, int index) {
  if (index < 0) return nullptr;
  const StrategyScore& score = score_of(report, index);
  const AnswererWords& words = words_of(report, score.strategy);
  const double limit = score.strategy.token_limit;
  return {{"model", words.model},
          {"attention", words.attention},
          {"weights", words.weights},
          {"kv", words.kv},
          {"token_limit", std::isinf(limit) ? nlohmann::json() : nlohmann::json(limit)},
          {"trials", score.strategy.trials},
          {"accuracy", score.accuracy},
          {"accuracy_se", score.accuracy_error},
          {"cost_flop", score.cost},
          {"compute_flop", score.compute},
          {"generated_tokens", score.generated_tokens}};
}

nlohmann::json spans_json(const EmergentSize& emergent) {
  nlohmann::json spans = nlohmann::json::array();
  for (const SizeSpan& span : emergent.spans) {
    spans.push_back({{"params", span.params},
                     {"first_cost_flop", span.first_cost},
                     {"last_cost_flop", span.last_cost},
                     {"token_growth", span.token_growth},
                     {"size_growth", span.size_growth}});
  }
  return spans;
}

}  // namespace

FrontierReport frontier_report(const PricedTraces& priced, const AllocationGrid& grid,
                               const std::vector<double>& budgets, int threads) {
  FrontierReport report{.priced = priced,
                        .grid = grid,
                        .allocation = allocate(priced.traces, priced.settings, grid, budgets, threads),
                        .points = {},
                        .emergent = {},
                        .flops = {}};
  std::vector<double> sizes;
  for (const InferenceSetting& setting : priced.settings) sizes.push_back(setting.model.params);
  report.points = frontier(report.allocation);
  report.emergent = emergent_size(report.allocation.strategies, sizes);
  report.flops = compare_with_flops(report.allocation.strategies);
  return report;
}

std::string frontier_text(const FrontierReport& report) {
  return fmt::format("{}\n{}\n{}", text_of(frontier_table(report)), text_of(size_table(report)),
                     text_of(flops_table(report)));
}

std::string frontier_json(const FrontierReport& report) {
  nlohmann::json points = nlohmann::json::array(), flops = nlohmann::json::array();
  for (const FrontierPoint& point : report.points) {
    points.push_back({{"budget_flop", point.budget},
                      {"best", strategy_json(report, point.strategy)},
                      {"per_task_accuracy", point.per_task},
                      {"per_task_accuracy_se", point.per_task_error}});
  }
  for (const FlopsChoice& choice : report.flops) {
    flops.push_back({{"by_flops", strategy_json(report, choice.by_flops)},
                     {"cheapest", strategy_json(report, choice.by_cost)},
                     {"excess", choice.excess}});
  }
  const Hardware& hardware = report.grid.hardware;
  return nlohmann::json({{"hardware", hardware.name},
                         {"flops_per_second", hardware.flops_per_second},
                         {"bytes_per_second", hardware.bytes_per_second},
                         {"total", name_of(report.grid.total, kCostTotalNames)},
                         {"weight_reads", name_of(report.grid.reads, kWeightReadsNames)},
                         {"tasks", report.allocation.tasks},
                         {"answers", report.priced.traces.answer_count()},
                         {"frontier", points},
                         {"sizes", spans_json(report.emergent)},
                         {"emergent_params", report.emergent.params},
                         {"chosen_by_flops", flops},
                         {"largest_excess", largest_excess(report)}})
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string task_choices_csv(const FrontierReport& report) {
  std::string text = "budget,task,model,attention,weights,kv,token_limit,trials,accuracy\n";
  const Allocation& allocation = report.allocation;
  for (std::size_t task = 0; task < allocation.tasks; ++task) {
    const std::string cell = csv_cell(report.priced.traces.tasks[task]);
    for (std::size_t b = 0; b < allocation.budgets.size(); ++b) {
      const TaskChoice& choice = allocation.choice(task, b);
      if (choice.strategy < 0) {
        fmt::format_to(std::back_inserter(text), "{},{},,,,,,,\n", allocation.budgets[b], cell);
        continue;
      }
      const Strategy& strategy = score_of(report, choice.strategy).strategy;
      fmt::format_to(std::back_inserter(text), "{},{},{},{},{},{}\n", allocation.budgets[b], cell,
                     answerer_cells(words_of(report, strategy)), limit_cell(strategy.token_limit), strategy.trials,
                     choice.accuracy);
    }
  }
  return text;
}

std::string strategies_csv(const FrontierReport& report) {
  std::string text =
      "model,attention,weights,kv,params,token_limit,trials,accuracy,accuracy_se,cost,compute,generated_tokens\n";
  for (const StrategyScore& score : report.allocation.strategies) {
    if (!score.complete) continue;
    const auto& [answerer, limit, trials] = score.strategy;
    fmt::format_to(std::back_inserter(text), "{},{},{},{},{},{},{},{},{}\n",
                   answerer_cells(words_of(report, score.strategy)), report.priced.settings[answerer].model.params,
                   limit_cell(limit), trials, score.accuracy, score.accuracy_error, score.cost, score.compute,
                   score.generated_tokens);
  }
  return text;
}

}  // namespace bitlaw
