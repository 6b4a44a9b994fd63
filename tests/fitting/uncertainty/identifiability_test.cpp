#include "fitting/uncertainty/identifiability.h"

#include <doctest/doctest.h>

#include "tests/fitting/planted.h"

using namespace bitlaw;

namespace {
std::vector<std::string> warnings(std::string_view law, std::vector<std::vector<double>> inputs,
                                  std::vector<bool> free = {}) {
  Observations observations;
  observations.inputs = std::move(inputs);
  if (free.empty()) free.assign(find_law(law).parameters().size(), true);
  return design_warnings(find_law(law), observations, free);
}
}  // namespace

TEST_CASE("identifiability: a full design in N and D is not warned about") {
  CHECK(warnings("chinchilla", chinchilla_design()).empty());
}

TEST_CASE("identifiability: one ray D/N = 20 is warned about, with the run that cures it") {
  std::vector<std::vector<double>> ray;
  for (const double n : {1e7, 3e7, 1e8, 3e8, 1e9}) ray.push_back({n, 20 * n});
  CHECK(
      warnings("chinchilla", ray) ==
      std::vector<std::string>{
          "all runs lie on one ray D/N = 20, so the terms in N and D move together and their split is not decided "
          "(neither is the optimal N at a budget); repeat the smallest model, N = 1e+07, with 4 times the tokens, D = "
          "8e+08"});
  ray.push_back({1e7, 8e8});
  CHECK(warnings("chinchilla", ray).empty());  // the cure cures
}

TEST_CASE("identifiability: a curve D ~ N^0.5 is as undecided as a ray") {
  std::vector<std::vector<double>> curve;
  for (const double n : {1e6, 1e7, 1e8, 1e9}) curve.push_back({n, 1e6 * std::sqrt(n)});
  REQUIRE(warnings("chinchilla", curve).size() == 1);
  CHECK(warnings("chinchilla", curve)[0].starts_with("all runs lie on one curve D ~ N^0.50, so"));
}

TEST_CASE("identifiability: two sizes give one difference, which cannot decide a coefficient and an exponent") {
  const auto design = full_design({1e8, 1e9}, {1e9, 1e10, 1e11});
  CHECK(
      warnings("chinchilla", design) ==
      std::vector<std::string>{"N takes only 2 values in all runs (1e+08, 1e+09), and A, alpha need 3: one difference "
                               "of losses cannot give both a coefficient and an exponent; add a smaller model at the "
                               "smallest D"});
  // Not when A and alpha are held.
  CHECK(warnings("chinchilla", design, {false, false, true, true, true}).empty());
}

TEST_CASE("identifiability: token counts that differ by rounding to whole batches are one value") {
  const auto found = warnings("chinchilla", full_design({1e7, 1e8, 1e9}, {1e9, 1.002e9, 1e10, 1.001e10}));
  REQUIRE(found.size() == 1);
  CHECK(found[0].starts_with("D takes only 2 values in all runs (1e+09, 1e+10)"));
}

TEST_CASE("identifiability: qat without a quantized run says so once") {
  std::vector<std::vector<double>> design;
  for (const auto& point : chinchilla_design()) design.push_back({point[0], point[1], 1});
  CHECK(warnings("qat", design) ==
        std::vector<std::string>{"no run is quantized in blocks (G or B > 1), so the parameters of the quantization "
                                 "penalty are not decided; repeat the smallest run in a block format"});
}

TEST_CASE("identifiability: one low-precision format decides neither the exponent's nor the mantissa's cost") {
  std::vector<std::vector<double>> design;
  for (const auto& point : chinchilla_design()) {
    design.push_back({point[0], point[1], 8, 23, 1});  // other widths of unquantized runs do not help
    design.push_back({point[0], point[1], 2, 1, 32});
  }
  const auto found = warnings("fp_quantization", design);
  REQUIRE(found.size() == 2);
  CHECK(
      found[0] ==
      "E takes only 1 value in the quantized runs (2), and gamma, delta need 2: delta trades off against gamma, so the "
      "cost of another exponent width is unknown; repeat the smallest quantized run with one exponent bit more or "
      "fewer");
  CHECK(found[1].starts_with("M takes only 1 value in the quantized runs (1), and gamma, nu need 2"));
}

TEST_CASE("identifiability: each held parameter of a need lowers the number of values that it asks for") {
  std::vector<std::vector<double>> one_format, no_format, one_block;
  for (const auto& point : chinchilla_design()) {
    one_format.push_back({point[0], point[1], 8, 23, 1});
    no_format.push_back(one_format.back());
    one_format.push_back({point[0], point[1], 2, 1, 32});
    one_block.push_back({point[0], point[1], 1});
    one_block.push_back({point[0], point[1], 32});
  }
  // fp_quantization: n, alpha, d, beta, epsilon, gamma, delta, nu. One format decides gamma when delta and nu are held.
  CHECK(warnings("fp_quantization", one_format, {true, true, true, true, true, true, false, false}).empty());
  CHECK(warnings("fp_quantization", one_format, {true, true, true, true, true, false, true, true}).empty());
  CHECK(warnings("fp_quantization", no_format, {true, true, true, true, true, true, false, false}).size() == 1);
  // qat: A, alpha, B, beta, E, k, gamma_N, gamma_D, gamma_G. One block size decides k when gamma_G is held.
  CHECK(warnings("qat", one_block, {true, true, true, true, true, true, true, true, false}).empty());
  CHECK(warnings("qat", one_block, {true, true, true, true, true, false, true, true, true}).empty());
  // chinchilla: A, alpha, B, beta, E. With alpha held, two sizes decide A, and one does not.
  const std::vector<bool> alpha_held{true, false, true, true, true};
  CHECK(warnings("chinchilla", full_design({1e8, 1e9}, {1e9, 1e10, 1e11}), alpha_held).empty());
  CHECK(warnings("chinchilla", full_design({1e8}, {1e9, 1e10, 1e11}), alpha_held) ==
        std::vector<std::string>{"N takes only 1 value in all runs (1e+08), and A needs 2: fewer values leave its term "
                                 "undecided; add a smaller model at the smallest D"});
}

TEST_CASE("identifiability: a condition number warns from 1e4 and names the parameters of the flat direction") {
  const Law& law = find_law("chinchilla");
  const std::vector<double> direction{0.7, 0.7, 0.01, -0.01, 0.14};
  CHECK(curvature_warnings(law, 9e3, direction).empty());
  const auto found = curvature_warnings(law, 2e6, direction);
  REQUIRE(found.size() == 1);
  CHECK(found[0].starts_with("the data hardly decide a combination of A, alpha, E (condition number 2.0e+06)"));
}
