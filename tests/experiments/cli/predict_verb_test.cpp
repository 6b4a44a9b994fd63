#include <cmath>

#include "tests/experiments/cli/program.h"

namespace bitlaw {
namespace {

using nlohmann::json;

/// y = 3 + 2 x, with errors +-0.1 whose sum and product with x vanish.
std::string line_csv() {
  std::string text = "x,y\n";
  const double signs[] = {1, -1, -1, 1, 1, -1, -1, 1};
  for (int i = 0; i < 8; ++i) text += fmt::format("{},{}\n", i, 3 + 2.0 * i + 0.1 * signs[i]);
  return text;
}

const std::vector<std::string> kLine{"fit",        "--formula",  "a + b * x",   "line.csv",
                                     "--map",      "x=x,loss=y", "--objective", "least_squares",
                                     "--residual", "plain",      "--parameter", "a={lower: 0, upper: 9, starts: [1]}"};

TEST_CASE("bitlaw predict: the bands of a straight line are the textbook's, from JSON and from HDF5 with draws") {
  Program bitlaw;
  bitlaw.folder().write("line.csv", line_csv());
  std::vector<std::string> words = kLine;
  words.insert(words.end(), {"--bootstrap", "500", "--json", "fit.json", "--hdf5", "fit.h5"});
  REQUIRE(bitlaw(words).exit_code == 0);
  for (const char* file : {"fit.json", "fit.h5"}) {
    for (const char* verb : {"predict", "optimum"}) {
      CAPTURE(verb);
      const auto beside = bitlaw({verb, file, "--published", "hoffmann", "--json"});
      CHECK(beside.exit_code == 2);
      CHECK(beside.error == "--params, --published: " + std::string(file) +
                                " is a fit, which has its own coefficients, so they would be ignored; leave them out, "
                                "or give the law's name instead of the fit\n");
    }
    CAPTURE(file);
    const auto output = bitlaw({"predict", file, "--at", "x=3.5", "--at", "x=100", "--json"});
    REQUIRE(output.exit_code == 0);
    const json points = json::parse(output.out)["predictions"];
    CHECK(points[0]["prediction"].get<double>() == doctest::Approx(10));
    CHECK(points[1]["prediction"].get<double>() == doctest::Approx(203));
    // At the mean of x the error is sigma / sqrt(n); all residuals have the size 0.1, which the covariance raises for
    // small samples, at most by 1 / (1 - leverage), which is 1/8 + 3.5^2/42 = 0.417 at the ends.
    const double se = points[0]["se"];
    CHECK(se >= doctest::Approx(0.1 / std::sqrt(8)));
    CHECK(se <= 0.1 / std::sqrt(8) / (1 - 0.417));
    // Student, 97.5 %: 5.90789 degrees of freedom at x = 3.5 and 3.39873 at x = 100, tr(G)^2 / tr(G^2) with the matrix
    // of Imbens & Kolesar (2016), doi 10.1162/REST_a_00552, §4, for x = 0 ... 7 (numpy, scipy).
    const double t = 2.456189, t_far = 2.981309;
    CHECK(points[0]["confidence95"][1].get<double>() == doctest::Approx(10 + t * se).epsilon(1e-4));
    // The robust noise of residuals of one size 0.1: 1.4826 * 0.1 / sqrt(1 - 2/8).
    const double noise = 0.14826 / std::sqrt(0.75);
    CHECK(points[0]["prediction95"][0].get<double>() ==
          doctest::Approx(10 - t * std::sqrt(se * se + noise * noise)).epsilon(1e-4));
    const double far = points[1]["se"];
    CHECK(points[1]["confidence95"][1].get<double>() == doctest::Approx(203 + t_far * far).epsilon(1e-5));
    CHECK(far / se == doctest::Approx(std::sqrt(1 + 8 * 96.5 * 96.5 / 42)).epsilon(0.1));  // sqrt(1 + n d^2 / Sxx)
    const bool draws = std::string(file) == "fit.h5";
    CHECK(points[0]["confidence95_bootstrap"][0].is_null() == !draws);
    if (!draws) continue;
    const double low = points[0]["prediction95_bootstrap"][0], high = points[0]["prediction95_bootstrap"][1];
    CHECK(low < 9.9);  // a residual of -0.1 below a draw's value
    CHECK(high > 10.1);
    CHECK(points[0]["confidence95_bootstrap"][0].get<double>() > low);
  }
}

TEST_CASE("bitlaw predict: what a parameter of a formula is called changes no band") {
  // y = 5 - 0.2 x: the slope is negative, so a name with a capital has no logarithm; the fit was told so.
  Program bitlaw;
  std::string text = "x,y\n";
  const double signs[] = {1, -1, -1, 1, 1, -1, -1, 1};
  for (int i = 0; i < 8; ++i) text += fmt::format("{},{}\n", i, 5 - 0.2 * i + 0.01 * signs[i]);
  bitlaw.folder().write("line.csv", text);
  const auto bands_of = [&](const std::string& slope, const std::string& file) {
    const std::string range = "={transform: identity, lower: -10, upper: 10, starts: [-1, 1]}";
    REQUIRE(bitlaw({"fit", "--formula", "a + " + slope + "*x", "line.csv", "--map", "x=x,loss=y", "--parameter",
                    slope + range, "--bootstrap", "0", "--json", "fit.json", "--hdf5", "fit.h5"})
                .exit_code == 0);
    const auto output = bitlaw({"predict", file, "--at", "x=3.5", "--json"});
    REQUIRE(output.exit_code == 0);
    return json::parse(output.out)["predictions"][0]["confidence95"];
  };
  for (const char* file : {"fit.json", "fit.h5"}) {
    CAPTURE(file);
    const json capital = bands_of("B", file), small = bands_of("b", file);
    REQUIRE(capital[0].is_number());
    CHECK(capital[0].get<double>() == doctest::Approx(small[0].get<double>()).epsilon(1e-9));
    CHECK(capital[1].get<double>() == doctest::Approx(small[1].get<double>()).epsilon(1e-9));
  }
}

TEST_CASE("bitlaw predict, evaluate: printed and given coefficients") {
  Program bitlaw;
  const auto predicted =
      bitlaw({"predict", "chinchilla", "--published", "hoffmann", "--at", "N=7e10,D=1.4e12", "--json"});
  REQUIRE(predicted.exit_code == 0);
  const double value = 1.69 + 406.4 * std::pow(7e10, -0.34) + 410.7 * std::pow(1.4e12, -0.28);
  const json point = json::parse(predicted.out)["predictions"][0];
  CHECK(point["prediction"].get<double>() == doctest::Approx(value).epsilon(1e-12));
  CHECK(point["se"].is_null());

  bitlaw.folder().write("runs.csv", "N,D,loss,kind\n1e6,1e7,2.5,a\n1e8,1e9,2,b\n");
  const std::string params = "A=400,alpha=0.34,B=410,beta=0.28,E=1.7";
  bitlaw.folder().write("given.json", "{\"A\": 400, \"alpha\": 0.34, \"B\": 410, \"beta\": 0.28, \"E\": 1.7}");
  const auto loss = [](double n, double d) { return 1.7 + 400 * std::pow(n, -0.34) + 410 * std::pow(d, -0.28); };
  double squares = 0;
  for (const auto& [n, d, y] : {std::tuple{1e6, 1e7, 2.5}, std::tuple{1e8, 1e9, 2.0}}) {
    squares += std::pow(std::log(loss(n, d) / y), 2) / 2;
  }
  for (const std::string& given : {params, std::string("given.json")}) {
    const auto output =
        bitlaw({"evaluate", "chinchilla", "runs.csv", "--params", given, "--objective", "least_squares", "--json"});
    REQUIRE(output.exit_code == 0);
    const json scored = json::parse(output.out);
    CHECK(scored["objective"].get<double>() == doctest::Approx(squares).epsilon(1e-12));
    CHECK(scored["metrics"]["data"]["relative_worst"].get<double>() ==
          doctest::Approx(std::max(std::abs(loss(1e6, 1e7) / 2.5 - 1), std::abs(loss(1e8, 1e9) / 2 - 1))));
  }
  const auto rows = bitlaw(
      {"predict", "chinchilla", "runs.csv", "--params", params, "--map", "D=D", "--at", "N=1e9,D=1e10", "--json"});
  REQUIRE(rows.exit_code == 0);
  const json table = json::parse(rows.out)["predictions"];
  REQUIRE(table.size() == 3);
  CHECK(table[0]["prediction"].get<double>() == doctest::Approx(loss(1e9, 1e10)).epsilon(1e-12));
  CHECK(table[2]["prediction"].get<double>() == doctest::Approx(loss(1e8, 1e9)).epsilon(1e-12));
  CHECK(bitlaw({"predict", "chinchilla", "--params", params}).error ==
        "bitlaw predict chinchilla: no inputs are given, so there is nothing to predict; write --at N=...,D=... or a "
        "table\n");
  CHECK(bitlaw({"evaluate", "chinchilla", "runs.csv", "--params", "A=1"}).error ==
        "--params A=1: lacks alpha, so law 'chinchilla' has no value; it needs A, alpha, B, beta, E\n");
  CHECK(
      bitlaw({"predict", "chinchilla", "--params", "A=-400,alpha=.3,B=2,beta=.3,E=1", "--at", "N=1e6,D=1e10"}).error ==
      "--params A=-400,alpha=.3,B=2,beta=.3,E=1: A is -400, with which law 'chinchilla' has no value; give a positive "
      "number\n");
  CHECK(bitlaw({"evaluate", "chinchilla", "runs.csv"}).error ==
        "law 'chinchilla': needs its coefficients once, so that there is something to evaluate; give --params or "
        "--published\n");
  CHECK(bitlaw({"predict", "chinchilla", "--params", params, "--at", "N=1e9,N=2e9,D=1e9"}).error ==
        "--at N=1e9,N=2e9,D=1e9: gives N twice, so it is not clear which is meant; write it once\n");
  CHECK(bitlaw({"predict", "chinchilla", "--params", params, "--at", "N=1e9"}).error ==
        "--at N=1e9: lacks D, so law 'chinchilla' has no value; it takes N, D\n");
  CHECK(bitlaw({"predict", "given.json", "--at", "N=1e9"})
            .error.starts_with("given.json: is not a fit as bitlaw fit --json writes it ("));
}

}  // namespace
}  // namespace bitlaw
