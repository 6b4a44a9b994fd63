#include <cmath>

#include "tests/experiments/cli/program.h"

namespace bitlaw {
namespace {

using nlohmann::json;

json answers_of(const std::vector<std::string>& more) {
  Program bitlaw;
  std::vector<std::string> words{"optimum"};
  words.insert(words.end(), more.begin(), more.end());
  words.emplace_back("--json");
  const auto output = bitlaw(words);
  CHECK(output.error == "");
  REQUIRE(output.exit_code == 0);
  return json::parse(output.out)["answers"];
}

double value(const json& answers, const std::string& of, const std::string& name) {
  for (const json& answer : answers) {
    if (answer["of"] == of && answer["name"] == name) return answer["value"].get<double>();
  }
  FAIL(of << " " << name << " is not answered");
  return 0;
}

TEST_CASE("bitlaw optimum: critical data and best bits of arXiv:2501.02423, from its printed coefficients") {
  const json critical = answers_of({"fp_quantization", "--published", "sun", "--set", "B=128", "--size", "1e9",
                                    "--format", "bfloat16", "--format", "e4m3", "--format", "e2m1"});
  CHECK(std::round(value(critical, "1e+09 parameters in bfloat16", "critical tokens") / 1e12) == 1730);
  CHECK(std::round(value(critical, "1e+09 parameters in e4m3", "critical tokens") / 1e11) == 273);
  CHECK(std::round(value(critical, "1e+09 parameters in e2m1", "critical tokens") / 1e9) == 393);
  const json bits = answers_of({"fp_quantization", "--published", "sun", "--set", "B=128", "--compute", "1e21,1e31"});
  CHECK(std::abs(value(bits, "1e+21 FLOP", "bits") - 4.19) < 0.005);
  CHECK(std::abs(value(bits, "1e+31 FLOP", "bits") - 7.58) < 0.005);
  const double n = value(bits, "1e+21 FLOP", "parameters"), d = value(bits, "1e+21 FLOP", "tokens");
  CHECK(0.375 * value(bits, "1e+21 FLOP", "bits") * n * d == doctest::Approx(1e21).epsilon(1e-9));
  // A preset gives its block too.
  const json mx = answers_of({"fp_quantization", "--published", "sun", "--size", "1e9", "--format", "mxfp4"});
  const json by_hand = answers_of({"fp_quantization", "--published", "sun", "--set", "E=2,M=1,B=32", "--size", "1e9"});
  CHECK(mx[0]["value"] == by_hand[0]["value"]);
  const json layouts = answers_of({"fp_quantization", "--published", "sun", "--layouts"});
  CHECK(layouts.size() == 32);
  CHECK(value(layouts, "8 bits", "exponent bits") == 4);
  CHECK(value(layouts, "4 bits", "mantissa bits") == 1);
}

TEST_CASE("bitlaw optimum: Chinchilla's budget, the tokens that reach a loss, an interval from a fit") {
  const std::string params = "A=406.4,alpha=0.34,B=410.7,beta=0.28,E=1.69";
  const json answers =
      answers_of({"chinchilla", "--params", params, "--compute", "5.76e23", "--size", "1e9", "--loss", "2.6"});
  CHECK(value(answers, "5.76e+23 FLOP", "parameters") == doctest::Approx(3.219e10).epsilon(1e-3));
  CHECK(value(answers, "5.76e+23 FLOP", "tokens") == doctest::Approx(2.982e12).epsilon(1e-3));
  const double rest = 2.6 - 1.69 - 406.4 * std::pow(1e9, -0.34);
  CHECK(value(answers, "1e+09 parameters to 2.6", "tokens") ==
        doctest::Approx(std::pow(410.7 / rest, 1 / 0.28)).epsilon(1e-9));
  for (const json& answer : answers) {  // more data always help, so there is no critical number
    if (answer["name"] == "critical tokens") CHECK(answer["value"].is_null());
    CHECK(answer["interval"][0].is_null());
  }

  Program bitlaw;
  std::string csv = "N,D,loss\n";
  int row = 0;
  for (const double n : {1e6, 4e6, 2e7, 1e8}) {
    for (const double d : {2e7, 1e8, 5e8, 4e9}) {
      const double noise = 0.002 * std::sin(1.0 + 7 * row++);
      csv += fmt::format("{},{},{}\n", n, d,
                         (1.69 + 406.4 * std::pow(n, -0.34) + 410.7 * std::pow(d, -0.28)) * (1 + noise));
    }
  }
  bitlaw.folder().write("runs.csv", csv);
  REQUIRE(bitlaw({"fit", "chinchilla", "runs.csv", "--bootstrap", "50", "--json", "fit.json", "--hdf5", "fit.h5"})
              .exit_code == 0);
  for (const char* file : {"fit.json", "fit.h5"}) {
    CAPTURE(file);
    const auto output = bitlaw({"optimum", file, "--compute", "1e18", "--json"});
    REQUIRE(output.exit_code == 0);
    const json size = json::parse(output.out)["answers"][0];
    CHECK(size["name"] == "parameters");
    CHECK(size["interval"][0].get<double>() < size["value"].get<double>());
    CHECK(size["interval"][1].get<double>() > size["value"].get<double>());
    const double truth = std::pow(0.34 * 406.4 / (0.28 * 410.7), 1 / 0.62) * std::pow(1e18 / 6, 0.28 / 0.62);
    CHECK(size["interval"][0].get<double>() < truth);
    CHECK(size["interval"][1].get<double>() > truth);
  }
}

TEST_CASE("bitlaw optimum: what cannot be asked is refused with the reason") {
  const auto refused = [](std::vector<std::string> more, const std::string& message) {
    more.insert(more.begin(), {"optimum", "fp_quantization", "--published", "sun"});
    check_refused(more, message);
  };
  refused({}, "bitlaw optimum: nothing is asked, so there is no answer; add --compute, --size or --layouts");
  refused({"--compute", "1e21"}, "law 'fp_quantization': B is not given, so it has no loss; add B=...");
  refused({"--compute", "1e21", "--set", "B=128", "--hold", "N=1e9,D=1e12"},
          "--hold: N and D are both held, so a budget leaves no choice; hold one");
  refused({"--compute", "1e21", "--set", "B=128", "--hold", "P=4"},
          "--hold P=...: is not known, so nothing was done; it takes N and D");
  refused({"--size", "1e9", "--set", "B=128"},
          "1e+09 parameters: law 'fp_quantization' needs bits, so there is no loss; give --bits or --format");
  refused({"--loss", "2", "--compute", "1e21", "--set", "B=128"},
          "--loss: how many tokens reach it depends on the size, so there is no answer; add --size");
  check_refused({"optimum", "chinchilla", "--published", "hoffmann", "--layouts"},
                "law 'chinchilla': knows no exponent, mantissa and block, so --layouts, --format and --scale-bits have "
                "no answer; ask fp_quantization");
}

}  // namespace
}  // namespace bitlaw
