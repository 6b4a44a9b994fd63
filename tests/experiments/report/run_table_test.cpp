#include "experiments/report/run_table.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "core/record/table_rows.h"
#include "tests/core/record/planted_sweep.h"
#include "tests/support/temporary_folder.h"

namespace bitlaw {
namespace {

TEST_CASE("run table: CSV has a row for each run and numbers that read back as the same bits") {
  const std::vector<RunRecord> runs = planted_sweep().runs;
  const TemporaryFolder folder;
  const auto table = open_table(folder.write("runs.csv", runs_csv(runs)));
  const auto text = [&](std::string_view name) { return table->text(table->index_of(name)); };
  const auto number = [&](std::string_view name) { return table->number(table->index_of(name)); };
  CHECK(table->contains("config.mixed"));  // differs between the runs
  CHECK_FALSE(table->contains("config.corpus.kind"));
  REQUIRE(table->next());
  CHECK(text("run_id") == "00aa");
  CHECK(number("loss") == 0.1 + 0.2);
  CHECK(text("seed") == "18446744073709551615");
  CHECK(number("wall_seconds") == 1.5);
  REQUIRE(table->next());
  CHECK(text("loss").empty());
  CHECK(text("params") == "9223372036854775807");
  CHECK(text("precision") == "mxfp4 \"µ\" <größer>");
  CHECK(number("diverged") == 1);
  std::size_t rows = 2;
  while (table->next()) ++rows;
  CHECK(rows == runs.size());
}

TEST_CASE("run table: JSON has an object for each run, null where something is missing") {
  const std::vector<RunRecord> runs = planted_sweep().runs;
  const nlohmann::json rows = nlohmann::json::parse(runs_json(runs));
  REQUIRE(rows.size() == runs.size());
  CHECK(rows[0]["loss"].get<double>() == 0.1 + 0.2);
  CHECK(rows[1]["loss"].is_null());
  CHECK(rows[1]["train_loss"] == "inf");
  CHECK(rows[0]["seed"].get<std::uint64_t>() == 18446744073709551615U);
  CHECK(rows[1]["precision"] == "mxfp4 \"µ\" <größer>");
}

}  // namespace
}  // namespace bitlaw
