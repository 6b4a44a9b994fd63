#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "experiments/fits/fit_request.h"
#include "fitting/laws/schedule.h"

namespace bitlaw {

/// One file of losses along a training run.
struct Curve {
  std::string name;                         ///< the file's without its extension; of equal ones also their folders'
  std::size_t number = 0;                   ///< among all curves
  Schedule schedule;                        ///< the learning rate of every step
  std::vector<std::size_t> step;            ///< [row], within the schedule
  std::vector<double> loss, weight;         ///< [row]; weight may be empty
  std::vector<std::vector<double>> others;  ///< [input][row] of the law's inputs that are no sums, in its order
  std::vector<std::string> notes;           ///< what was left out
};

struct CurveSet {
  std::vector<Curve> fitted, held_out;
};

/// The learning rates of a table that has every step from 0 or 1 on, in any order; its columns are "step" and "lr" or
/// those of --map. InputError for a table that lacks a step.
Schedule recorded_schedule(const FitRequest& request, const std::string& file);

/// The curves of the request's files and of --test. InputErrors name the flag or the place in the file.
CurveSet read_curves(const FitRequest& request, const FitSpec& spec);

}  // namespace bitlaw
