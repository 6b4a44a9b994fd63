#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "experiments/cli/kinetics_flags.h"
#include "experiments/cli/number_checks.h"
#include "experiments/cli/verbs.h"
#include "experiments/report/numbers.h"
#include "experiments/report/table.h"

namespace bitlaw {
namespace {

struct CostRequest {
  std::vector<std::string> models;
  std::vector<std::string> attention{"dense"}, weights{"bfloat16"}, kv{"bfloat16"};
  double prompt = 256;
  std::string tokens = "8192", trials = "1", count = "exact";
  PriceFlags price;
  bool json = false;
};

/// One line of the table.
struct PricedAnswer {
  std::string model, attention, weights, kv;
  InferenceSetting setting;
  double tokens = 0, trials = 0;
  TaskCost cost;
};

KvCount count_of(const CostRequest& request) {
  if (const auto count = value_of(request.count, kKvCountNames)) return *count;
  throw InputError(
      fmt::format("--count {}: is not known, so nothing was done; use one of: exact, published_code", request.count));
}

std::vector<PricedAnswer> price_all(const CostRequest& request) {
  const KvCount count = count_of(request);
  const WeightReads reads = request.price.weight_reads();
  const std::vector<double> tokens = numbers_in("--tokens", request.tokens, 1);
  const std::vector<int> trials = trials_in(request.trials);
  std::vector<PricedAnswer> answers;
  for (const std::string& model : request.models) {
    for (const std::string& attention : request.attention) {
      for (const std::string& weights : request.weights) {
        for (const std::string& kv : request.kv) {
          const InferenceSetting setting = setting_of("bitlaw kinetics cost", model, attention, weights, kv);
          for (const double length : tokens) {
            for (const int n : trials) {
              const TaskCost cost = task_cost(setting, request.prompt, length, n, reads, count);
              answers.push_back(
                  {setting.model.name, attention, weights, kv, setting, length, static_cast<double>(n), cost});
            }
          }
        }
      }
    }
  }
  return answers;
}

constexpr double kTera = 1e12, kGiga = 1e9;

void print_cost_text(const CostRequest& request, const std::vector<PricedAnswer>& answers) {
  const Hardware hardware = request.price.priced();
  Table table{
      .title = fmt::format("Cost of a task on {}: {:.4g} FLOP/s, {:.4g} bytes/s, {:.4g} FLOP/byte", hardware.name,
                           hardware.flops_per_second, hardware.bytes_per_second, hardware.intensity()),
      .header = {"model", "attention", "weights", "KV", "tokens", "trials", "compute [TFLOP]", "memory [TFLOP]",
                 "cost [TFLOP]", "seconds", "weights [GB]", "KV at the end [GB]"},
      .rows = {},
      .notes = {}};
  for (const PricedAnswer& a : answers) {
    const double cost = effective_flops(a.cost, hardware, request.price.cost_total());
    table.rows.push_back({a.model, a.attention, a.weights, a.kv, format_count(a.tokens), format_count(a.trials),
                          fmt::format("{:.4f}", a.cost.compute / kTera),
                          fmt::format("{:.4f}", a.cost.bytes * hardware.intensity() / kTera),
                          fmt::format("{:.4f}", cost / kTera), format_value(cost / hardware.flops_per_second),
                          format_value(a.setting.model.params * a.setting.weight_bits / 8 / kGiga),
                          format_value(cache_bytes(a.setting, request.prompt, a.tokens, a.trials) / kGiga)});
  }
  table.notes.push_back(fmt::format("A prompt of {:g} tokens; memory is bytes read times FLOP/byte; weights: {}.",
                                    request.prompt, request.price.reads));
  fmt::print("{}\n", text_of(table, 4));
}

void print_cost_json(const CostRequest& request, const std::vector<PricedAnswer>& answers) {
  const Hardware hardware = request.price.priced();
  nlohmann::json rows = nlohmann::json::array();
  for (const PricedAnswer& a : answers) {
    const double cost = effective_flops(a.cost, hardware, request.price.cost_total());
    rows.push_back({{"model", a.model},
                    {"attention", a.attention},
                    {"weights", a.weights},
                    {"kv", a.kv},
                    {"weight_bits", a.setting.weight_bits},
                    {"kv_bits", a.setting.kv_bits},
                    {"prompt", request.prompt},
                    {"tokens", a.tokens},
                    {"trials", a.trials},
                    {"compute_flop", a.cost.compute},
                    {"read_bytes", a.cost.bytes},
                    {"cost_flop", cost},
                    {"seconds", cost / hardware.flops_per_second},
                    {"attention_share", attention_share(a.setting, request.prompt, a.tokens, hardware)},
                    {"weights_bytes", a.setting.model.params * a.setting.weight_bits / 8},
                    {"cache_bytes", cache_bytes(a.setting, request.prompt, a.tokens, a.trials)}});
  }
  fmt::print("{}\n", nlohmann::json({{"hardware", hardware.name},
                                     {"flops_per_second", hardware.flops_per_second},
                                     {"bytes_per_second", hardware.bytes_per_second},
                                     {"total", request.price.total},
                                     {"weight_reads", request.price.reads},
                                     {"count", request.count},
                                     {"costs", rows}})
                         .dump());
}

void print_costs(const CostRequest& request) {
  request.price.cost_total();  // refused before any work
  const std::vector<PricedAnswer> answers = price_all(request);
  request.json ? print_cost_json(request, answers) : print_cost_text(request, answers);
}

}  // namespace

void add_kinetics_cost_verb(CLI::App& kinetics, Invocation&) {
  CLI::App* verb = kinetics.add_subcommand("cost", "Price answers: compute and memory, in FLOP and in seconds");
  const auto request = std::make_shared<CostRequest>();
  verb->add_option("models", request->models, "qwen3-0.6b to qwen3-32b, or the path of a Hugging Face config.json")
      ->required();
  verb->add_option("--tokens", request->tokens, "Generated for each answer: 8192,32768 (default: 8192)");
  verb->add_option("--trials", request->trials, "Answers to a task, which share its prompt: 1,8,32 (default: 1)");
  verb->add_option("--prompt", request->prompt, "Tokens of the prompt (default: 256)")->check(number_from_zero());
  verb->add_option("--attention", request->attention,
                   "dense, top_k:TOKENS or block_top_k:BLOCKxBLOCKS[+LOCAL] (default: dense); may be repeated")
      ->allow_extra_args(false);
  verb->add_option("--weights", request->weights,
                   "Format of the weights, any of 'bitlaw formats show' (default: bfloat16); may be repeated")
      ->allow_extra_args(false);
  verb->add_option("--kv", request->kv, "Format of the KV cache (default: bfloat16); may be repeated")
      ->allow_extra_args(false);
  verb->add_option("--count", request->count,
                   "exact (default), or published_code: tokens attended to as arXiv:2506.05333's code counts them");
  add_price_flags(*verb, request->price);
  verb->add_flag("--json", request->json, "Print one JSON document");
  verb->footer(
      "Formulas, conventions and sources: simulators/test_time/README.md.\n\n"
      "Examples:\n"
      "  bitlaw kinetics cost qwen3-0.6b qwen3-32b --tokens 8192,32768\n"
      "  bitlaw kinetics cost qwen3-8b --kv bfloat16 --kv mxfp8 --kv nvfp4 --trials 32\n"
      "  bitlaw kinetics cost qwen3-8b --weights mxfp4 --weight-reads once_per_step --hardware h200_bf16\n"
      "  bitlaw kinetics cost my-model/config.json --attention dense --attention block_top_k:16x64 --json");
  verb->callback([request] { print_costs(*request); });
}

}  // namespace bitlaw
