#include <cmath>

#include "tests/experiments/cli/program.h"

namespace bitlaw {
namespace {

using nlohmann::json;

/// L = 1.8 + 482 / N^0.45 + 2085 / D^0.25 at four budgets, 15 sizes within a factor 8 of the best, whose exponent is
/// 0.25 / 0.7; columns flops, params, tokens, kind and loss. Those of kind b need 1.5 times the parameters.
std::string surface() {
  std::string text = "flops,params,tokens,kind,loss\n";
  for (const double factor : {1.0, 1.5}) {
    for (double compute = 1e19; compute < 2e22; compute *= 10) {
      const double best = std::pow(0.45 * 482 / (0.25 * 2085), 1 / 0.7) * std::pow(compute / 6, 0.25 / 0.7);
      for (int i = 0; i < 15; ++i) {
        const double params = best * std::pow(8, i / 7.0 - 1), tokens = compute / (6 * params);
        const double loss = 1.8 + 482 * std::pow(params, -0.45) + 2085 * std::pow(tokens, -0.25);
        text += fmt::format("{},{},{},{},{}\n", compute, params * factor, tokens, factor == 1 ? "a" : "b", loss);
      }
    }
  }
  return text;
}

const std::vector<std::string> kFrontier{"isoflop", "runs.csv", "--map", "C=flops,N=params"};

Program::Output frontier(Program& bitlaw, const std::vector<std::string>& more) {
  std::vector<std::string> words = kFrontier;
  words.insert(words.end(), more.begin(), more.end());
  return bitlaw(words);
}

}  // namespace

TEST_CASE("bitlaw isoflop: the optima of budgets and their exponents, as JSON and as text") {
  Program bitlaw;
  bitlaw.folder().write("runs.csv", surface());
  const auto output = frontier(bitlaw, {"--where", "kind=a", "--json", "--seed-noise", "1e-4", "--draws", "200"});
  CAPTURE(output.error);
  REQUIRE(output.exit_code == 0);
  const json document = json::parse(output.out);
  const double growth = 0.25 / 0.7;
  CHECK(document["curve"] == "akima");
  CHECK(document["budgets"].size() == 4);
  CHECK(document["params"]["exponent"].get<double>() == doctest::Approx(growth).epsilon(1e-3));
  CHECK(document["tokens"]["exponent"].get<double>() == doctest::Approx(1 - growth).epsilon(1e-3));
  CHECK(document["params"]["boot"][0].get<double>() < growth);
  CHECK(document["params"]["boot"][1].get<double>() > growth);
  for (const json& budget : document["budgets"]) {
    const double tokens = budget["compute"].get<double>() / (6 * budget["params"].get<double>());
    CHECK(budget["tokens"].get<double>() == doctest::Approx(tokens).epsilon(1e-9));
  }
  const std::string text = frontier(bitlaw, {"--where", "kind=a", "--curve", "parabola"}).out;
  CHECK(text.find("by a parabola") != std::string::npos);
  CHECK(text.find("coefficient * C^exponent") != std::string::npos);
  CHECK(text.find("--seed-noise") != std::string::npos);
}

TEST_CASE("bitlaw isoflop: rows that are left out are told") {
  Program bitlaw;
  bitlaw.folder().write("runs.csv", surface() + "1e19,1e9,1e9,a,\n");
  const json document = json::parse(frontier(bitlaw, {"--where", "kind=a", "--json"}).out);
  CHECK(document["warnings"].dump().find("1 of 61 rows have no loss and are left out") != std::string::npos);
}

TEST_CASE("bitlaw isoflop: a frontier for each value of a column, and D where it is not C / (6 N)") {
  Program bitlaw;
  bitlaw.folder().write("runs.csv", surface());
  const auto output = bitlaw({"isoflop", "runs.csv", "--map", "C=flops,N=params,D=tokens", "--per", "kind", "--json"});
  REQUIRE(output.exit_code == 0);
  const json frontiers = json::parse(output.out)["frontiers"];
  REQUIRE(frontiers.size() == 2);
  CHECK(frontiers[1]["name"] == "isoflop_b");
  const auto value = [&](int kind, const char* what, const char* name) {
    return frontiers[static_cast<std::size_t>(kind)][what][name].get<double>();
  };
  CHECK(value(1, "params", "coefficient") == doctest::Approx(1.5 * value(0, "params", "coefficient")).epsilon(1e-6));
  CHECK(value(1, "tokens", "coefficient") == doctest::Approx(value(0, "tokens", "coefficient")).epsilon(1e-6));
}

TEST_CASE("bitlaw isoflop: a column that is missing, one budget alone and an empty cell are told, exit code 2") {
  Program bitlaw;
  bitlaw.folder().write("runs.csv", surface());
  const auto complaint = [&](const std::vector<std::string>& words) {
    const auto output = bitlaw(words);
    CHECK(output.exit_code == 2);
    CHECK(output.out.empty());
    return output.error;
  };
  CHECK(complaint({"isoflop", "runs.csv", "--map", "N=params"}).find("has no column 'C', so C is unknown; say which") !=
        std::string::npos);
  const std::string alone = complaint({"isoflop", "runs.csv", "--map", "C=flops,N=params", "--where", "flops < 2e19"});
  CHECK(alone.find("one budget") != std::string::npos);
  CHECK(alone.find("add runs of another budget") != std::string::npos);
  CHECK(complaint({"isoflop", "runs.csv", "--map", "C=flops,N=params,G=kind"}).find("takes no 'G'") !=
        std::string::npos);
  bitlaw.folder().write("holes.csv", "C,N,loss\n1e18,1e6,3\n,2e6,3\n");
  CHECK(complaint({"isoflop", "holes.csv"}).find("holes.csv:3") != std::string::npos);
  CHECK(complaint({"isoflop", "runs.csv", "--curve", "spline"}).find("--curve") != std::string::npos);
}

}  // namespace bitlaw
