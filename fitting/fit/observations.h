#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/record/run_record.h"
#include "fitting/laws/law.h"

namespace bitlaw {

/// What a law is fitted to: one loss per row, with the law's inputs.
struct Observations {
  std::vector<std::string> ids{};             ///< run id or a row's name
  std::vector<std::vector<double>> inputs{};  ///< [observation][input], in the order of Law::inputs()
  std::vector<double> loss{};                 ///< [nat/token], positive
  std::vector<std::string> cluster{};         ///< what the bootstrap resamples as one: the run that the row comes from
  std::vector<double> weights{};              ///< on each row's cost; empty: 1
  std::vector<std::string> format{};          ///< [n] name of each row's precision, for residual tests; empty: unknown
  std::vector<std::string> notes{};           ///< what was left out and why; becomes part of the fit's warnings
};

/// The law's inputs for a run: N = params, D = tokens, G and B = elements per scale (1 when not quantized), E and M.
///
/// InputError where the run has no such number: "qat" needs a block size, and a scale per channel or tensor spans a
/// different extent in every layer. "fp_quantization" has the paper's constant for channels (log2 B = 13.1567).
std::vector<double> law_inputs(const Law& law, const RunRecord& run);

/// A note where the runs are of several corpora, whose least possible losses differ.
std::vector<std::string> notes_on_corpora(std::span<const RunRecord> runs);

/// One observation per run, each its own cluster. Runs that diverged are left out, and the notes say so, and
/// notes_on_corpora().
Observations observations_from_runs(const Law& law, std::span<const RunRecord> runs);

}  // namespace bitlaw
