#pragma once

#include <string>
#include <vector>

#include "core/record/sweep_file.h"

namespace bitlaw {

/// A sweep file and its path, for messages.
struct NamedSweep {
  std::string name;
  SweepFile sweep;
};

/// The runs of all files, each once, in the order of their first appearance, under the first file's name and title.
/// Fits are left out: they were made of fewer runs. The texts of the other YAML files follow the first as comments.
///
/// InputError when two files have a run of one id with different final states: one of them was computed wrongly, or
/// they are from programs whose bits differ.
SweepFile merged(const std::vector<NamedSweep>& sweeps, const std::string& command);

/// What one sweep has and another has not: configuration values, runs, losses; "" when both have the same runs.
std::string difference_text(const NamedSweep& a, const NamedSweep& b);

}  // namespace bitlaw
