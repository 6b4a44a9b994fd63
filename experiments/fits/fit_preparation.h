#pragma once

#include "experiments/fits/fit_rows.h"

namespace bitlaw {

/// What --tail, --seeds and --outliers do to rows before a fit, in this order; each leaves a note.
///
/// tail: "20" or "10%": of each run (the column that --map run= names), its last rows become one with their mean loss
/// and weight and the inputs of the last. seeds: "mean" or "median": rows with equal inputs become one with this loss
/// and their mean weight. outliers: "largest=5": the rows with the largest losses are left out; "mad=4" is for after
/// the fit, see outliers_of().
void prepare_rows(FitRows& rows, const FitRequest& request);

/// How far from the others a residual may be by --outliers mad=K, in units of 1.4826 times the median absolute
/// deviation; 0: anywhere. InputError for an unknown rule.
double outlier_threshold(const FitRequest& request);

/// The observations whose residual, log(observed / predicted) or observed - predicted, is further from the median.
std::vector<bool> outliers_of(const std::vector<double>& observed, const std::vector<double>& predicted,
                              Residual residual, double threshold);

/// `observations` without those marked; a note names the rows.
Observations without_outliers(const Observations& observations, const std::vector<bool>& outlier, double threshold);

}  // namespace bitlaw
