#pragma once

#include <string>
#include <vector>

#include "core/record/run_record.h"
#include "experiments/fits/fit_request.h"
#include "experiments/fits/fit_rows.h"
#include "fitting/fit/observations.h"

namespace bitlaw {

/// The observations of one fit.
struct FitData {
  std::string name;           ///< of the group that --per makes
  Observations observations;  ///< what is fitted
  Observations held_out;      ///< of --test: what is predicted only; empty without
};

/// A law and what it shall be fitted to.
struct FitProblem {
  FitSpec spec;
  std::vector<FitData> data;
  bool curves = false;     ///< each cluster of the observations is a curve
  std::string settings{};  ///< of a law of curves: what its coefficients belong to
};

/// For a law of curves curve_problem(). Otherwise reads the files: tables (see table_rows.h) or sweep files, all of one
/// kind, their rows joined. Selects and prepares rows as asked. InputErrors name the flag or the place in the file.
FitProblem fit_problem(const FitRequest& request, int threads);

/// The chosen rows of tables or of sweep files, all of one kind, joined, in groups by --per.
std::vector<FitRows> joined_rows(const FitRequest& request, const FitSpec& spec, const RowInputs& inputs,
                                 const std::vector<std::string>& files, TextPool& texts);

/// The runs of sweep files for which the conditions of --where hold; one that several have is one run, as in a merge.
/// InputError where the files have none.
std::vector<RunRecord> chosen_runs(const FitRequest& request, const std::vector<std::string>& files);

}  // namespace bitlaw
