#include <cmath>

#include "tests/experiments/cli/program.h"

namespace bitlaw {
namespace {

using nlohmann::json;

json costs_of(const std::vector<std::string>& more) {
  Program bitlaw;
  std::vector<std::string> words{"kinetics", "cost"};
  words.insert(words.end(), more.begin(), more.end());
  words.emplace_back("--json");
  const auto output = bitlaw(words);
  REQUIRE(output.exit_code == 0);
  CHECK(output.error == "");
  return json::parse(output.out)["costs"];
}

TEST_CASE("bitlaw kinetics cost: prints the costs of arXiv:2506.05333's code") {
  Program bitlaw;
  const auto output = bitlaw({"kinetics", "cost", "qwen3-8b", "qwen3-32b", "--tokens", "8192,32768"});
  REQUIRE(output.exit_code == 0);
  for (const char* printed : {"155.2131", "2957.0850", "46084.3526", "83692.2392"}) {
    CAPTURE(printed);
    CHECK(output.out.find(printed) != std::string::npos);
  }
  const json costs = costs_of({"qwen3-8b", "--trials", "1,32"});
  REQUIRE(costs.size() == 2);
  CHECK(std::abs(costs[1]["cost_flop"].get<double>() * 1e-12 - 94201.2079) < 0.5e-4);
  CHECK(std::abs(costs[0]["attention_share"].get<double>() - 20.90) < 0.005);
}

TEST_CASE("bitlaw kinetics cost: formats scale the bytes, FLOP/s and bytes/s the price, a config.json is a model") {
  const json costs = costs_of({"qwen3-8b", "--kv", "bfloat16", "--kv", "mxfp4"});
  REQUIRE(costs.size() == 2);
  const double full = costs[0]["read_bytes"], few = costs[1]["read_bytes"];
  CHECK(few / full == doctest::Approx(4.25 / 16).epsilon(1e-12));
  CHECK(costs[0]["compute_flop"] == costs[1]["compute_flop"]);
  CHECK(costs[1]["kv_bits"] == 4.25);

  const json priced = costs_of({"qwen3-8b", "--flops", "1e15", "--bandwidth", "2e12"});
  const double seconds = costs[0]["compute_flop"].get<double>() / 1e15 + full / 2e12;
  CHECK(priced[0]["seconds"].get<double>() == doctest::Approx(seconds).epsilon(1e-12));
  const json overlapped = costs_of({"qwen3-8b", "--flops", "1e15", "--bandwidth", "2e12", "--total", "max"});
  CHECK(overlapped[0]["seconds"].get<double>() == doctest::Approx(full / 2e12).epsilon(1e-12));

  Program bitlaw;
  bitlaw.folder().write("config.json",
                        R"({"hidden_size": 4096, "num_hidden_layers": 36, "num_attention_heads": 32,
                            "num_key_value_heads": 8, "head_dim": 128, "intermediate_size": 12288,
                            "vocab_size": 151936, "tie_word_embeddings": false})");
  const auto output = bitlaw({"kinetics", "cost", "config.json", "--json"});
  REQUIRE(output.exit_code == 0);
  CHECK(json::parse(output.out)["costs"][0]["read_bytes"] == full);
}

TEST_CASE("bitlaw kinetics cost: the published count of top-k tokens costs more than the exact one") {
  const json exact = costs_of({"qwen3-8b", "--attention", "top_k:1024"});
  const json published = costs_of({"qwen3-8b", "--attention", "top_k:1024", "--count", "published_code"});
  const double difference = published[0]["read_bytes"].get<double>() - exact[0]["read_bytes"].get<double>();
  CHECK(difference == doctest::Approx(2 * 73728 * 768.0 * 768).epsilon(1e-9));  // (b - L_in)^2 positions of bfloat16
}

TEST_CASE("bitlaw kinetics cost: what is unknown is refused by name") {
  check_refused({"kinetics", "cost", "qwen3-9b"},
                "bitlaw kinetics cost: model 'qwen3-9b': is not known, so the cost of its answers is unknown; did you "
                "mean 'qwen3-4b'?");
  check_refused({"kinetics", "cost", "qwen3-8b", "--kv", "mxfp5"},
                "bitlaw kinetics cost: unknown number format 'mxfp5', neither a name of the catalog nor like "
                "'ue5m3:bias=9,ieee', "
                "'int8:frac=6' or 'binary8p3se', so nothing can be rounded to it; did you mean 'mxfp4'?");
  check_refused({"kinetics", "cost", "qwen3-8b", "--tokens", "8192,x"},
                "--tokens 8192,x: 'x' is no number from 1 up, so nothing was done; write for example --tokens 1,2,4");
  check_refused({"kinetics", "cost", "qwen3-8b", "--trials", "1,1.5"},
                "--trials 1,1.5: 1.5 is no number of answers, so nothing was done; write whole ones");
  check_refused({"kinetics", "cost", "qwen3-8b", "--total", "mean"},
                "--total mean: is not known, so nothing was done; use one of: sum, max");
  check_refused({"kinetics", "cost", "qwen3-8b", "--weight-reads", "once_per_stp"},
                "--weight-reads once_per_stp: is not known, so nothing was done; did you mean 'once_per_step'?");
  check_refused(
      {"kinetics", "cost", "gone/config.json"},
      "bitlaw kinetics cost: gone/config.json: cannot be read (No such file or directory); check the path and "
      "its permissions");
  check_refused({"kinetics", "costs"},
                "bitlaw kinetics: unknown verb 'costs', so nothing was done; did you mean 'cost'?");
}

}  // namespace
}  // namespace bitlaw
