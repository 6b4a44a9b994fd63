#include "experiments/fits/row_filter.h"

#include <fmt/format.h>
#include <muParser.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "core/base/closest.h"
#include "experiments/sweep/condition.h"

namespace bitlaw {
namespace {

constexpr std::string_view kQuotedColumn = "column_in_backquotes_";

std::string with_underscores(std::string name) {
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

}  // namespace

/// A name's value in the current row: the cell's number, or 1 or 0 for a comparison of its text.
struct RowFilter::Term {
  std::size_t column;
  std::optional<WordComparison> comparison;
  double value = 0;
};

RowFilter::~RowFilter() = default;

RowFilter::RowFilter(std::string text, const TableRows& rows)
    : text_(std::move(text)), file_(rows.file()), columns_(rows.names()), parser_(condition_parser()) {
  const auto lookup = [](const char* name, void* self) -> double* {  // for a name that muParser meets first
    auto& filter = *static_cast<RowFilter*>(self);
    return filter.add_number(filter.column_of(name));
  };
  try {
    parser_->SetVarFactory(lookup, this);
    parser_->SetExpr(replace_word_comparisons(
        without_backquotes(),
        [this](const WordComparison& comparison) { return add_comparison(column_of(comparison.name), comparison); },
        [this](const std::string& reason, const std::string& advice) { refuse(reason, advice); }));
    parser_->Eval();  // compiles
  } catch (const mu::Parser::exception_type& error) {
    refuse(trimmed_message(error.GetMsg()), "write for example --where 'step < 24000 and split == \"train\"'");
  }
}

bool RowFilter::holds(const TableRows& rows) {
  for (Term& term : terms_) {
    term.value =
        term.comparison ? (term.comparison->holds_for(rows.text(term.column)) ? 1 : 0) : rows.number(term.column);
  }
  const double result = parser_->Eval();
  return result != 0 && !std::isnan(result);
}

double* RowFilter::add_number(std::size_t column) { return &terms_.emplace_back(Term{column, std::nullopt}).value; }

std::string RowFilter::add_comparison(std::size_t column, const WordComparison& comparison) {
  const std::string name = fmt::format("comparison_{}", terms_.size());
  parser_->DefineVar(name, &terms_.emplace_back(Term{column, comparison}).value);
  return name;
}

/// Each `name` becomes one that muParser can read.
std::string RowFilter::without_backquotes() {
  std::string result;
  std::size_t done = 0;
  for (auto open = text_.find('`'); open != std::string::npos; open = text_.find('`', done)) {
    const auto close = text_.find('`', open + 1);
    if (close == std::string::npos) refuse("a backquote is not closed", "write the column's name between two `");
    const std::size_t column = column_of(text_.substr(open + 1, close - open - 1));
    result += text_.substr(done, open - done) + fmt::format("{}{}", kQuotedColumn, column);
    done = close + 1;
  }
  result += text_.substr(done);
  std::replace(result.begin(), result.end(), '"', '\'');
  return result;
}

std::size_t RowFilter::column_of(const std::string& name) const {
  if (name.starts_with(kQuotedColumn)) return std::stoul(name.substr(kQuotedColumn.size()));
  const auto found = std::find_if(columns_.begin(), columns_.end(), [&](const std::string& column) {
    return column == name || with_underscores(column) == name;
  });
  if (found == columns_.end()) {
    refuse(fmt::format("{} has no column '{}'", file_, name), remedy(name, columns_, "it may use"));
  }
  return static_cast<std::size_t>(found - columns_.begin());
}

void RowFilter::refuse(const std::string& reason, const std::string& advice) const {
  throw InputError(fmt::format("--where '{}': {}, so no row can be chosen; {}", text_, reason, advice));
}

}  // namespace bitlaw
