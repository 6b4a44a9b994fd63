#include <cmath>

#include "core/record/sweep_file.h"
#include "tests/experiments/cli/program.h"
#include "tests/support/long_test.h"

namespace bitlaw {
namespace {

using nlohmann::json;

const std::vector<std::string> kLimits{"--tokens", "5000,7000,10000,16000,32000"};

/// What `bitlaw kinetics simulate --hard-tokens 0 --token-exponent 0.1` makes answers with.
const std::vector<std::pair<std::string, double>> kPlanted{{"c", 0.95},   {"H", 4e9}, {"s", 1.0},
                                                           {"M", 8000.0}, {"e", 0.1}, {"S", 0.5}};

std::vector<std::string> simulation(const std::vector<std::string>& more) {
  std::vector<std::string> words{"kinetics", "simulate",         "--answers", "8",      "--hard-tokens",
                                 "0",        "--token-exponent", "0.1",       "--seed", "5"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::vector<std::string> fit_of(const std::vector<std::string>& more) {
  std::vector<std::string> words{"kinetics", "fit"};
  words.insert(words.end(), more.begin(), more.end());
  words.insert(words.end(), kLimits.begin(), kLimits.end());
  return words;
}

// Twelve intervals of 99.9 %; the seed is fixed. How often they hold: bitlaw coverage accuracy.
TEST_CASE("bitlaw kinetics fit: accuracy over tokens and sizes together leads back to all that was planted" *
          BITLAW_LONG_TEST) {
  Program bitlaw;
  REQUIRE(bitlaw(simulation({"--tasks", "2000", "--out", "t.jsonl"})).exit_code == 0);
  const auto output = bitlaw(fit_of({"t.jsonl", "--level", "0.999", "--json"}));
  CHECK(output.error == "");
  REQUIRE(output.exit_code == 0);
  const json fit = json::parse(output.out);
  CHECK(fit["law"] == "accuracy");
  CHECK(fit["n"] == 6 * 5 * 100);  // sizes, lengths, batches
  for (const auto& [name, truth] : kPlanted) {
    CAPTURE(name);
    const json& parameter = fit["parameters"][name];
    CAPTURE(parameter.dump());
    CHECK(std::abs(parameter["estimate"].get<double>() - truth) < 0.1 * std::max(truth, 0.3));
    for (const char* interval : {"ci99.9", "ci99.9_bootstrap"}) {
      CHECK(parameter[interval][0].get<double>() < truth);
      CHECK(parameter[interval][1].get<double>() > truth);
    }
  }
}

TEST_CASE("bitlaw kinetics fit: a file for each size with its N gives what one file of all gives") {
  Program bitlaw;
  std::vector<std::string> files, all;
  for (const auto& [model, params] :
       {std::pair{"qwen3-0.6b", "752e6"}, {"qwen3-8b", "8190000000"}, {"qwen3-32b", "3.276e10"}}) {
    const std::string file = fmt::format("{}.jsonl", model);
    REQUIRE(bitlaw(simulation({model, "--tasks", "60", "--out", file})).exit_code == 0);
    all.push_back(file);
    std::string lines = read_file(bitlaw.folder() / file);
    const std::string name = fmt::format("\"model\": \"{}\", ", model);
    for (std::size_t at = lines.find(name); at != std::string::npos; at = lines.find(name, at)) {
      lines.erase(at, name.size());
    }
    bitlaw.folder().write("only_" + file, lines);
    files.push_back(fmt::format("{}=only_{}", params, file));
  }
  const auto named = bitlaw(fit_of({all[0], all[1], all[2], "--bootstrap", "20", "--json"}));
  const auto given = bitlaw(fit_of({files[0], files[1], files[2], "--bootstrap", "20", "--json", "--hdf5", "fit.h5"}));
  REQUIRE(named.exit_code == 0);
  CHECK(given.out == named.out);
  const std::vector<FitRecord> fits = read_fit_file(bitlaw.folder() / "fit.h5");
  REQUIRE(fits.size() == 1);
  CHECK(fits[0].draws.size() == 20 * 6);
  const auto predicted = bitlaw({"predict", "fit.h5", "--at", "N=8e9,T=12000", "--json"});
  CHECK(predicted.exit_code == 0);
}

TEST_CASE("bitlaw kinetics fit: other attention has a law of its own, few sizes are warned of") {
  Program bitlaw;
  REQUIRE(bitlaw(simulation({"qwen3-0.6b", "qwen3-8b", "--attention", "dense", "--attention", "top_k:1024", "--tasks",
                             "30", "--out", "t.jsonl"}))
              .exit_code == 0);
  const auto output = bitlaw(fit_of({"t.jsonl", "--bootstrap", "0", "--json"}));
  REQUIRE(output.exit_code == 0);
  const json fits = json::parse(output.out)["fits"];
  REQUIRE(fits.size() == 2);
  CHECK(fits[0]["name"] == "accuracy");
  CHECK(fits[1]["name"] == "accuracy top_k:1024");
  CHECK(fits[0]["warnings"].dump().find("add answers of a model of another size") != std::string::npos);
}

TEST_CASE("bitlaw kinetics fit: tasks of two lengths are not of the law's form, and it says so" * BITLAW_LONG_TEST) {
  Program bitlaw;
  REQUIRE(bitlaw(simulation({"--tasks", "300", "--median-tokens", "5500", "--sigma", "0.1", "--out", "short.jsonl"}))
              .exit_code == 0);
  REQUIRE(bitlaw(simulation({"--tasks", "300", "--median-tokens", "20000", "--sigma", "0.1", "--out", "long.jsonl"}))
              .exit_code == 0);
  const auto warnings = [&](const std::vector<std::string>& files) {
    std::vector<std::string> words = files;
    words.insert(words.end(), {"--bootstrap", "0", "--json"});
    const auto output = bitlaw(fit_of(words));
    REQUIRE(output.exit_code == 0);
    return json::parse(output.out)["warnings"].dump();
  };
  const std::string both = warnings({"short.jsonl", "long.jsonl"});
  CHECK(both.find("are not the law's, most of all at N = ") != std::string::npos);
  CHECK(warnings({"short.jsonl"}).find("are not the law's") == std::string::npos);
}

TEST_CASE("bitlaw kinetics fit: answers without a length, unknown models and wrong limits are refused") {
  const std::string row = R"({"query": "a", "score": 1, "tokens": 3, "model": "qwen3-8b"})";
  check_refused(
      {"kinetics", "fit", "t.jsonl", "--tokens", "100"},
      "t.jsonl:1: an answer of qwen3-8b to 'a' has no 'tokens', so nobody knows within how many it came; write "
      "the length of every answer",
      {{"t.jsonl", R"({"query": "a", "score": 1, "model": "qwen3-8b"})"}});
  check_refused({"kinetics", "fit", "qwen3-8c=t.jsonl"},
                "t.jsonl:1: model 'qwen3-8c': is not known, so the cost of its answers is unknown; did you mean "
                "'qwen3-8b'?",
                {{"t.jsonl", R"({"query": "a", "score": 1, "tokens": 3})"}});
  check_refused({"kinetics", "fit", "t.jsonl", "--tokens", "no"},
                "--tokens no: 'no' is no number from 1 up, so nothing was done; write for example --tokens 1,2,4",
                {{"t.jsonl", row}});
}

}  // namespace
}  // namespace bitlaw
