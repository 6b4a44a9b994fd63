#pragma once

#include <span>
#include <string>

#include "core/record/run_columns.h"

namespace bitlaw {

/// Writes the columns as one compound dataset, a row a run, which pandas.read_hdf and PyTables read as a table.
///
/// Text is stored in fixed width, UTF-8 padded with NUL bytes, since PyTables knows no other in tables. A dot in a
/// name becomes an underscore, so that a query can name the column. netCDF tools do not see compound datasets and
/// h5netcdf refuses groups with one: give the table a group of its own.
void write_table(const hdf5::Group& group, const std::string& name, std::span<const Column> columns, std::size_t rows);

}  // namespace bitlaw
