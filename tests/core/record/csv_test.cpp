#include "core/record/csv.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/message_of.h"

using namespace bitlaw;

namespace {

using Texts = std::vector<std::string>;

/// A whole table, so that its columns can be compared.
struct Table {
  explicit Table(const char* text, char separator = ',') : reader(chunks_of_text(text), "data.csv", separator) {
    while (reader.next()) {
      std::vector<std::string>& row = cells.emplace_back();
      for (std::size_t k = 0; k < reader.names().size(); ++k) row.push_back(reader.text(k));
    }
  }
  Texts texts(const char* name) const {
    Texts column;
    for (const auto& row : cells) column.push_back(row[reader.index_of(name)]);
    return column;
  }
  CsvRows reader;
  std::vector<std::vector<std::string>> cells;
};

std::vector<double> numbers(const char* text, const char* name) {
  CsvRows rows(chunks_of_text(text), "data.csv");
  const std::size_t column = rows.index_of(name);
  std::vector<double> values;
  while (rows.next()) values.push_back(rows.number(column));
  return values;
}

std::string message_of_parsing(const char* text) {
  return message_of([&] { Table{text}; });
}

}  // namespace

TEST_CASE("csv: numbers and texts by the name of their column") {
  const char* text = "N, D ,loss,who\n1e6,20000000,2.5,a\n-0.1,+3,inf,b c\n";
  const Table table(text);
  CHECK(table.reader.names() == Texts{"N", "D", "loss", "who"});
  CHECK(table.texts("who") == Texts{"a", "b c"});
  CHECK(numbers(text, "N") == std::vector<double>{1e6, -0.1});
  CHECK(numbers(text, "D") == std::vector<double>{2e7, 3});
  CHECK(numbers(text, "loss") == std::vector<double>{2.5, INFINITY});
}

TEST_CASE("csv: RFC 4180 quoting, line endings, byte order mark and blank lines") {
  const Table table("\xEF\xBB\xBF\"a,b\",c\r\n\"say \"\"hi\"\"\",\"two\nlines\"\r\n\r\n \"x\" , y \n\nlast,");
  CHECK(table.reader.names() == Texts{"a,b", "c"});
  CHECK(table.texts("a,b") == Texts{"say \"hi\"", "x", "last"});
  CHECK(table.texts("c") == Texts{"two\nlines", "y", ""});
}

TEST_CASE("csv: the text may come in parts that end anywhere") {
  const std::string text = "a,\"b \"\"c\",d\r\n1.5 ,\"x,\ny\", z\n\n2,,3\n";
  const Table whole(text.c_str());
  for (std::size_t size = 1; size < text.size(); ++size) {
    CAPTURE(size);
    std::size_t at = 0;
    CsvRows rows(
        [&] {
          const std::string_view part = std::string_view(text).substr(at, size);
          at = std::min(text.size(), at + size);
          return part;
        },
        "data.csv");
    CHECK(rows.names() == whole.reader.names());
    std::vector<std::vector<std::string>> cells;
    while (rows.next()) cells.push_back({rows.text(0), rows.text(1), rows.text(2)});
    CHECK(cells == whole.cells);
  }
}

TEST_CASE("csv: an empty cell is a missing number; a header alone has no rows") {
  CHECK(std::isnan(numbers("N,L\n,2\n", "N").at(0)));
  CHECK(numbers("N,L", "L").empty());
}

TEST_CASE("csv: between tabs, a comma and a space are part of the cell") {
  const Table table("a b\tc\n1,5\t\n x y\t\"q\tr\"\n", '\t');
  CHECK(table.reader.names() == Texts{"a b", "c"});
  CHECK(table.texts("a b") == Texts{"1,5", "x y"});
  CHECK(table.texts("c") == Texts{"", "q\tr"});
}

TEST_CASE("csv: mistakes are told with line, column and remedy") {
  CHECK(message_of_parsing("") == "data.csv: is empty, so there is nothing to read; give a CSV file with a header");
  CHECK(message_of_parsing("a,b\n1,2\n3\n") ==
        "data.csv:3:1: the row has 1 cells, but the header 2, so its columns are unclear; add or quote cells");
  CHECK(message_of_parsing("a,b\n1,\"2\n3,4\n") ==
        "data.csv:2:3: the quote is never closed, so the rest of the file would be one cell; add the closing quote");
  CHECK(message_of_parsing("a,b\n\"1\"x,2\n") ==
        "data.csv:2:4: text follows the closing quote, so the cell's end is unclear; double quotes inside a cell");
  CHECK(message_of_parsing("a,b,a\n") ==
        "data.csv:1:5: the column name 'a' is repeated, so it would be ambiguous; rename one");
  struct Case {
    const char *header, *sign;
  };
  for (const Case& c : {Case{"N;D;loss", "';'"}, {"N\tD", "tabs"}}) {
    CHECK(message_of_parsing(c.header) ==
          fmt::format("data.csv:1:1: the header is one column, '{}', so its cells seem to be separated by {}; separate "
                      "them by commas, or by tabs in a file named .tsv",
                      c.header, c.sign));
  }
  CHECK(message_of([] { Table("N,D\n1,2\n", '\t'); }) ==
        "data.csv:1:1: the header is one column, 'N,D', so its cells seem to be separated by commas; separate them by "
        "commas, or by tabs in a file named .tsv");
  CHECK(Table("a;b,c\n1,2\n").texts("a;b") == Texts{"1"});
  const char* text = "N,\"two\nlines\",loss\n1,2,2.5\n1,2, 3.1x\n";
  CHECK(message_of([&] { numbers(text, "loss"); }) ==
        "data.csv:4:6: '3.1x' in column 'loss' is not a number a double can hold; correct or empty the cell");
  CHECK(message_of([&] { numbers(text, "D"); }) ==
        "data.csv: has no column 'D', so that input is unknown; its columns are N, two\nlines, loss");
}
