#pragma once

#include <string>
#include <vector>

#include "simulators/test_time/inference_cost.h"

namespace CLI {
class App;
}

namespace bitlaw {

/// What an answer is priced by, on the command line.
struct PriceFlags {
  std::string hardware = "b200";
  double flops = 0, bandwidth = 0;  ///< FLOP/s and bytes/s in place of those of `hardware`; 0: as it has them
  std::string reads = "amortised", total = "sum";

  /// InputError where a name is unknown.
  Hardware priced() const;
  WeightReads weight_reads() const;
  CostTotal cost_total() const;
};

/// Adds --hardware, --flops, --bandwidth, --weight-reads and --total.
void add_price_flags(CLI::App& verb, PriceFlags& flags);

/// A setting by the words for its parts; InputError, which starts with `place`, where one is unknown.
InferenceSetting setting_of(const std::string& place, const std::string& model, const std::string& attention,
                            const std::string& weights, const std::string& kv);

/// The numbers of "1,2,4", each from `least` up; InputError where one is none.
std::vector<double> numbers_in(const std::string& flag, const std::string& words, double least);

/// The numbers of answers of --trials, "1,8,32"; InputError for what is no whole number from 1 to a million.
std::vector<int> trials_in(const std::string& words);

}  // namespace bitlaw
