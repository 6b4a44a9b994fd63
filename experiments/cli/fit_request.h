#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/record/fit_record.h"
#include "experiments/sweep/fit_spec.h"

namespace bitlaw {

/// What `bitlaw fit` was asked, as typed.
struct FitRequest {
  std::string file, law, formula, per, columns;
  std::vector<std::string> where, fixed;  ///< "key=value"
  std::vector<std::string> parameters;    ///< "name={...}": what is said of a formula's parameter
  /// What a fit's entry in a file calls these, typed as there: "objective" -> "student_t". Absent: the default.
  std::map<std::string, std::string> options;
};

/// The flags as an entry of a file's `fits`, so that both say and refuse the same.
FitSpec fit_spec_of(const FitRequest& request);

/// Reads the file (a .csv as a table, anything else as a sweep file) and fits. InputErrors name the flag or the place
/// in the file.
std::vector<FitRecord> fits_asked(const FitRequest& request, int threads);

}  // namespace bitlaw
