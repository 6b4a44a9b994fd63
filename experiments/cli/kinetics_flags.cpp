#include "experiments/cli/kinetics_flags.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <string_view>

#include "core/base/closest.h"
#include "core/base/error.h"
#include "experiments/cli/number_checks.h"
#include "simulators/test_time/storage_bits.h"

namespace bitlaw {
namespace {

template <typename Names>
auto chosen(std::string_view flag, const std::string& word, const Names& names) {
  if (const auto value = value_of(word, names)) return *value;
  std::vector<std::string_view> known;
  for (const auto& row : names) known.push_back(row.name);
  throw InputError(fmt::format("{} {}: is not known, so nothing was done; {}", flag, word,
                               remedy(word, std::span<const std::string_view>(known))));
}

}  // namespace

Hardware PriceFlags::priced() const {
  Hardware priced = find_hardware(hardware);
  if (flops > 0 || bandwidth > 0) priced.name = "given";
  if (flops > 0) priced.flops_per_second = flops;
  if (bandwidth > 0) priced.bytes_per_second = bandwidth;
  return priced;
}

WeightReads PriceFlags::weight_reads() const { return chosen("--weight-reads", reads, kWeightReadsNames); }

CostTotal PriceFlags::cost_total() const { return chosen("--total", total, kCostTotalNames); }

void add_price_flags(CLI::App& verb, PriceFlags& flags) {
  verb.add_option("--hardware", flags.hardware,
                  "Whose FLOP/s and bytes/s (default: b200, as arXiv:2506.05333); an unknown name lists all");
  verb.add_option("--flops", flags.flops, "FLOP/s in place of the hardware's")->check(positive_number());
  verb.add_option("--bandwidth", flags.bandwidth, "Bytes/s in place of the hardware's")->check(positive_number());
  verb.add_option("--weight-reads", flags.reads,
                  "amortised: shared by other requests, so free (default); once_per_step: read for each token of a "
                  "task's trials");
  verb.add_option("--total", flags.total, "sum: compute and memory one after the other (default); max: at once");
}

InferenceSetting setting_of(const std::string& place, const std::string& model, const std::string& attention,
                            const std::string& weights, const std::string& kv) {
  try {
    InferenceSetting setting{.model = model_shape(model), .attention = parse_attention(attention)};
    setting.weight_bits = storage_bits(weights, setting.model.hidden);
    setting.kv_bits = storage_bits(kv, setting.model.head_dim);
    return setting;
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: {}", place, error.what()));
  }
}

std::vector<double> numbers_in(const std::string& flag, const std::string& words, double least) {
  std::vector<double> numbers;
  for (std::string_view rest = words; numbers.empty() || !rest.empty();) {
    const std::string_view word = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    double value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc() || end != word.data() + word.size() || !(value >= least) || std::isinf(value)) {
      throw InputError(fmt::format("{} {}: '{}' is no number from {} up, so nothing was done; write for example {} {}",
                                   flag, words, word, least, flag, "1,2,4"));
    }
    numbers.push_back(value);
  }
  return numbers;
}

std::vector<int> trials_in(const std::string& words) {
  std::vector<int> trials;
  for (const double n : numbers_in("--trials", words, 1)) {
    if (n != std::floor(n) || n > 1e6) {
      throw InputError(
          fmt::format("--trials {}: {:g} is no number of answers, so nothing was done; write whole ones", words, n));
    }
    trials.push_back(static_cast<int>(n));
  }
  return trials;
}

}  // namespace bitlaw
