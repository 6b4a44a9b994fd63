#pragma once

#include <string>
#include <vector>

#include "experiments/fits/fit_solve.h"

namespace CLI {
class App;
}

namespace bitlaw {

/// Where the results of a fit go besides the terminal.
struct FitOutput {
  std::string json, residuals, hdf5;  ///< files; empty: not wanted. json may be "-": standard output
  bool json_alone = false;            ///< --json without a word: as "-"
  bool diagnosis = false;             ///< the text also tells what the fit rests on

  bool prints_json() const { return json_alone || json == "-"; }
};

/// Adds --json, where the word behind it, if one is there that is no flag, is the file.
void add_json_flag(CLI::App& verb, FitOutput& output);

/// InputError where a file cannot be written, is one of `inputs` as in OutputFiles, or is written twice, and where
/// --json has a table's name, as of one that was meant to be read: asked before a long fit, not after.
void check_output(const FitOutput& output, const std::vector<std::string>& inputs);

/// Several fits as one document, {"fits": [...]}.
std::string fits_json(const std::vector<FitRecord>& fits);

/// Prints `text` on standard output where JSON goes there, writes it in one step where it goes to a file.
void write_json(const FitOutput& output, const std::string& text);

/// A row per observation: fit, split, run, the law's inputs, observed, predicted, residual = log(observed / predicted).
void write_residuals(const std::string& path, const Law& law, const std::vector<FittedData>& fits);

}  // namespace bitlaw
