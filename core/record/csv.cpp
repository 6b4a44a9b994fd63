#include "core/record/csv.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "core/base/file.h"

namespace bitlaw {
namespace {

std::string_view without_spaces(std::string_view text) {
  constexpr std::string_view kSpaces = " \t";
  const auto first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

}  // namespace

/// Walks over the text once and keeps line and column.
class CsvTable::Parser {
 public:
  Parser(std::string_view text, const std::string& place) : text_(text), place_(place) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (text_.starts_with(kByteOrderMark)) text_.remove_prefix(kByteOrderMark.size());
  }

  /// The next line that is not blank; empty at the end of the text.
  std::vector<Cell> next_row() {
    while (!done()) {
      std::vector<Cell> row{next_cell()};
      while (!done() && peek() == ',') {
        advance();
        row.push_back(next_cell());
      }
      skip_line_end();
      if (row.size() > 1 || !row.front().text.empty()) return row;
    }
    return {};
  }

 private:
  bool done() const { return next_ == text_.size(); }
  char peek() const { return text_[next_]; }
  bool at_cell_end() const { return done() || peek() == ',' || peek() == '\n' || peek() == '\r'; }

  char advance() {
    const char c = text_[next_++];
    ++column_;
    if (c == '\n') ++line_, column_ = 1;
    return c;
  }

  void skip_line_end() {
    if (!done() && peek() == '\r') advance();
    if (!done() && peek() == '\n') advance();
  }

  Cell next_cell() {
    while (!at_cell_end() && (peek() == ' ' || peek() == '\t')) advance();
    Cell cell{.text = {}, .line = line_, .column = column_};
    if (!done() && peek() == '"') {
      cell.text = quoted_text(cell);
    } else {
      while (!at_cell_end()) cell.text += advance();
      cell.text = without_spaces(cell.text);
    }
    return cell;
  }

  std::string quoted_text(const Cell& start) {
    std::string text;
    advance();
    while (true) {
      if (done()) {
        throw InputError({place_, start.line, start.column},
                         "the quote is never closed, so the rest of the file would be one cell; add the closing quote");
      }
      const char c = advance();
      if (c != '"') {
        text += c;
      } else if (!done() && peek() == '"') {
        text += advance();
      } else {
        break;
      }
    }
    while (!at_cell_end() && (peek() == ' ' || peek() == '\t')) advance();
    if (!at_cell_end()) {
      throw InputError({place_, line_, column_},
                       "text follows the closing quote, so the cell's end is unclear; double quotes inside a cell");
    }
    return text;
  }

  std::string_view text_;
  const std::string& place_;
  std::size_t next_ = 0;
  int line_ = 1;
  int column_ = 1;
};

CsvTable::CsvTable(std::string_view text, std::string place) : place_(std::move(place)) {
  Parser parser(text, place_);
  for (Cell& cell : parser.next_row()) {
    if (contains(cell.text)) {
      throw InputError(
          {place_, cell.line, cell.column},
          fmt::format("the column name '{}' is repeated, so it would be ambiguous; rename one", cell.text));
    }
    names_.push_back(std::move(cell.text));
  }
  if (names_.empty()) {
    throw InputError(fmt::format("{}: is empty, so there is nothing to read; give a CSV file with a header", place_));
  }
  for (std::vector<Cell> row = parser.next_row(); !row.empty(); row = parser.next_row()) {
    if (row.size() != names_.size()) {
      throw InputError({place_, row.front().line, row.front().column},
                       fmt::format("the row has {} cells, but the header {}, so its columns are unclear; add or "
                                   "quote cells",
                                   row.size(), names_.size()));
    }
    std::move(row.begin(), row.end(), std::back_inserter(cells_));
  }
}

bool CsvTable::contains(std::string_view name) const {
  return std::find(names_.begin(), names_.end(), name) != names_.end();
}

std::size_t CsvTable::index_of(std::string_view name) const {
  if (!contains(name)) {
    throw InputError(fmt::format("{}: has no column '{}', so that input is unknown; its columns are {}", place_, name,
                                 fmt::join(names_, ", ")));
  }
  return static_cast<std::size_t>(std::find(names_.begin(), names_.end(), name) - names_.begin());
}

std::vector<std::string> CsvTable::texts(std::string_view name) const {
  std::vector<std::string> column;
  for (std::size_t i = index_of(name); i < cells_.size(); i += names_.size()) column.push_back(cells_[i].text);
  return column;
}

std::vector<double> CsvTable::numbers(std::string_view name) const {
  std::vector<double> column;
  for (std::size_t i = index_of(name); i < cells_.size(); i += names_.size()) {
    const Cell& cell = cells_[i];
    std::string_view text = without_spaces(cell.text);
    if (text.starts_with('+')) text.remove_prefix(1);
    double value = std::numeric_limits<double>::quiet_NaN();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (!text.empty() && (error != std::errc() || end != text.data() + text.size())) {
      throw InputError({place_, cell.line, cell.column},
                       fmt::format("'{}' in column '{}' is not a number a double can hold; correct or empty the cell",
                                   cell.text, name));
    }
    column.push_back(value);
  }
  return column;
}

SourceLocation CsvTable::place(std::size_t row, std::string_view name) const {
  const Cell& cell = cells_.at(row * names_.size() + index_of(name));
  return {place_, cell.line, cell.column};
}

CsvTable read_csv(const std::filesystem::path& path) { return CsvTable(read_file(path), path.string()); }

}  // namespace bitlaw
