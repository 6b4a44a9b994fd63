#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "core/record/fit_record.h"
#include "core/record/hdf5.h"

namespace bitlaw {

/// Names of variables and attributes that the first files of the schema do not have.
inline constexpr std::array<const char*, 7> kLaterFitNames{
    "ci_profile", "se_jackknife", "intervals_disagree", "level", "degrees_of_freedom", "noise", "scale"};

/// Writes each fit as a group of its own under `fits`, in this order. `created_at` goes to the posterior groups, which
/// have the layout of ArviZ's InferenceData.
void write_fit_groups(const hdf5::Group& fits, std::span<const FitRecord> records, const std::string& created_at);

/// The inverse.
std::vector<FitRecord> read_fit_groups(const hdf5::Group& fits);

}  // namespace bitlaw
