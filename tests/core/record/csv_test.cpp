#include "core/record/csv.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/message_of.h"

using namespace bitlaw;

namespace {

using Texts = std::vector<std::string>;

std::string message_of_parsing(const char* text) {
  return message_of([&] { CsvTable(text, "data.csv"); });
}

}  // namespace

TEST_CASE("csv: numbers and texts by the name of their column") {
  const CsvTable table("N, D ,loss,who\n1e6,20000000,2.5,a\n-0.1,+3,inf,b c\n", "data.csv");
  CHECK(table.names() == Texts{"N", "D", "loss", "who"});
  CHECK(table.rows() == 2);
  CHECK(table.numbers("N") == std::vector<double>{1e6, -0.1});
  CHECK(table.numbers("D") == std::vector<double>{2e7, 3});
  CHECK(table.numbers("loss") == std::vector<double>{2.5, INFINITY});
  CHECK(table.texts("who") == Texts{"a", "b c"});
}

TEST_CASE("csv: RFC 4180 quoting, line endings, byte order mark and blank lines") {
  const CsvTable table("\xEF\xBB\xBF\"a,b\",c\r\n\"say \"\"hi\"\"\",\"two\nlines\"\r\n\r\n \"x\" , y \n\nlast,",
                       "data.csv");
  CHECK(table.names() == Texts{"a,b", "c"});
  CHECK(table.texts("a,b") == Texts{"say \"hi\"", "x", "last"});
  CHECK(table.texts("c") == Texts{"two\nlines", "y", ""});
}

TEST_CASE("csv: an empty cell is a missing number; a header alone has no rows") {
  const CsvTable table("N,L\n,2\n", "data.csv");
  CHECK(std::isnan(table.numbers("N").at(0)));
  CHECK(CsvTable("N,L", "data.csv").numbers("L").empty());
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
  const CsvTable table("N,\"two\nlines\",loss\n1,2,2.5\n1,2, 3.1x\n", "data.csv");
  CHECK(message_of([&] { table.numbers("loss"); }) ==
        "data.csv:4:6: '3.1x' in column 'loss' is not a number a double can hold; correct or empty the cell");
  CHECK(message_of([&] { table.numbers("D"); }) ==
        "data.csv: has no column 'D', so that input is unknown; its columns are N, two\nlines, loss");
}
