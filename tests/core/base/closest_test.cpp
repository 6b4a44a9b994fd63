#include "core/base/closest.h"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

using namespace bitlaw;

TEST_CASE("closest_match: one insertion, deletion, replacement or swap is near") {
  const std::array<std::string_view, 4> names{"mxfp4", "nvfp4", "learning_rate", "seed"};
  const std::span<const std::string_view> candidates(names);
  CHECK(closest_match("mxfp44", candidates) == "mxfp4");
  CHECK(closest_match("mxf4", candidates) == "mxfp4");
  CHECK(closest_match("nxfp4", candidates) == "mxfp4");  // nvfp4 is as near, mxfp4 comes first
  CHECK(closest_match("mxpf4", candidates) == "mxfp4");
  CHECK(closest_match("sede", candidates) == "seed");
  CHECK(closest_match("learning-rate", candidates) == "learning_rate");
  CHECK(closest_match("learnig_rat", candidates) == "learning_rate");
  CHECK(closest_match("MXFP4", candidates) == "mxfp4");
}

TEST_CASE("closest_match: nothing where more than a third of the letters differ") {
  const std::vector<std::string> candidates{"seed", "tokens"};
  CHECK(closest_match("warmup", std::span<const std::string>(candidates)).empty());
  CHECK(closest_match("sd", std::span<const std::string>(candidates)).empty());  // two letters away, one is allowed
  CHECK(closest_match("token", std::span<const std::string>(candidates)) == "tokens");
  CHECK(closest_match("seed", std::span<const std::string>()).empty());
}

TEST_CASE("remedy: asks for the nearest name, or offers all") {
  const std::vector<std::string> known{"seed", "tokens"};
  CHECK(remedy("sede", std::span<const std::string>(known)) == "did you mean 'seed'?");
  CHECK(remedy("warmup", std::span<const std::string>(known)) == "use one of: seed, tokens");
  CHECK(remedy("warmup", std::span<const std::string>(known), "it may use") == "it may use: seed, tokens");
}
