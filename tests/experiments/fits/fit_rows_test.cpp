#include "experiments/fits/fit_rows.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "experiments/fits/fit_preparation.h"

using namespace bitlaw;

namespace {

/// Two seeds of two sizes, N in order.
Observations runs(const std::vector<std::string>& formats) {
  Observations observations{
      .ids = {"a", "b", "c", "d"}, .inputs = {{1e6}, {1e6}, {2e6}, {2e6}}, .loss = {4, 4.2, 3, 3.2}};
  observations.cluster = observations.ids;
  observations.format = formats;
  return observations;
}

using Formats = std::vector<std::string>;

}  // namespace

TEST_CASE("fit rows: the formats of runs stay with them through rows, outliers and tails") {
  TextPool texts;
  const Observations observations = runs({"mxfp8", "mxfp8", "mxfp4", "float32"});
  FitRows rows = rows_of(observations, "fit", texts);
  CHECK(observations_of(rows, texts).format == observations.format);
  CHECK(without_outliers(observations, {true, false, false, true}, 4).format == Formats{"mxfp8", "mxfp4"});
  rows.keep({3, 0});
  CHECK(observations_of(rows, texts).format == Formats{"float32", "mxfp8"});
}

TEST_CASE("fit rows: seeds of one format keep it when they are merged; of several formats none is known") {
  TextPool texts;
  FitRequest request;
  request.seeds = "mean";
  FitRows same = rows_of(runs({"mxfp8", "mxfp8", "mxfp4", "mxfp4"}), "fit", texts);
  prepare_rows(same, request);
  CHECK(observations_of(same, texts).format == Formats{"mxfp8", "mxfp4"});
  FitRows mixed = rows_of(runs({"mxfp8", "mxfp4", "mxfp4", "mxfp4"}), "fit", texts);
  prepare_rows(mixed, request);
  CHECK(mixed.size() == 2);
  CHECK(observations_of(mixed, texts).format.empty());
}
