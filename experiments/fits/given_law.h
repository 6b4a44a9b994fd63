#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/record/fit_record.h"
#include "fitting/fit/objective.h"
#include "fitting/laws/law.h"

namespace bitlaw {

/// In place of a printed set's name: the law's first.
inline constexpr const char* kFirstPublished = "*";

/// Coefficients by flag.
struct GivenCoefficients {
  std::string params;     ///< "A=406.4,alpha=0.34,..." or a .json: of a fit, or {"A": 406.4, ...}
  std::string published;  ///< the name of a printed set of the law, or kFirstPublished
};

/// The law's parameters, natural values in its order. InputError for one that is missing, unknown or no number.
std::vector<double> coefficients_of(const Law& law, const GivenCoefficients& given);

/// Given coefficients as a fit that knows nothing of its uncertainty.
FitRecord fit_of_coefficients(const Law& law, const std::vector<double>& natural);

/// The inputs that "N=1e9,D=2e10" names, in the law's order. InputError for one that is missing, unknown or no number
/// that it can have.
std::vector<double> inputs_at(const Law& law, const std::string& at);

/// A fit that bitlaw fit wrote: --json or --hdf5. InputError for a file that holds none or several.
FitRecord read_fit(const std::string& file);

/// Whether the word is the file of a fit rather than the name of a law.
bool is_fit_file(const std::string& word);

/// InputError where coefficients are given beside a fit's file, which has its own.
void check_beside_fit(const GivenCoefficients& given, const std::string& file);

/// The law of a fit: the registered one, or the formula that it was.
std::shared_ptr<const Law> law_of_fit(const FitRecord& fit);

/// What its residuals were.
Residual residual_of_fit(const FitRecord& fit);

}  // namespace bitlaw
