#pragma once

#include <string>
#include <vector>

#include "core/record/fit_record.h"

namespace bitlaw {

/// What `bitlaw fit` was asked, as typed.
struct FitRequest {
  std::string file, law, per, columns;
  std::vector<std::string> where, fixed;  ///< "key=value"
  std::string bootstrap, huber_delta;     ///< empty: the default
};

/// Reads the file (a .csv as a table, anything else as a sweep file) and fits. InputErrors name the flag or the place
/// in the file.
std::vector<FitRecord> fits_asked(const FitRequest& request, int threads);

}  // namespace bitlaw
