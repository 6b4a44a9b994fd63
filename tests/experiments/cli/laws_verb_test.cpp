#include <set>

#include "fitting/laws/law.h"
#include "tests/experiments/cli/program.h"

namespace bitlaw {
namespace {

using nlohmann::json;

TEST_CASE("bitlaw laws: prints a law with what its paper says") {
  Program bitlaw;
  const json law = json::parse(bitlaw({"laws", "chinchilla", "--json"}).out)["laws"][0];
  CHECK(law["equation"] == "L = E + A/N^alpha + B/D^beta");  // arXiv:2203.15556, Eq. 2
  CHECK(law["inputs"] == json({"N", "D"}));
  json hoffmann;
  for (const json& fit : law["published"]) {
    if (fit["name"] == "hoffmann") hoffmann = fit["values"];
  }
  CHECK(hoffmann == json({{"E", 1.69}, {"A", 406.4}, {"alpha", 0.34}, {"B", 410.7}, {"beta", 0.28}}));  // Eq. 10
  const std::string text = bitlaw({"laws", "chinchilla"}).out;
  CHECK(text.starts_with("chinchilla: L = E + A/N^alpha + B/D^beta\n  source      "));
  CHECK(text.find("alpha=0.34") != std::string::npos);
}

TEST_CASE("bitlaw laws: prints every law that a fit takes, each with its equation, source and parameters") {
  Program bitlaw;
  std::set<std::string> names, wanted{"multi_power"};
  for (const std::string_view name : law_names()) wanted.insert(std::string(name));
  const json laws = json::parse(bitlaw({"laws", "--json"}).out);
  for (const json& law : laws["laws"]) {
    CAPTURE(law["name"].get<std::string>());
    names.insert(law["name"]);
    CHECK_FALSE(law["equation"].get<std::string>().empty());
    CHECK_FALSE(law["source"].get<std::string>().empty());
    CHECK_FALSE(law["parameters"].empty());
    for (const json& fit : law["published"]) CHECK(fit["values"].size() == law["parameters"].size());
  }
  CHECK(names == wanted);
}

TEST_CASE("bitlaw laws: a name that is none ends with exit code 2 and the nearest name") {
  Program bitlaw;
  const auto result = bitlaw({"laws", "chinchila"});
  CHECK(result.exit_code == 2);
  CHECK(result.out.empty());
  CHECK(result.error.find("'chinchilla'") != std::string::npos);
}

}  // namespace
}  // namespace bitlaw
