#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"

namespace bitlaw {

/// A table of text, one row at a time, so that its size does not matter. A cell is text until it is asked for a number.
class TableRows {
 public:
  virtual ~TableRows() = default;
  TableRows(const TableRows&) = delete;
  TableRows& operator=(const TableRows&) = delete;

  const std::string& file() const { return file_; }
  const std::vector<std::string>& names() const { return names_; }
  bool contains(std::string_view name) const;
  /// The column called `name`; InputError, with the names that exist, when there is none.
  std::size_t index_of(std::string_view name) const;

  /// Goes to the next row; false at the end. InputError with line and column where the text is no table.
  virtual bool next() = 0;

  /// Of the row that next() came to:
  const std::string& text(std::size_t column) const { return cells_[column].text; }
  /// NaN for an empty cell; InputError with line and column for one that is no number.
  double number(std::size_t column) const;
  /// Where a cell stands, for messages about its value.
  SourceLocation place(std::size_t column) const { return {file_, cells_[column].line, cells_[column].column}; }

 protected:
  struct Cell {
    std::string text;
    int line = 1;
    int column = 1;  ///< in bytes
  };
  explicit TableRows(std::string file) : file_(std::move(file)) {}

  std::string file_;
  std::vector<std::string> names_;
  std::vector<Cell> cells_;  ///< [names]
};

/// Whether open_table() reads files of this name: .csv, .tsv, .jsonl or .ndjson, upper case too, each also with .gz; or
/// "FILE.h5:/GROUP" (.hdf5, .hdf, too), a table in an HDF5 file, see hdf5_rows.h.
bool is_table(const std::filesystem::path& path);

/// The rows of such a file; InputError for another name. Commas or, in .tsv, tabs separate cells, see csv.h; a line of
/// .jsonl is one object, whose members are cells, those of objects inside called "outer.inner"; a member that a line
/// lacks, or null, is an empty cell.
std::unique_ptr<TableRows> open_table(const std::filesystem::path& path);

/// Columns of such a file as numbers, [name][row].
std::vector<std::vector<double>> read_numbers(const std::filesystem::path& path, const std::vector<std::string>& names);

}  // namespace bitlaw
