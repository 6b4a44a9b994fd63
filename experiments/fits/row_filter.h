#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "core/record/table_rows.h"

namespace mu {
class Parser;
}

namespace bitlaw {

/// A condition on the rows of one table: "fit_subset == 1 and step < 24000", "precision != 'nvfp4'".
///
/// The language of experiment/sweep/condition.h. Names are columns; a dot may be written _; one with other characters
/// stands in backquotes: `Seen Examples` > 1e6. An empty cell is NaN, for which every comparison but != is false. A
/// comparison with a word in quotes is of the cell's text.
class RowFilter {
 public:
  /// InputErrors start with --where and the text.
  RowFilter(std::string text, const TableRows& rows);
  ~RowFilter();
  RowFilter(const RowFilter&) = delete;  // what it has compiled refers to this object
  RowFilter& operator=(const RowFilter&) = delete;

  /// Whether the row that `rows` is at fulfils it. InputError for a cell that is no number where one is compared.
  bool holds(const TableRows& rows);

 private:
  struct Term;
  std::string without_backquotes();
  double* add_number(std::size_t column);
  std::string add_comparison(std::size_t column, const struct WordComparison& comparison);
  std::size_t column_of(const std::string& name) const;
  [[noreturn]] void refuse(const std::string& reason, const std::string& remedy) const;

  std::string text_;
  std::string file_;
  std::vector<std::string> columns_;
  std::deque<Term> terms_;  ///< what the names stand for; addresses are fixed
  std::unique_ptr<mu::Parser> parser_;
};

}  // namespace bitlaw
