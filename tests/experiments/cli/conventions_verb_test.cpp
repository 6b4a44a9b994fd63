#include <cmath>

#include "core/record/sweep_file.h"
#include "tests/experiments/cli/program.h"

namespace bitlaw {
namespace {

using nlohmann::json;

/// Losses exactly on L = 1.7 + 400 / N^0.34 + 410 / D^0.28 in all parameters; a constant 2e6 of them are embedding.
std::string planted_csv() {
  std::string text = "total,body,tokens,loss\n";
  for (const double n : {3e6, 6e6, 2e7, 1e8}) {
    for (const double d : {2e7, 1e8, 5e8, 4e9}) {
      text += fmt::format("{},{},{},{}\n", n, n - 2e6, d, 1.7 + 400 * std::pow(n, -0.34) + 410 * std::pow(d, -0.28));
    }
  }
  return text;
}

TEST_CASE("bitlaw conventions: the exponent depends on what N counts, and the spread says by how much") {
  // Pearce & Song 2024, arXiv:2406.12907: leaving embeddings out bends the law at small sizes, here to a lower alpha.
  Program bitlaw;
  bitlaw.folder().write("runs.csv", planted_csv());
  const auto output = bitlaw({"conventions", "chinchilla", "runs.csv", "--map", "D=tokens", "--count", "total=total",
                              "--count", "non_embedding=body", "--bootstrap", "0", "--json"});
  REQUIRE(output.exit_code == 0);
  const json group = json::parse(output.out)["groups"][0];
  const double total = group["conventions"]["total"]["parameters"]["alpha"]["estimate"];
  const double body = group["conventions"]["non_embedding"]["parameters"]["alpha"]["estimate"];
  CHECK(std::abs(total - 0.34) < 1e-6);
  CHECK(body < 0.25);
  CHECK(std::abs(group["spread"]["alpha"]["range"].get<double>() - (total - body)) < 1e-12);
  CHECK(group["spread"].contains("a (N_opt ~ C^a)"));
}

TEST_CASE("bitlaw conventions: the text has a column for each convention") {
  Program bitlaw;
  bitlaw.folder().write("runs.csv", planted_csv());
  const auto output = bitlaw({"conventions", "chinchilla", "runs.csv", "--map", "D=tokens", "--count", "total=total",
                              "--count", "non_embedding=body", "--bootstrap", "0"});
  CHECK(output.exit_code == 0);
  CHECK(output.out.find("total  non_embedding") != std::string::npos);
  CHECK(output.out.find("in standard errors") != std::string::npos);
}

/// The same losses in a sweep file, in float32; in mxfp4 they are a fifth higher.
SweepFile planted_sweep() {
  SweepFile sweep;
  sweep.experiment = "planted";
  for (const auto& [precision, factor] : {std::pair("float32", 1.0), std::pair("mxfp4", 1.2)}) {
    for (const double n : {3e6, 6e6, 2e7, 1e8}) {
      for (const double d : {2e7, 1e8, 5e8, 4e9}) {
        RunRecord run;
        run.run_id = fmt::format("{}-{}-{}", precision, n, d);
        run.precision = precision;
        run.params_total = static_cast<std::int64_t>(n);
        run.params = run.params_total - 2'000'000;
        run.tokens = static_cast<std::int64_t>(d);
        run.flops = 6 * n * d;  // as if all parameters were multiplied
        run.loss = factor * (1.7 + 400 * std::pow(n, -0.34) + 410 * std::pow(d, -0.28));
        run.config = {{"precision", std::string(precision)}};
        sweep.runs.push_back(run);
      }
    }
  }
  return sweep;
}

TEST_CASE("bitlaw conventions: of a sweep, the runs that --where chooses, by a value or by a condition") {
  Program bitlaw;
  write_sweep_file(bitlaw.folder() / "sweep.h5", planted_sweep());
  const auto fits = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words{"conventions", "chinchilla", "sweep.h5", "--bootstrap", "0", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    const auto output = bitlaw(words);
    REQUIRE(output.exit_code == 0);
    return json::parse(output.out)["groups"][0]["conventions"];
  };
  for (const std::string where :
       {"precision=float32", "precision == 'float32'", "precision != 'mxfp4' and tokens > 0"}) {
    CAPTURE(where);
    const json chosen = fits({"--where", where});
    for (const std::string counted : {"total", "flops/(6 D)"}) {
      CHECK(chosen[counted]["n"] == 16);
      CHECK(std::abs(chosen[counted]["parameters"]["alpha"]["estimate"].get<double>() - 0.34) < 1e-6);
      CHECK(std::abs(chosen[counted]["parameters"]["E"]["estimate"].get<double>() - 1.7) < 1e-5);
    }
    CHECK(chosen["non_embedding"]["parameters"]["alpha"]["estimate"].get<double>() < 0.25);
  }
  CHECK(std::abs(fits({"--where", "precision=mxfp4"})["total"]["parameters"]["E"]["estimate"].get<double>() - 2.04) <
        1e-5);
  CHECK(fits({})["total"]["n"] == 32);
}

TEST_CASE("bitlaw conventions: one convention is no comparison") {
  check_refused({"conventions", "chinchilla", "runs.csv", "--count", "total=total"},
                "runs.csv: one way of counting N is given with --count, so there is nothing to compare; name two "
                "columns or more, for example --count total=params_total --count non_embedding=params",
                {{"runs.csv", planted_csv()}});
}

}  // namespace
}  // namespace bitlaw
