#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/record/table_rows.h"
#include "core/record/text_chunks.h"

namespace bitlaw {

/// The rows of a CSV file with a header (RFC 4180: commas, "quoted, cells", "" for a quote inside, any line ending,
/// also inside quotes; a UTF-8 byte order mark and blank lines are skipped). Spaces around unquoted cells do not count.
class CsvRows final : public TableRows {
 public:
  /// Reads the header. `file` starts the messages; `separator` stands between cells. InputError for a repeated name,
  /// and for a single one that holds another separator: a comma, semicolon or tab.
  CsvRows(TextChunks chunks, std::string file, char separator = ',');

  /// InputError with line and column for a ragged row or an open quote.
  bool next() override;

 private:
  bool done();
  char peek() const { return chunk_[at_]; }
  bool at_cell_end() { return done() || peek() == separator_ || peek() == '\n' || peek() == '\r'; }
  bool at_space() { return !done() && (peek() == ' ' || (peek() == '\t' && separator_ != '\t')); }
  char advance();
  void check_separator() const;
  void skip_byte_order_mark();
  /// The next line that is not blank, into cells_; the number of its cells, 0 at the end of the text.
  std::size_t read_row();
  void read_cell(Cell& cell);
  void read_quoted(Cell& cell);

  TextChunks chunks_;
  char separator_;
  std::string_view chunk_;
  std::size_t at_ = 0;  ///< in chunk_
  int line_ = 1;
  int column_ = 1;
};

/// `text` as a cell of a CSV file, in quotes where commas, quotes or line ends ask for them.
std::string csv_cell(const std::string& text);

}  // namespace bitlaw
