#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/record/table_rows.h"
#include "experiments/fits/curve_tail.h"
#include "experiments/fits/fit_request.h"
#include "fitting/fit/observations.h"
#include "fitting/laws/law.h"

namespace bitlaw {

/// Texts by number, so that a column of them takes four bytes a row.
class TextPool {
 public:
  std::int32_t number_of(const std::string& text);
  const std::string& text(std::int32_t number) const { return texts_[static_cast<std::size_t>(number)]; }

 private:
  std::unordered_map<std::string, std::int32_t> numbers_;
  std::vector<std::string> texts_;
};

/// Rows of data files that one fit takes: of each, the numbers that the law needs and no text.
struct FitRows {
  std::string name;                         ///< of the group that --per makes
  std::vector<std::vector<double>> inputs;  ///< [input][row]
  std::vector<double> loss, weight;         ///< [row]; weight may be empty: 1
  std::vector<std::int32_t> run;            ///< [row] a text's number; empty: each row its own
  std::vector<std::int32_t> label;          ///< [row] what it is called, a text's number; empty: "row 7"
  std::vector<std::int32_t> format;         ///< [row] its precision, a text's number; empty: unknown
  std::vector<std::uint32_t> number;        ///< [row] from 1, in the order of the files
  std::size_t left_out = 0;                 ///< rows without a loss or with weight 0
  std::vector<std::size_t> earlier;         ///< [run's number] rows before its tail, left out while reading; or shorter
  std::size_t room = 1 << 16;               ///< of --tail: with so many rows those before their run's tail are left out
  std::vector<std::string> notes;           ///< what was done to the rows

  std::size_t size() const { return loss.size(); }
  /// Only the rows with these indices, in this order.
  void keep(const std::vector<std::size_t>& rows);
};

/// The inputs that rows must have.
struct RowInputs {
  std::string law;  ///< whose they are, for messages
  std::vector<std::string_view> names;
};
RowInputs inputs_of(const Law& law);

/// Where a law's inputs and the roles loss, run and weight come from.
class FitColumns {
 public:
  /// By --map, --set or the name itself. InputError for a name that is no input and no role.
  FitColumns(const FitRequest& request, RowInputs inputs);

  /// The columns that the law's inputs and roles have in a table; InputError, with --map and near names, where one is
  /// missing.
  struct Bound {
    std::vector<std::ptrdiff_t> inputs;  ///< [input]; -1: a constant
    std::vector<double> constants;       ///< [input]
    std::ptrdiff_t loss = -1, run = -1, weight = -1;
  };
  Bound bind(const TableRows& rows) const;

 private:
  RowInputs inputs_;
  std::map<std::string, std::string> columns_;
  std::map<std::string, double> constants_;
};

/// The rows that --where and --per choose of tables, which are read one row at a time.
class FitRowReader {
 public:
  /// `texts` takes the names of runs. With --tail rows that lie before their run's are left out while reading.
  FitRowReader(const FitRequest& request, const FitSpec& spec, RowInputs inputs, TextPool& texts);

  /// Adds a table's rows to the groups. InputErrors name the cell.
  void read(TableRows& rows);

  /// In the order of their first rows. InputError when the files have no rows or none was chosen.
  std::vector<FitRows> take_groups();

 private:
  void add(TableRows& rows, const FitColumns::Bound& columns, FitRows& group);
  FitRows& group_of(const std::string& value);

  const FitRequest& request_;
  const FitSpec& spec_;
  RowInputs inputs_;
  FitColumns columns_;
  TextPool& texts_;
  TextPool values_;  ///< of --per
  std::optional<CurveTail> tail_;
  std::vector<FitRows> groups_;
  std::string last_file_;
  std::uint32_t row_ = 0;
};

/// As fit_law() takes them.
Observations observations_of(const FitRows& rows, const TextPool& texts);

/// The inverse.
FitRows rows_of(const Observations& observations, std::string name, TextPool& texts);

}  // namespace bitlaw
