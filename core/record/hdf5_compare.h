#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/record/hdf5.h"

namespace bitlaw::hdf5 {

/// What messages of a result file end in.
inline constexpr std::string_view kRemedy =
    "restore the file or write it again with the command in its attribute 'command'";

/// What a group lacks, or has otherwise, of what another holds: its subgroups and datasets with their attributes,
/// types, shapes, dimensions, creation orders and values, however deep. It may hold more. Numbers may differ by 1e-12
/// of themselves, attributes in what they say; `units` may not.
/// @param wanted as write_sweep_file makes it
/// @param may_lack names of members and columns that may be missing
/// @return messages of one line: "file.h5:/group/member: what, so what follows; remedy"
std::vector<std::string> differences(const Group& wanted, const Group& found, const std::set<std::string>& may_lack);

/// Names of the attributes of a group or dataset.
std::vector<std::string> attributes_of(hid_t object);

/// A message for each dataset and attribute without a dataspace, as differences() has them.
std::vector<std::string> null_dataspaces(const Group& root);

}  // namespace bitlaw::hdf5
