#include <filesystem>

#include "core/base/file.h"
#include "tests/experiments/cli/program.h"

namespace bitlaw {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTwoPrecisions =
    "experiment: x\n"
    "corpus: {kind: synthetic, vocabulary: 16, length: 8192}\n"
    "model: {layers: 1, width: 16, heads: 1, context: 16}\n"
    "training: {tokens: 1280, batch: 4, eval_tokens: 256}\n"
    "sweep: {grid: {precision: [float32, mxfp4]}, seeds: 2}\n";

TEST_CASE("bitlaw report: from the sweep file alone, the report that bitlaw run wrote, and another's where asked") {
  Program bitlaw;
  bitlaw.folder().write("x.yaml", kTwoPrecisions);
  REQUIRE(bitlaw({"run", "x.yaml", "--out", "out"}).exit_code == 0);
  const fs::path out = bitlaw.folder().path() / "out", other = bitlaw.folder().path() / "other.html";
  const std::string html = read_file(out / "report.html"), text = read_file(out / "report.txt");
  fs::remove(out / "report.html");

  const auto output = bitlaw({"report", "out/sweep.h5"});
  CHECK(output.exit_code == 0);
  CHECK(read_file(out / "report.html") == html);
  CHECK(output.out == text + "\nout/report.html\n");

  const auto summary = bitlaw({"report", "out/sweep.h5", "--to", "other.html", "--json"});
  CHECK(nlohmann::json::parse(summary.out) ==
        nlohmann::json{{"experiment", "x"}, {"runs", 4}, {"fits", 0}, {"html", "other.html"}});
  CHECK(read_file(other) == html);
}

TEST_CASE("bitlaw report: no HTML goes into a file that is called a PDF") {
  check_refused({"report", "sweep.h5", "--to", "x.pdf"},
                "--to x.pdf: the report is HTML, so nothing was written; name it .html, and print it from a browser or "
                "take Python's bitlaw.report(\"sweep.h5\", \"x.pdf\") for PDF");
}

TEST_CASE("bitlaw report: what is no sweep file is refused, and nothing is written") {
  Program bitlaw;
  bitlaw.folder().write("sweep.h5", "no HDF5");
  const auto output = bitlaw({"report", "sweep.h5"});
  CHECK(output.exit_code == 2);
  CHECK(output.error.starts_with("sweep.h5: "));
  CHECK_FALSE(fs::exists(bitlaw.folder().path() / "report.html"));
}

}  // namespace
}  // namespace bitlaw
