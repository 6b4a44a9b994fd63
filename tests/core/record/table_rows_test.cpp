#include "core/record/table_rows.h"

#include <doctest/doctest.h>
#include <zlib.h>

#include <cmath>

#include "core/base/file.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

using namespace bitlaw;

namespace {

std::string packed(const TemporaryFolder& folder, const std::string& name, const std::string& text) {
  const std::string path = folder / name;
  gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
  gzclose(file);
  return path;
}

}  // namespace

TEST_CASE("table: each kind of file gives the same columns, whatever the case of its extension") {
  const TemporaryFolder folder;
  const std::string csv = "N,loss\n1e6,2.5\n4e6,2.25\n";
  const std::string lines = "{\"N\": 1e6, \"loss\": 2.5}\n\n{\"loss\": 2.25, \"N\": 4000000}\n";
  const std::vector<std::vector<double>> expected{{1e6, 4e6}, {2.5, 2.25}};
  for (const std::string& path :
       {folder.write("a.csv", csv), folder.write("b.CSV", csv), folder.write("c.Tsv", "N\tloss\n1e6\t2.5\n4e6\t2.25\n"),
        folder.write("d.jsonl", lines), folder.write("e.NDJSON", lines), packed(folder, "f.csv.gz", csv),
        packed(folder, "g.JSONL.GZ", lines)}) {
    CAPTURE(path);
    CHECK(is_table(path));
    CHECK(read_numbers(path, {"N", "loss"}) == expected);
  }
  CHECK_FALSE(is_table("sweep.h5"));
  CHECK_FALSE(is_table("csv"));
  CHECK(message_of([] { open_table("sweep.h5"); }) ==
        "sweep.h5: is not named as a table, so it is not read as one; name it .csv, .tsv, .jsonl or .ndjson, each also "
        ".gz, or write FILE.h5:/GROUP");
}

TEST_CASE("table: a line of JSON may lack members, hold text, truth, null and objects inside") {
  const TemporaryFolder folder;
  const std::string path = folder.write(
      "a.jsonl", "{\"a\": {\"b\": 0.1, \"c\": \"x\"}, \"ok\": true}\n{\"d\": null, \"a\": {\"b\": \"7\"}}\n");
  const auto rows = open_table(path);
  CHECK(rows->names() == std::vector<std::string>{"a.b", "a.c", "ok", "d"});
  REQUIRE(rows->next());
  CHECK(rows->number(0) == 0.1);
  CHECK(rows->text(1) == "x");
  CHECK(rows->text(2) == "true");
  REQUIRE(rows->next());
  CHECK(rows->number(0) == 7);
  CHECK(rows->text(1) == "");
  CHECK(std::isnan(rows->number(3)));
  CHECK(rows->place(3).to_string() == path + ":2:1");
  CHECK_FALSE(rows->next());
}

TEST_CASE("table: broken JSON, another value and broken gzip are told with their place") {
  const TemporaryFolder folder;
  const std::string broken = folder.write("a.jsonl", "{\"a\": 1}\n{\"a\": NaN}\n");
  CHECK(message_of([&] { open_table(broken); }) ==
        broken +
            ":2:7: the line is no JSON here, so its row is lost; write one object a line (null for a missing number, "
            "not NaN)");
  const std::string list = folder.write("b.jsonl", "[1, 2]\n");
  CHECK(message_of([&] { open_table(list); }) ==
        list + ":1:1: the line is no JSON object, so it has no columns; write {\"name\": value, ...}");
  const std::string whole = read_file(packed(folder, "c.csv.gz", std::string(1000, 'x')));
  const std::string cut = folder.write("d.csv.gz", whole.substr(0, whole.size() - 9));
  CHECK(message_of([&] { open_table(cut); }).find("so rows would be missing; get the file again") != std::string::npos);
}
