#include "core/record/csv.h"

#include <fmt/format.h>

#include <utility>

namespace bitlaw {

CsvRows::CsvRows(TextChunks chunks, std::string file, char separator)
    : TableRows(std::move(file)), chunks_(std::move(chunks)), separator_(separator) {
  skip_byte_order_mark();
  const std::size_t count = read_row();
  for (std::size_t k = 0; k < count; ++k) {
    Cell& cell = cells_[k];
    if (contains(cell.text)) {
      throw InputError(
          place(k), fmt::format("the column name '{}' is repeated, so it would be ambiguous; rename one", cell.text));
    }
    names_.push_back(cell.text);
  }
  if (names_.empty()) {
    throw InputError(fmt::format("{}: is empty, so there is nothing to read; give a CSV file with a header", file_));
  }
  check_separator();
}

void CsvRows::check_separator() const {
  if (names_.size() > 1) return;
  const auto other = names_.front().find_first_of(",;\t");
  if (other == std::string::npos) return;
  const char sign = names_.front()[other];
  throw InputError(place(0), fmt::format("the header is one column, '{}', so its cells seem to be separated by {}; "
                                         "separate them by commas, or by tabs in a file named .tsv",
                                         names_.front(),
                                         sign == '\t'  ? "tabs"
                                         : sign == ';' ? "';'"
                                                       : "commas"));
}

bool CsvRows::next() {
  const std::size_t count = read_row();
  if (count == 0) return false;
  if (count != names_.size()) {
    throw InputError(place(0), fmt::format("the row has {} cells, but the header {}, so its columns are unclear; add "
                                           "or quote cells",
                                           count, names_.size()));
  }
  return true;
}

bool CsvRows::done() {
  if (at_ == chunk_.size()) {
    chunk_ = chunks_();
    at_ = 0;
  }
  return chunk_.empty();
}

char CsvRows::advance() {
  const char c = chunk_[at_++];
  ++column_;
  if (c == '\n') ++line_, column_ = 1;
  return c;
}

void CsvRows::skip_byte_order_mark() {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (!done() && chunk_.starts_with(kByteOrderMark)) at_ += kByteOrderMark.size();
}

std::size_t CsvRows::read_row() {
  while (!done()) {
    std::size_t count = 0;
    do {
      if (count > 0) advance();  // the separator
      if (count == cells_.size()) cells_.emplace_back();
      read_cell(cells_[count++]);
    } while (!done() && peek() == separator_);
    if (!done() && peek() == '\r') advance();
    if (!done() && peek() == '\n') advance();
    if (count > 1 || !cells_.front().text.empty()) return count;
  }
  return 0;
}

void CsvRows::read_cell(Cell& cell) {
  while (at_space()) advance();
  cell.text.clear();
  cell.line = line_;
  cell.column = column_;
  if (!done() && peek() == '"') {
    read_quoted(cell);
    return;
  }
  while (!at_cell_end()) {  // a chunk's part of the cell at once
    const std::size_t first = at_;
    while (at_ < chunk_.size() && peek() != separator_ && peek() != '\n' && peek() != '\r') ++at_;
    cell.text.append(chunk_.substr(first, at_ - first));
    column_ += static_cast<int>(at_ - first);
  }
  const auto last = cell.text.find_last_not_of(separator_ == '\t' ? " " : " \t");
  cell.text.resize(last + 1);  // npos + 1 is 0
}

void CsvRows::read_quoted(Cell& cell) {
  advance();
  while (true) {
    if (done()) {
      throw InputError({file_, cell.line, cell.column},
                       "the quote is never closed, so the rest of the file would be one cell; add the closing quote");
    }
    const char c = advance();
    if (c != '"') {
      cell.text += c;
    } else if (!done() && peek() == '"') {
      cell.text += advance();
    } else {
      break;
    }
  }
  while (at_space()) advance();
  if (!at_cell_end()) {
    throw InputError({file_, line_, column_},
                     "text follows the closing quote, so the cell's end is unclear; double quotes inside a cell");
  }
}

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + '"';
}

}  // namespace bitlaw
