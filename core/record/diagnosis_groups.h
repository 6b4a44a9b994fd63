#pragma once

#include "core/record/fit_record.h"
#include "core/record/hdf5.h"

namespace bitlaw {

/// The diagnosis of a fit as variables of its group. Absent where it is empty.
void write_diagnosis(const hdf5::Group& group, const FitRecord& fit);

/// The inverse. Files of earlier versions have none. InputError when lists do not fit together.
void read_diagnosis(const hdf5::Group& group, FitRecord& fit);

}  // namespace bitlaw
