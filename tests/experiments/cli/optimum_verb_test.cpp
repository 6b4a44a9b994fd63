#include <cmath>
#include <tuple>

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

TEST_CASE("bitlaw optimum: by the literature's name, with a cost from a file, as by hand") {
  const std::vector<std::string> by_name{"--law", "capybara", "--published", "--set", "B=128", "--compute", "1e21"};
  const json plain = answers_of({"fp_quantization", "--published", "sun", "--set", "B=128", "--compute", "1e21"});
  CHECK(answers_of(by_name) == plain);

  Program bitlaw;
  bitlaw.folder().write("cost.yaml", "cost: k * (P + b) * N * D\nnames: {k: 0.375, b: 2}\n");
  const auto with_cost = [&](const std::string& cost) {
    std::vector<std::string> words{"optimum"};
    words.insert(words.end(), by_name.begin(), by_name.end());
    words.insert(words.end(), {"--cost", cost, "--json"});
    const auto output = bitlaw(words);
    REQUIRE(output.exit_code == 0);
    return json::parse(output.out)["answers"];
  };
  const json file = with_cost("cost.yaml"), flag = with_cost("factor=0.375,offset=2");
  for (const char* what : {"bits", "parameters", "tokens"}) {
    CHECK(value(file, "1e+21 FLOP", what) == doctest::Approx(value(flag, "1e+21 FLOP", what)).epsilon(1e-5));
  }
  CHECK(value(file, "1e+21 FLOP", "bits") > value(plain, "1e+21 FLOP", "bits") + 0.1);
  const double n = value(file, "1e+21 FLOP", "parameters"), d = value(file, "1e+21 FLOP", "tokens");
  CHECK(0.375 * (value(file, "1e+21 FLOP", "bits") + 2) * n * d == doctest::Approx(1e21).epsilon(1e-9));
}

TEST_CASE("bitlaw optimum: the best block has an interval, and a power of two beside it") {
  Program bitlaw;
  std::string csv = "N,D,E,M,B,loss\n";
  int row = 0;
  for (const double n : {4e7, 1.5e8, 7e8}) {
    for (const double d : {1e10, 5e10}) {
      for (const auto& [e, m, b] :
           {std::tuple{1, 1, 32}, {1, 1, 128}, {1, 1, 512}, {2, 1, 32}, {1, 3, 32}, {4, 3, 1}}) {
        const double penalty = std::pow(d, 0.5162) / std::pow(n, 0.2368) * std::log2(b) /
                               (11334.5197 * std::pow(e + 0.5, 3.1926) * std::pow(m + 0.5, 2.9543));
        const double loss = 69.2343 * std::pow(n, -0.2368) + 68973.0621 * std::pow(d, -0.5162) + 1.9061 + penalty;
        csv += fmt::format("{},{},{},{},{},{}\n", n, d, e, m, b, loss * (1 + 1e-4 * std::sin(1.0 + 7 * row++)));
      }
    }
  }
  bitlaw.folder().write("runs.csv", csv);
  REQUIRE(bitlaw({"fit", "fp_quantization", "runs.csv", "--bootstrap", "0", "--json", "fit.json"}).exit_code == 0);
  const auto output = bitlaw(
      {"optimum", "fit.json", "--compute", "1e20", "--size", "1e9", "--format", "e2m1", "--scale-bits", "8", "--json"});
  REQUIRE(output.exit_code == 0);
  const json answers = json::parse(output.out)["answers"];
  const double truth = value(answers_of({"capybara", "--published", "--compute", "1e20", "--size", "1e9", "--format",
                                         "e2m1", "--scale-bits", "8"}),
                             "1e+20 FLOP, 1e+09 parameters in e2m1, 8 bits a scale", "elements per scale");
  CHECK(answers[0]["name"] == "elements per scale");
  CHECK(answers[0]["interval"][0].get<double>() < truth);
  CHECK(answers[0]["interval"][1].get<double>() > truth);
  CHECK(answers[1]["name"] == "power of two");
  CHECK(std::abs(std::log2(answers[1]["value"].get<double>() / answers[0]["value"].get<double>())) < 1);
}

TEST_CASE("bitlaw optimum: a cost that is none is refused by file, line and column") {
  const auto refused = [](const std::string& yaml, const std::string& message) {
    check_refused({"optimum", "capybara", "--published", "--set", "B=128", "--compute", "1e21", "--cost", "c.yaml"},
                  message, {{"c.yaml", yaml}});
  };
  refused("cost: k * N * D\n",
          "c.yaml:1:7: cost: k is no number, so there is no cost; give it one under names, or use N, D and P");
  refused("cost: N * D\nnames: {k: 2}\n",
          "c.yaml:2:9: names: k is no name of the cost's own, so its number would be ignored; use it in the formula or "
          "take it out");
  refused("cost: N * P\n",
          "c.yaml:1:7: cost: is 1000 at N = 1000, D = 1000, P = 1 and has to be positive and to rise with N and with D "
          "there, else a budget buys no size; correct it");
  refused("names: {k: 2}\n",
          "c.yaml:1:1: the file has no cost, so nothing has a price; write for example cost: k * (P + b) * N * D and "
          "names: {k: 0.375, b: 0}");
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
  refused({"--compute", "1e21", "--set", "B=128", "--hold", "N=-3"},
          "--hold -3: is no number above 0, so there is no answer; give one");
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
