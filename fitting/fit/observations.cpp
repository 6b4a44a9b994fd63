#include "fitting/fit/observations.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "core/base/error.h"
#include "core/record/run_groups.h"
#include "fitting/laws/fp_quantization.h"

namespace bitlaw {
namespace {

[[noreturn]] void no_block_size(const Law& law, const RunRecord& run, std::string_view why) {
  throw InputError(
      fmt::format("run {} ({}): law '{}' needs the elements per scale, {}; give the recipe blocks along K or leave the "
                  "run out of this fit",
                  run.run_id, run.precision, law.name(), why));
}

double elements_per_scale(const Law& law, const RunRecord& run, std::string_view input) {
  if (run.block_size == 0) return 1;
  if (run.block_size == kTensorBlock) {
    no_block_size(law, run, "and no constant is published for one scale per tensor");
  }
  if (run.block_size == kChannelBlock) {
    if (input == "B") return std::exp2(FpQuantizationLaw::kChannelLog2B);
    no_block_size(law, run, "and a scale per channel spans a different extent in every layer");
  }
  return static_cast<double>(run.block_size);
}

double input_of(const Law& law, const RunRecord& run, std::string_view input) {
  if (input == "N") return static_cast<double>(run.params);
  if (input == "D") return static_cast<double>(run.tokens);
  if (input == "E") return run.exponent_bits;
  if (input == "M") return run.mantissa_bits;
  if (input == "G" || input == "B") return elements_per_scale(law, run, input);
  throw InputError(
      fmt::format("run {}: law '{}' needs {}, which a sweep does not record, so it cannot be fitted to its "
                  "runs; fit it to a table with bitlaw fit table.csv --map {}=...",
                  run.run_id, law.name(), input, input));
}

}  // namespace

std::vector<double> law_inputs(const Law& law, const RunRecord& run) {
  std::vector<double> inputs;
  for (const std::string_view input : law.inputs()) inputs.push_back(input_of(law, run, input));
  return inputs;
}

std::vector<std::string> notes_on_corpora(std::span<const RunRecord> runs) {
  const std::string corpora = several_corpora_text(runs);
  if (corpora.empty()) return {};
  return {
      fmt::format("the runs are of {}, whose least possible losses differ, so one law describes none of them; fit "
                  "each by itself",
                  corpora)};
}

Observations observations_from_runs(const Law& law, std::span<const RunRecord> runs) {
  Observations observations;
  std::size_t diverged = 0;
  for (const RunRecord& run : runs) {
    if (run.diverged || !std::isfinite(run.loss)) {
      ++diverged;
      continue;
    }
    observations.ids.push_back(run.run_id);
    observations.inputs.push_back(law_inputs(law, run));
    observations.loss.push_back(run.loss);
    observations.cluster.push_back(run.run_id);
    observations.format.push_back(run.precision);
  }
  if (diverged > 0 && diverged == runs.size()) {
    observations.notes.push_back(fmt::format(
        "all {} runs diverged, so there is nothing to fit; repeat the smallest with a lower learning rate", diverged));
  } else if (diverged > 0) {
    observations.notes.push_back(fmt::format(
        "{} of {} runs diverged and are left out, so the fit describes the runs that survived", diverged, runs.size()));
  }
  for (std::string& note : notes_on_corpora(runs)) observations.notes.push_back(std::move(note));
  return observations;
}

}  // namespace bitlaw
