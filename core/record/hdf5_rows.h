#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/record/run_columns.h"
#include "core/record/table_rows.h"

namespace bitlaw {

/// A table in another program's HDF5 file, read whole. Rows count from 1.
///
/// `object` names a compound dataset of one dimension, whose members are the columns, or a group: its one-dimensional
/// datasets, which must be of equal length (those of the features of a ragged array are spread over its samples), or
/// the compound dataset `table` in it, which is how PyTables and pandas' to_hdf(format="table") store one. A column of
/// arrays becomes a column for each of their elements, called as pandas notes beside the dataset (attribute NAME_kind),
/// else NAME[0], NAME[1], ... Integers, floating-point numbers, truth values (0 and 1) and text are taken, other
/// columns left out; NaN is an empty cell.
class Hdf5Rows final : public TableRows {
 public:
  /// InputError when there is no such table, with the names of those that exist.
  Hdf5Rows(const std::filesystem::path& file, const std::string& object);

  bool next() override;

 private:
  std::vector<Column> columns_;
  std::size_t rows_ = 0, row_ = 0;
};

}  // namespace bitlaw
