#pragma once

#include <string>
#include <vector>

namespace bitlaw {

/// The formats of these names, or the catalog and nf4 when there are none: widths, range, precision, specials, source.
/// A name may be any that parse_element reads. The table is at most 100 columns wide for the catalog; sources are
/// notes.
std::string formats_table(const std::vector<std::string>& names);
std::string formats_json(const std::vector<std::string>& names);

}  // namespace bitlaw
