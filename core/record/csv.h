#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"

namespace bitlaw {

/// A CSV file with a header (RFC 4180: commas, "quoted, cells", "" for a quote inside, any line ending, also inside
/// quotes; a UTF-8 byte order mark and blank lines are skipped). Spaces around unquoted cells do not count.
class CsvTable {
 public:
  /// `place` starts the messages. InputError with line and column for a ragged row, an open quote, a repeated name.
  CsvTable(std::string_view text, std::string place);

  const std::vector<std::string>& names() const { return names_; }
  std::size_t rows() const { return names_.empty() ? 0 : cells_.size() / names_.size(); }
  bool contains(std::string_view name) const;
  /// A column as text. InputError, with the names that exist, when there is none of this name.
  std::vector<std::string> texts(std::string_view name) const;
  /// A column as numbers; an empty cell is NaN. InputError with line and column at the first cell that is no number.
  std::vector<double> numbers(std::string_view name) const;
  /// Where the cell of a row, from 0, stands, for messages about its value.
  SourceLocation place(std::size_t row, std::string_view name) const;

 private:
  struct Cell {
    std::string text;
    int line = 1;
    int column = 1;  ///< in bytes
  };
  class Parser;
  std::size_t index_of(std::string_view name) const;

  std::string place_;
  std::vector<std::string> names_;
  std::vector<Cell> cells_;  ///< [rows, names] row-major
};

CsvTable read_csv(const std::filesystem::path& path);

}  // namespace bitlaw
