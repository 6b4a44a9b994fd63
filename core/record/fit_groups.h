#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/record/fit_record.h"
#include "core/record/hdf5.h"

namespace bitlaw {

/// Writes each fit as a group of its own under `fits`, in this order. `created_at` goes to the posterior groups, which
/// have the layout of ArviZ's InferenceData.
void write_fit_groups(const hdf5::Group& fits, std::span<const FitRecord> records, const std::string& created_at);

/// The inverse.
std::vector<FitRecord> read_fit_groups(const hdf5::Group& fits);

}  // namespace bitlaw
