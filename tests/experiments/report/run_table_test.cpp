#include "experiments/report/run_table.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "core/record/csv.h"
#include "tests/core/record/planted_sweep.h"

namespace bitlaw {
namespace {

TEST_CASE("run table: CSV has a row for each run and numbers that read back as the same bits") {
  const std::vector<RunRecord> runs = planted_sweep().runs;
  const CsvTable table(runs_csv(runs), "runs.csv");
  REQUIRE(table.rows() == runs.size());
  CHECK(table.texts("run_id")[0] == "00aa");
  CHECK(table.numbers("loss")[0] == 0.1 + 0.2);
  CHECK(std::isnan(table.numbers("loss")[1]));
  CHECK(table.texts("loss")[1].empty());
  CHECK(table.texts("seed")[0] == "18446744073709551615");
  CHECK(table.texts("params")[1] == "9223372036854775807");
  CHECK(table.texts("precision")[1] == "mxfp4 \"µ\" <größer>");
  CHECK(table.numbers("diverged")[1] == 1);
  CHECK(table.numbers("wall_seconds")[0] == 1.5);
  CHECK(table.contains("config.mixed"));  // differs between the runs
  CHECK_FALSE(table.contains("config.corpus.fingerprint"));
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
